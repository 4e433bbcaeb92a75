/**
 * Copies of inputs, which a task may change as it likes. Times and modes come along (tools compare the times of a file
 * and its index), and the owner may always write: copies of cached files would be read-only as these are.
 *
 * In a folder, links that stay inside it remain links. A link that leads out of it is replaced by a copy of what it
 * leads to: as a link it would let the task write to somebody's file.
 */
import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { chmod, copyFile, rm, stat, utimes } from "node:fs/promises";
import { copyTree } from "../../files/index.ts";
import { type Ask, checkAsk, onDisk, shownName, systemErrorCode } from "../../kernel/index.ts";

/** What is copied at once: a thread's turn would take longer. */
const copiedAtOnceBytes = 64 << 10;

/**
 * @param source without links on its way
 * @param facts of the source
 */
export async function copyInput(source: string, facts: Stats, place: string, ask: Ask): Promise<void> {
  clearPlace(place);
  if (!facts.isDirectory()) return copyOne(source, facts, place);
  const placeFile = (from: string, to: string) => {
    checkAsk(ask, `copying ${source}`);
    return copyOne(from, statSync(onDisk(from)), to);
  };
  await copyTree(source, place, { doing: `copying ${shownName(source)}`, place: placeFile });
  await keepFacts(facts, place);
}

/** Nothing is at `place` afterwards. Nearly always nothing was, and looking costs less than removing. */
export function clearPlace(place: string): void {
  const path = onDisk(place);
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
    rmSync(path, { recursive: true, force: true });
}

/** A link at `place`, instead of whatever is there. */
export function placeLinkTo(source: string, place: string): void {
  clearPlace(place);
  symlinkSync(onDisk(source), onDisk(place));
}

/** An empty file or folder that something can be mounted on. */
export function placeMountPoint(place: string, kind: "file" | "directory"): void {
  clearPlace(place);
  if (kind === "directory") mkdirSync(onDisk(place));
  else writeFileSync(onDisk(place), "");
}

/** Shares the blocks of the source where the file system can; false where it cannot. */
export async function cloneInput(source: string, place: string): Promise<boolean> {
  clearPlace(place);
  try {
    await copyFile(onDisk(source), onDisk(place), constants.COPYFILE_FICLONE_FORCE);
  } catch (error) {
    await rm(onDisk(place), { force: true });
    // Any other reason why it cannot be copied is reported when it is staged in another way.
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
  await keepFacts(await stat(onDisk(source)), place);
  return true;
}

async function copyOne(source: string, facts: Stats, place: string): Promise<void> {
  const [from, to] = [onDisk(source), onDisk(place)];
  if (facts.size > copiedAtOnceBytes) {
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    return keepFacts(facts, place);
  }
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  // The copy has the mode of its source.
  const mode = modeOf(facts);
  if (mode !== (facts.mode & 0o7777)) chmodSync(to, mode);
  utimesSync(to, facts.atime, facts.mtime);
}

async function keepFacts(facts: Stats, place: string): Promise<void> {
  await chmod(onDisk(place), modeOf(facts));
  await utimes(onDisk(place), facts.atime, facts.mtime);
}

function modeOf(facts: Stats): number {
  return (facts.mode & 0o777) | (facts.isDirectory() ? 0o700 : 0o600);
}
