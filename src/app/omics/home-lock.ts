/** One server per home: two would resume the same runs. A lock of a process that no longer exists is taken over. */
import { open, readFile, rm, stat, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { AppError, systemErrorCode } from "../../kernel/index.ts";
import { isOwner, lifeOf, type Owner, thisOwner } from "../../process/index.ts";

/** A holder on another machine (or in another container) shows at regular intervals that it is alive. */
const aliveEveryMs = 20_000;
const deadAfterMs = 90_000;

/** Returns the function that releases the lock; throws SERVER_HOME_IN_USE. */
export async function lockHome(file: string): Promise<() => Promise<void>> {
  await makeFolders(dirname(file));
  for (let tries = 0; tries < 3; tries++) {
    if (await create(file)) return keep(file);
    const holder = await readHolder(file);
    if (holder !== undefined && (await lives(holder, file)))
      throw new AppError(
        "SERVER_HOME_IN_USE",
        `starting the server: process ${holder.pid} on ${holder.host} serves ${dirname(file)} already`,
      );
    await rm(file, { force: true });
  }
  throw new AppError("SERVER_HOME_IN_USE", `starting the server: others start at the same time on ${file}`);
}

function keep(file: string): () => Promise<void> {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, aliveEveryMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await rm(file, { force: true });
  };
}

async function lives(holder: Owner, file: string): Promise<boolean> {
  const life = lifeOf(holder);
  if (life !== "elsewhere") return life === "alive";
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: 0 }));
  return Date.now() - mtimeMs < deadAfterMs;
}

async function create(file: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx");
    try {
      await handle.writeFile(JSON.stringify(thisOwner()));
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** undefined for a lock whose writer was killed before it said who it is. */
async function readHolder(file: string): Promise<Owner | undefined> {
  try {
    const holder: unknown = JSON.parse(await readFile(file, "utf8"));
    return isOwner(holder) ? holder : undefined;
  } catch {
    return undefined;
  }
}
