/**
 * LMDB maps its lock file, which it makes with a hole, and writes to it through the map: on a full disk the system ends
 * the process for that (SIGBUS), with no message. So the file gets its bytes before LMDB opens it.
 */
import { linkSync, rmSync, type Stats, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppError, systemErrorCode } from "../../../kernel/index.ts";

/** At least what LMDB wants for its header and 1024 readers of 64 bytes. */
const lockBytes = 68 * 1024;
/** More than the holes of a lock file that was made by another version. */
const littleSpace = 1 << 20;

/** @throws DISK_FULL, and the system's own errors */
export function reserveLockFile(folder: string): void {
  const path = join(folder, "lock.mdb");
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    makeWhole(path);
    return;
  }
  const free = freeBytes(folder);
  if (hasHoles(found) && free !== undefined && free < littleSpace)
    throw new AppError("DISK_FULL", `opening the prediction store in ${folder}: the disk is full`);
}

/** Of the file system, for this user; undefined where it does not say. */
export function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return blocks === 0 ? undefined : bavail * bsize;
  } catch {
    return undefined;
  }
}

/** Under another name first: another process may be opening the store, and what it wrote must stay. */
function makeWhole(path: string): void {
  const temporary = `${path}.${process.pid}.new`;
  try {
    writeFileSync(temporary, new Uint8Array(lockBytes), { mode: 0o664 });
    linkSync(temporary, path);
  } catch (error) {
    // Some file systems have no links: LMDB makes the file itself, and there was room for it just now.
    if (!["EEXIST", "EPERM", "ENOTSUP", "ENOSYS", "EMLINK"].includes(systemErrorCode(error) ?? ""))
      throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function hasHoles({ size, blocks }: Stats): boolean {
  return size < lockBytes || blocks * 512 < size;
}
