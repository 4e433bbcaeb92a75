/**
 * What a folder holds, as a task can see it: the one model of directories for identity, recording, delivery and copies.
 * Names are texts that keep every byte (`kernel/file-names.ts`), links are links, and nothing is followed, so that a
 * folder cannot contain itself and a few links cannot become millions of members.
 *
 * A link's end decides what a copy of the folder gets in its place: one that stays inside is kept, one that leads out
 * stands for what it leads to.
 */
import { type BigIntStats, constants, realpathSync } from "node:fs";
import { lstat, readdir, readlink, realpath, stat } from "node:fs/promises";
import { posix } from "node:path";
import {
  AppError,
  isIllFormed,
  mapBounded,
  messageOf,
  nameOfBytes,
  onDisk,
  shownName,
  systemErrorCode,
} from "../kernel/index.ts";

/** Where a link leads, links followed. */
export type LinkEnd =
  /** Within the folder; `path` is relative to it, without links; "" is the folder itself. */
  | { readonly kind: "inside"; readonly path: string }
  | { readonly kind: "outside"; readonly location: string; readonly what: "file" | "directory" }
  /** To nothing, or to /dev/null, which holds nothing and is the same everywhere. */
  | { readonly kind: "nowhere" };

export type TreeMember =
  | {
      readonly kind: "file";
      /** Relative to the folder. */
      readonly path: string;
      readonly executable: boolean;
      readonly facts: BigIntStats;
    }
  | {
      readonly kind: "link";
      readonly path: string;
      readonly target: string;
      readonly end: LinkEnd;
      /** Its text alone, read inside the folder, says where it leads: it means the same wherever the folder lies. */
      readonly own: boolean;
    }
  /** A folder with nothing in it; other folders are described by what is in them. */
  | { readonly kind: "empty"; readonly path: string };

export interface TreeLimits {
  readonly members: number;
  readonly depth: number;
}

export const treeLimits: TreeLimits = { members: 1_000_000, depth: 500 };

export interface TreeOrder {
  /** For messages: `fingerprinting /data/d`. */
  readonly doing: string;
  readonly limits?: TreeLimits;
}

/** Members whose facts are asked for at the same time. */
const looksAtOnce = 16;

/**
 * The members of a folder, sorted by path. A folder that is named by a link is that folder.
 * @throws AppError FILE_NOT_FOUND, FILE_NOT_READABLE; FILE_NOT_REGULAR for a pipe, socket or device in it;
 *   DIRECTORY_TOO_LARGE.
 */
export async function readTree(root: string, order: TreeOrder): Promise<readonly TreeMember[]> {
  const limits = order.limits ?? treeLimits;
  const { doing } = order;
  const members: TreeMember[] = [];
  let seen = 0;
  const real = await look(doing, root, () => realPathOf(root));

  async function visit(below: string, depth: number): Promise<void> {
    const folder = below === "" ? real : `${real}/${below}`;
    if (depth > limits.depth)
      throw tooLarge(`${doing}: its folders lie more than ${limits.depth} deep, at ${shown(root, below)}`);
    const names = await look(doing, shown(root, below), () => namesIn(folder));
    seen += names.length;
    if (seen > limits.members) throw tooLarge(`${doing}: it has more than ${limits.members} members`);
    if (names.length === 0 && below !== "") members.push({ kind: "empty", path: below });
    const paths = names.map((name) => (below === "" ? name : `${below}/${name}`));
    const folders: string[] = [];
    await mapBounded(paths, looksAtOnce, async (path) => {
      const at = `${real}/${path}`;
      const facts = await look(doing, shown(root, path), () => lstat(onDisk(at), { bigint: true }));
      if (facts.isDirectory()) folders.push(path);
      else if (facts.isSymbolicLink()) members.push(await linkAt(path, at));
      else if (facts.isFile()) members.push({ kind: "file", path, executable: isProgram(facts), facts });
      else throw notRegular(doing, shown(root, path), facts);
    });
    for (const path of folders) await visit(path, depth + 1);
  }

  async function linkAt(path: string, at: string): Promise<TreeMember> {
    const target = await look(doing, shown(root, path), () => linkTarget(at));
    const end = await endOf(at, path);
    return { kind: "link", path, target, end, own: isOwn(path, target) };
  }

  async function endOf(at: string, path: string): Promise<LinkEnd> {
    const location = await look(doing, shown(root, path), () => realPathOf(at), true);
    if (location === undefined || location === "/dev/null") return { kind: "nowhere" };
    if (location === real) return { kind: "inside", path: "" };
    if (location.startsWith(`${real}/`)) return { kind: "inside", path: location.slice(real.length + 1) };
    const facts = await look(doing, shown(root, path), () => stat(onDisk(location), { bigint: true }), true);
    if (facts === undefined) return { kind: "nowhere" };
    if (facts.isDirectory()) return { kind: "outside", location, what: "directory" };
    if (facts.isFile()) return { kind: "outside", location, what: "file" };
    throw notRegular(doing, `${shown(root, path)}, a link to ${shownName(location)},`, facts);
  }

  await visit("", 0);
  return members.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** What a link that is kept gets as its text in a copy of the folder. */
export function keptTarget(link: Extract<TreeMember, { kind: "link" }>): string {
  if (link.own || link.end.kind !== "inside") return link.target;
  // Its own text leads back to where it was copied from.
  return posix.relative(posix.dirname(`/${link.path}`), `/${link.end.path}`) || ".";
}

/**
 * Whether a relative target stays inside at every step. `..` after a name is doubtful: the name may be a link.
 */
export function isOwn(path: string, target: string): boolean {
  if (target.startsWith("/")) return false;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const up = parts.findIndex((part) => part !== "..");
  const steps = up < 0 ? parts.length : up;
  if (parts.slice(steps).includes("..")) return false;
  return steps <= path.split("/").length - 1;
}

/** The owner may execute it: what a task sees of a file in addition to its bytes. */
export function isProgram(facts: { readonly mode: bigint | number }): boolean {
  return (Number(facts.mode) & 0o100) !== 0;
}

/**
 * Words for what is not a regular file, no folder and no link; undefined for those.
 * @example whatItIs(statSync("/dev/zero")) // "a character device"
 */
export function whatItIs(facts: { readonly mode: bigint | number }): string | undefined {
  switch (Number(facts.mode) & constants.S_IFMT) {
    case constants.S_IFIFO:
      return "a named pipe (FIFO)";
    case constants.S_IFSOCK:
      return "a socket";
    case constants.S_IFCHR:
      return "a character device";
    case constants.S_IFBLK:
      return "a block device";
    default:
      return undefined;
  }
}

export function notRegular(doing: string, name: string, facts: { readonly mode: bigint | number }): AppError {
  const what = whatItIs(facts) ?? "neither a regular file nor a folder";
  return new AppError("FILE_NOT_REGULAR", `${doing}: ${name} is ${what}, expected a regular file`);
}

export async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(onDisk(folder), { encoding: "buffer" });
  return names.map(nameOfBytes);
}

export async function linkTarget(path: string): Promise<string> {
  return nameOfBytes(await readlink(onDisk(path), { encoding: "buffer" }));
}

/** Without links. */
export async function realPathOf(path: string): Promise<string> {
  // Bytes are asked for only where they are needed: the answer for texts is checked for what it could not say.
  const text = isIllFormed(path) ? undefined : await realpath(path);
  if (text !== undefined && !text.includes("\ufffd")) return text;
  return nameOfBytes(await realpath(onDisk(path), { encoding: "buffer" }));
}

/** The same, at once: for the looks at what a task has just left. */
export function realPathOfSync(path: string): string {
  const text = isIllFormed(path) ? undefined : realpathSync.native(path);
  if (text !== undefined && !text.includes("\ufffd")) return text;
  return nameOfBytes(realpathSync.native(onDisk(path), { encoding: "buffer" }));
}

function shown(root: string, below: string): string {
  return shownName(below === "" ? root : `${root}/${below}`);
}

async function look<T>(doing: string, path: string, ask: () => Promise<T>): Promise<T>;
async function look<T>(
  doing: string,
  path: string,
  ask: () => Promise<T>,
  mayLack: true,
): Promise<T | undefined>;
async function look<T>(
  doing: string,
  path: string,
  ask: () => Promise<T>,
  mayLack?: true,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const nothing = code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP";
    if (mayLack === true && nothing) return undefined;
    if (code === "ENAMETOOLONG")
      throw tooLarge(`${doing}: the path of ${path.slice(0, 200)}… is longer than the system allows`, error);
    const kind = nothing ? "FILE_NOT_FOUND" : "FILE_NOT_READABLE";
    throw new AppError(kind, `${doing}: looking at ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function tooLarge(words: string, cause?: unknown): AppError {
  return new AppError("DIRECTORY_TOO_LARGE", words, cause === undefined ? {} : { cause });
}
