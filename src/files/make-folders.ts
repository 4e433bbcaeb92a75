/**
 * Folders with all that are missing above them. Node's own `recursive` mode tries for ever where the system answers
 * "no such file" for good although the parent is there, as it does below /proc: a home that was set by mistake would
 * hang the program.
 */
import { mkdirSync, statSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { AppError, onDisk, systemErrorCode } from "../kernel/index.ts";

/** Permission bits, as `mkdir` takes them. Default: what the process's umask leaves of 0o777. */
export interface FolderOptions {
  readonly mode?: number;
}

/** A parent may be removed again by somebody else; where it is there and this many tries fail, nothing helps. */
const tries = 5;

/**
 * Makes `path` and the folders above it that are missing. Answers the topmost one that was made; undefined = all were
 * there. Throws FILE_NOT_WRITABLE where nothing can be made, and the system's own errors as they come.
 */
export async function makeFolders(path: string, options: FolderOptions = {}): Promise<string | undefined> {
  const folder = resolve(path);
  let first: string | undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      await mkdir(onDisk(folder), options);
      return first ?? folder;
    } catch (error) {
      if (await isFolder(folder)) return first;
      if (systemErrorCode(error) !== "ENOENT") throw error;
      if (attempt === tries) throw refused(folder, error);
      first = (await makeFolders(dirname(folder), options)) ?? first;
    }
  }
}

/** The same, for code that cannot wait. */
export function makeFoldersSync(path: string, options: FolderOptions = {}): string | undefined {
  const folder = resolve(path);
  const parent = dirname(folder);
  // Asked before: an error for every folder that is missing would cost more than all the rest.
  let first =
    statSync(onDisk(parent), { throwIfNoEntry: false }) === undefined
      ? makeFoldersSync(parent, options)
      : undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      mkdirSync(onDisk(folder), options);
      return first ?? folder;
    } catch (error) {
      if (isFolderSync(folder)) return first;
      if (systemErrorCode(error) !== "ENOENT") throw error;
      if (attempt === tries) throw refused(folder, error);
      first = makeFoldersSync(dirname(folder), options) ?? first;
    }
  }
}

function refused(folder: string, cause: unknown): AppError {
  const words = `making the folder ${folder}: the system lets nothing be made in ${dirname(folder)}`;
  return new AppError("FILE_NOT_WRITABLE", words, { cause });
}

async function isFolder(path: string): Promise<boolean> {
  return stat(onDisk(path)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function isFolderSync(path: string): boolean {
  return statSync(onDisk(path), { throwIfNoEntry: false })?.isDirectory() ?? false;
}
