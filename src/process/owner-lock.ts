/** A lock file that says which process holds it, and is taken over when that process lives no more. */
import { createHash, randomBytes } from "node:crypto";
import { link, readFile, unlink, utimes, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { systemErrorCode } from "../kernel/index.ts";
import { isOwner, lifeOf, type Owner, thisOwner } from "./owner.ts";

const attempts = 20;
const pauseMs = 25;

export interface OwnerLock {
  readonly isTaken: true;
  /** Shows those who cannot see this process that it lives. */
  beat(): Promise<void>;
  /** Leaves the lock of another that has taken this one over. */
  release(): Promise<void>;
}

/** `holder` is undefined when several took it at the same moment. */
export type LockAnswer = OwnerLock | { readonly isTaken: false; readonly holder: Owner | undefined };

/**
 * `isHeld` judges a lock that is there. Of several processes that find the lock of a dead one, exactly one takes it
 * over: who removes a lock holds a second one, named by the first one's content, while it looks again and removes.
 * @throws ENOENT when the folder is not there, EACCES and the like.
 */
export async function takeOwnerLock(
  file: string,
  isHeld: (holder: Owner, file: string) => Promise<boolean>,
): Promise<LockAnswer> {
  const text = JSON.stringify({ ...thisOwner(), id: randomBytes(9).toString("hex") });
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await createWhole(file, text)) return lockOf(file, text);
    const found = await contentOf(file);
    if (found === undefined) continue;
    if (found.holder !== undefined && (await isHeld(found.holder, file)))
      return { isTaken: false, holder: found.holder };
    await takeAway(file, found.text);
  }
  return { isTaken: false, holder: undefined };
}

function lockOf(file: string, text: string): OwnerLock {
  return {
    isTaken: true,
    beat: async () => {
      const now = new Date();
      await utimes(file, now, now).catch(() => undefined);
    },
    release: () => removeIf(file, text),
  };
}

async function takeAway(file: string, text: string): Promise<void> {
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 16);
  // Lives for moments only, so of one on another machine it is enough to wait.
  const turn = await takeOwnerLock(`${file}-after-${digest}`, async (holder) => lifeOf(holder) !== "dead");
  if (!turn.isTaken) {
    await pause(pauseMs);
    return;
  }
  try {
    await removeIf(file, text);
  } finally {
    await turn.release();
  }
}

async function removeIf(file: string, text: string): Promise<void> {
  if ((await textOf(file)) === text) await unlink(file).catch(() => undefined);
}

/** A lock that is there without its content would look like one that a crash left. */
async function createWhole(file: string, text: string): Promise<boolean> {
  const temporary = `${file}-${randomBytes(6).toString("hex")}`;
  await writeFile(temporary, text, { flag: "wx" });
  try {
    await link(temporary, file);
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "EEXIST") return false;
    if (code === undefined || !["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code))
      throw error;
    return await createWithoutLinks(file, text);
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

async function createWithoutLinks(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** undefined when there is none any more; no `holder` for one whose writer was killed before it said who it is. */
async function contentOf(file: string): Promise<{ text: string; holder?: Owner } | undefined> {
  for (let look = 0; ; look++) {
    const text = await textOf(file);
    if (text === undefined) return undefined;
    const holder = ownerIn(text);
    if (holder !== undefined) return { text, holder };
    // Without hard links it is written where it lies.
    if (look === 2) return { text };
    await pause(pauseMs);
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function ownerIn(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isOwner(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
