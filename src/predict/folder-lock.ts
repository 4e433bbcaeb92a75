/** A file `lock` in a folder that one run at a time works in. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../kernel/index.ts";
import { lifeOf, type Owner, type OwnerLock, takeOwnerLock } from "../process/index.ts";

/** Of a run on another machine only the age of its lock is known; `holdFolder` renews it. */
const elsewhereMs = 5 * 60_000;
const renewMs = 60_000;

/** A lock whose holder does not live any more was left by a crash. `doing` begins the message. */
export async function lockFolder(
  folder: string,
  doing: string,
  elsewhere: "taken" | "fresh" = "taken",
): Promise<OwnerLock> {
  const isHeld = async (holder: Owner, file: string) => {
    const life = lifeOf(holder);
    if (life === "elsewhere") return elsewhere === "fresh" && (await isFresh(file));
    return life === "alive" && holder.pid !== process.pid;
  };
  const lock = await takeOwnerLock(join(folder, "lock"), isHeld);
  if (lock.isTaken) return lock;
  throw new AppError("PREDICT_OUTPUT_BUSY", `${doing}: ${describe(lock.holder)}`);
}

function describe(holder: Owner | undefined): string {
  if (holder === undefined) return "another run took it at the same moment";
  return lifeOf(holder) === "elsewhere"
    ? `a run on ${holder.host} is writing it`
    : `the run with process id ${holder.pid} is writing it`;
}

/** Locks a folder that several machines share, until `release`. */
export async function holdFolder(folder: string, doing: string): Promise<{ release(): Promise<void> }> {
  const lock = await lockFolder(folder, doing, "fresh");
  const timer = setInterval(() => void lock.beat(), renewMs).unref();
  return {
    release: () => {
      clearInterval(timer);
      return lock.release();
    },
  };
}

async function isFresh(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs < elsewhereMs;
}
