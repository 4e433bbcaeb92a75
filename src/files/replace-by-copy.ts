/** A copy of a file where another one may be, which is lost neither when copying fails nor when it is the file itself. */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, lstat, rename, rm, stat } from "node:fs/promises";
import { onDisk } from "../kernel/index.ts";

/** Links at `target`, and other names of what is there, are not written through. */
export async function replaceByCopy(source: string, target: string): Promise<void> {
  const [from, there] = await Promise.all([
    stat(onDisk(source)),
    lstat(onDisk(target)).catch(() => undefined),
  ]);
  // A path may have many names: by a link above it, too.
  const isItself = there?.isFile() === true && there.dev === from.dev && there.ino === from.ino;
  if (isItself && there.nlink === 1) return;
  if (there === undefined) return copyFile(onDisk(source), onDisk(target), constants.COPYFILE_FICLONE);
  const copy = `${target}.${randomUUID().slice(0, 8)}.new`;
  try {
    await copyFile(onDisk(source), onDisk(copy), constants.COPYFILE_FICLONE);
    await rename(onDisk(copy), onDisk(target));
  } catch (error) {
    await rm(onDisk(copy), { force: true });
    throw error;
  }
}
