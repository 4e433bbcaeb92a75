/**
 * Copies of inputs, which a task may change as it likes. Times and modes come along (tools compare the times of a file
 * and its index), and the owner may always write: copies of cached files would be read-only as these are.
 *
 * In a folder, links that stay inside it remain links. A link that leads out of it is replaced by a copy of what it
 * leads to: as a link it would let the task write to somebody's file.
 */
import { constants, copyFileSync } from "node:fs";
import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
} from "node:fs/promises";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { type Ask, checkAsk, systemErrorCode } from "../../kernel/index.ts";

/** What is copied at once: a thread's turn would take longer. */
const copiedAtOnceBytes = 64 << 10;

/** @param source without links on its way */
export async function copyInput(source: string, place: string, ask: Ask): Promise<void> {
  await rm(place, { recursive: true, force: true });
  const facts = await stat(source);
  if (facts.isDirectory()) await copyFolder({ source, place, below: "", above: [] }, ask);
  else await copyOne(source, place);
}

/** Shares the blocks of the source where the file system can; false where it cannot. */
export async function cloneInput(source: string, place: string): Promise<boolean> {
  await rm(place, { recursive: true, force: true });
  try {
    await copyFile(source, place, constants.COPYFILE_FICLONE_FORCE);
  } catch (error) {
    await rm(place, { force: true });
    // What else keeps it from being copied is told when it is staged in another way.
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
  await keepFacts(source, place);
  return true;
}

async function copyOne(source: string, place: string): Promise<void> {
  const { size } = await stat(source);
  if (size <= copiedAtOnceBytes) copyFileSync(source, place, constants.COPYFILE_FICLONE);
  else await copyFile(source, place, constants.COPYFILE_FICLONE);
  await keepFacts(source, place);
}

async function keepFacts(source: string, place: string): Promise<void> {
  const facts = await stat(source);
  const mode = (facts.mode & 0o777) | (facts.isDirectory() ? 0o700 : 0o600);
  await chmod(place, mode);
  await utimes(place, facts.atime, facts.mtime);
}

interface FolderCopy {
  /** The folder that is copied, and where to. */
  readonly source: string;
  readonly place: string;
  /** Path of `source` in the folder whose links may stay links. */
  readonly below: string;
  /** Folders on the way here, so that a circle of links ends. */
  readonly above: readonly string[];
}

async function copyFolder({ source, place, below, above }: FolderCopy, ask: Ask): Promise<void> {
  await mkdir(place, { recursive: true });
  const inside = [...above, await realpath(source)];
  for (const entry of await readdir(source, { withFileTypes: true })) {
    checkAsk(ask, `copying ${source}`);
    const from = join(source, entry.name);
    const to = join(place, entry.name);
    const path = join(below, entry.name);
    if (entry.isFile()) await copyOne(from, to);
    else if (entry.isDirectory())
      await copyFolder({ source: from, place: to, below: path, above: inside }, ask);
    else if (entry.isSymbolicLink())
      await copyLink({ source: from, place: to, below: path, above: inside }, ask);
    // Sockets, pipes and devices have no content that could be copied.
  }
  await keepFacts(source, place);
}

async function copyLink({ source, place, below, above }: FolderCopy, ask: Ask): Promise<void> {
  const text = await readlink(source);
  const real = leadsOut(below, text) ? await realpath(source).catch(() => undefined) : undefined;
  // A link that stays inside, or one to nowhere.
  if (real === undefined) return symlink(text, place);
  const facts = await stat(real);
  if (facts.isFile()) return copyOne(real, place);
  if (facts.isDirectory() && !above.includes(real))
    await copyFolder({ source: real, place, below: "", above }, ask);
}

/** Pure: whether the link at a path in a folder names something outside that folder. */
export function leadsOut(path: string, text: string): boolean {
  if (isAbsolute(text)) return true;
  const target = normalize(join(dirname(path), text));
  return target === ".." || target.startsWith("../");
}
