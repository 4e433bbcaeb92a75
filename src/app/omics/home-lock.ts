/** One server per home: two would resume the same runs. A lock of a process that no longer exists is taken over. */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { AppError } from "../../kernel/index.ts";
import { lifeOf, type Owner, takeOwnerLock } from "../../process/index.ts";

/** A holder on another machine (or in another container) shows at regular intervals that it is alive. */
const aliveEveryMs = 20_000;
const deadAfterMs = 90_000;

/** Returns the function that releases the lock; throws SERVER_HOME_IN_USE. */
export async function lockHome(file: string): Promise<() => Promise<void>> {
  await makeFolders(dirname(file));
  const lock = await takeOwnerLock(file, lives);
  if (!lock.isTaken)
    throw new AppError(
      "SERVER_HOME_IN_USE",
      lock.holder === undefined
        ? `starting the server: others start at the same time on ${file}`
        : `starting the server: process ${lock.holder.pid} on ${lock.holder.host} serves ${dirname(file)} already`,
    );
  const timer = setInterval(() => void lock.beat(), aliveEveryMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    return lock.release();
  };
}

async function lives(holder: Owner, file: string): Promise<boolean> {
  const life = lifeOf(holder);
  if (life !== "elsewhere") return life === "alive";
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: 0 }));
  return Date.now() - mtimeMs < deadAfterMs;
}
