/** A file `lock` in a folder that one run at a time works in. */
import { randomBytes } from "node:crypto";
import { link, readFile, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError, systemErrorCode } from "../kernel/index.ts";
import { isOwner, lifeOf, type Owner, thisOwner } from "../process/index.ts";

/** Of a run on another machine only the age of its lock is known; `holdFolder` renews it. */
const elsewhereMs = 5 * 60_000;
const renewMs = 60_000;

/** A lock whose holder does not live any more was left by a crash. `doing` begins the message. */
export async function lockFolder(
  folder: string,
  doing: string,
  elsewhere: "taken" | "fresh" = "taken",
): Promise<void> {
  const file = join(folder, "lock");
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await createWhole(file, JSON.stringify(thisOwner()));
      return;
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
      const holder = await holderOf(file);
      if (holder !== undefined && holder.pid !== process.pid && lifeOf(holder) === "alive")
        throw new AppError(
          "PREDICT_OUTPUT_BUSY",
          `${doing}: the run with process id ${holder.pid} is writing it`,
        );
      if (
        holder !== undefined &&
        elsewhere === "fresh" &&
        lifeOf(holder) === "elsewhere" &&
        (await isFresh(file))
      )
        throw new AppError("PREDICT_OUTPUT_BUSY", `${doing}: a run on ${holder.host} is writing it`);
      await unlink(file).catch(() => undefined);
    }
  }
  throw new AppError("PREDICT_OUTPUT_BUSY", `${doing}: another run took it at the same moment`);
}

/** A lock that is there without its content would look like one that a crash left. @throws EEXIST */
async function createWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}-${randomBytes(6).toString("hex")}`;
  await writeFile(temporary, text, { flag: "wx" });
  try {
    await link(temporary, file);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined || !["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code))
      throw error;
    // A file system without hard links.
    await writeFile(file, text, { flag: "wx" });
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

/** Locks a folder that several machines share, until `release`. */
export async function holdFolder(folder: string, doing: string): Promise<{ release(): Promise<void> }> {
  await lockFolder(folder, doing, "fresh");
  const file = join(folder, "lock");
  const timer = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, renewMs).unref();
  return {
    release: async () => {
      clearInterval(timer);
      await unlink(file).catch(() => undefined);
    },
  };
}

async function isFresh(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs < elsewhereMs;
}

/** undefined for a lock whose writer was killed before it said who it is. */
async function holderOf(file: string): Promise<Owner | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    return isOwner(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
