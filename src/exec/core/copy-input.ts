/**
 * Copies of inputs, which a task may change as it likes. Times and modes come along (tools compare the times of a file
 * and its index), and the owner may always write: copies of cached files would be read-only as these are.
 *
 * In a folder, links that stay inside it remain links. A link that leads out of it is replaced by a copy of what it
 * leads to: as a link it would let the task write to somebody's file.
 */
import { constants, copyFileSync } from "node:fs";
import { chmod, copyFile, rm, stat, utimes } from "node:fs/promises";
import { copyTree } from "../../files/index.ts";
import { type Ask, checkAsk, onDisk, shownName, systemErrorCode } from "../../kernel/index.ts";

/** What is copied at once: a thread's turn would take longer. */
const copiedAtOnceBytes = 64 << 10;

/** @param source without links on its way */
export async function copyInput(source: string, place: string, ask: Ask): Promise<void> {
  await rm(onDisk(place), { recursive: true, force: true });
  const facts = await stat(onDisk(source));
  if (!facts.isDirectory()) return copyOne(source, place);
  const placeFile = (from: string, to: string) => {
    checkAsk(ask, `copying ${source}`);
    return copyOne(from, to);
  };
  await copyTree(source, place, { doing: `copying ${shownName(source)}`, place: placeFile });
  await keepFacts(source, place);
}

/** Shares the blocks of the source where the file system can; false where it cannot. */
export async function cloneInput(source: string, place: string): Promise<boolean> {
  await rm(onDisk(place), { recursive: true, force: true });
  try {
    await copyFile(onDisk(source), onDisk(place), constants.COPYFILE_FICLONE_FORCE);
  } catch (error) {
    await rm(onDisk(place), { force: true });
    // Any other reason why it cannot be copied is reported when it is staged in another way.
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
  await keepFacts(source, place);
  return true;
}

async function copyOne(source: string, place: string): Promise<void> {
  const { size } = await stat(onDisk(source));
  const [from, to] = [onDisk(source), onDisk(place)];
  if (size <= copiedAtOnceBytes) copyFileSync(from, to, constants.COPYFILE_FICLONE);
  else await copyFile(from, to, constants.COPYFILE_FICLONE);
  await keepFacts(source, place);
}

async function keepFacts(source: string, place: string): Promise<void> {
  const facts = await stat(onDisk(source));
  const mode = (facts.mode & 0o777) | (facts.isDirectory() ? 0o700 : 0o600);
  await chmod(onDisk(place), mode);
  await utimes(onDisk(place), facts.atime, facts.mtime);
}
