/**
 * Places that a program names and the run writes to: published results, files that the program makes itself. Every file
 * is made under another name in its folder and takes its own when it is whole. Folders are opened without following
 * links out of what the run may write to; what is Memoir's own, and what this run was given as an input, is refused.
 */
import { constants, lstatSync, statSync } from "node:fs";
import { chmod, copyFile, open, rename, rm } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize } from "node:path";
import { ConfinedFolder, followLinks, type HeldFolder, makeFolders } from "../files/index.ts";
import { AppError, isAppError, messageOf, onDisk, systemErrorCode } from "../kernel/index.ts";
import { isRemote } from "../keys/index.ts";
import type { Reach } from "../lang/core/index.ts";

export interface WritingPlacesParts {
  /** Below it the run writes what only lives as long as itself. */
  readonly scratch: string;
  readonly reach?: Reach;
  /** Of paths without links. */
  readonly isOwn: (path: string) => boolean;
  readonly isInput: (path: string) => Promise<boolean>;
}

/** A place for one file; closed by whoever opened it. */
export interface WritingPlace {
  /** As the program named it. */
  readonly target: string;
  /** For looking at what is there; only valid until `close`. */
  readonly path: string;
  /** Makes the file: `make` fills a path where nothing is. */
  fill(make: (temporary: string) => Promise<void>): Promise<void>;
  close(): void;
}

export class WritingPlaces {
  readonly #parts: WritingPlacesParts;
  #temporaries = 0;

  constructor(parts: WritingPlacesParts) {
    this.#parts = parts;
  }

  /** Folders on the way are made. Throws FILE_OUT_OF_REACH, and FILE_NOT_WRITABLE where a folder has that name. */
  async open(asked: string): Promise<WritingPlace> {
    const target = checkedTarget(asked);
    const name = basename(target);
    const real = await this.#real(target);
    try {
      const folder = await this.#hold(dirname(target), real);
      return {
        target,
        path: join(folder.path, name),
        fill: (make) => this.#fill({ target, real, folder, name }, make),
        close: () => folder.close(),
      };
    } catch (error) {
      throw writeError(target, error);
    }
  }

  /** Makes a folder where the run may. */
  async makeFolder(asked: string): Promise<void> {
    const target = checkedTarget(asked);
    try {
      (await this.#hold(target, await this.#real(target))).close();
    } catch (error) {
      throw writeError(target, error);
    }
  }

  /** Links on the way followed, but not at the end: a link there is replaced itself. */
  async #real(target: string): Promise<string> {
    const folder = await followLinks(dirname(target));
    if (folder === undefined)
      throw new AppError("FILE_NOT_WRITABLE", `writing ${target}: links on its path form a cycle`);
    return join(folder, basename(target));
  }

  async #hold(path: string, real: string): Promise<HeldFolder> {
    const { scratch, reach, isOwn } = this.#parts;
    const own = await followLinks(scratch);
    const inScratch = own !== undefined && real.startsWith(`${own}/`);
    if (!inScratch && isOwn(real))
      throw new AppError(
        "FILE_OUT_OF_REACH",
        `writing ${path}: it is in a folder where Memoir keeps results`,
      );
    const within = inScratch ? own : await reach?.writableRoot(path);
    if (within === undefined) {
      await makeFolders(path);
      return { path, close: () => {} };
    }
    await makeFolders(within);
    const held = await new ConfinedFolder({ within, path }).hold([], "make");
    if (held === undefined) throw new AppError("FILE_NOT_WRITABLE", `writing to ${path}: it cannot be made`);
    return held;
  }

  async #fill(
    place: {
      readonly target: string;
      readonly real: string;
      readonly folder: HeldFolder;
      readonly name: string;
    },
    make: (temporary: string) => Promise<void>,
  ): Promise<void> {
    const { target, real, folder, name } = place;
    const path = join(folder.path, name);
    const found = lstatSync(onDisk(path), { throwIfNoEntry: false });
    if (found?.isDirectory() === true)
      throw new AppError("FILE_NOT_WRITABLE", `writing ${target}: a folder has this name`);
    if (found !== undefined && (await this.#parts.isInput(real)))
      throw new AppError(
        "FILE_NOT_WRITABLE",
        `writing ${target}: this run reads that file as an input, so it is not replaced`,
      );
    // Short, since the name itself may be as long as names get.
    const temporary = join(folder.path, `.memoir-${process.pid}-${this.#temporaries++}`);
    try {
      await make(temporary);
      await rename(onDisk(temporary), onDisk(path));
    } catch (error) {
      await rm(onDisk(temporary), { force: true, recursive: true }).catch(() => {});
      throw writeError(target, error);
    }
  }
}

/** Writes pieces to a new file, which is on disk when this resolves. */
export async function writeWhole(path: string, content: string | AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(onDisk(path), "wx", 0o666);
  try {
    if (typeof content === "string") await file.writeFile(content);
    else for await (const piece of content) await file.writeFile(piece);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Recorded files are read-only; the copy belongs to whoever asked for it. */
export async function copyWhole(source: string, temporary: string): Promise<void> {
  await copyFile(onDisk(source), onDisk(temporary), constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  await chmod(onDisk(temporary), (statSync(onDisk(source)).mode & 0o777) | 0o200);
  const file = await open(onDisk(temporary), "r+");
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

function checkedTarget(asked: string): string {
  if (isRemote(asked))
    throw new AppError("FILE_NOT_WRITABLE", `writing ${asked}: results are written to local folders`);
  if (!isAbsolute(asked) || asked.includes("\0") || normalize(asked) === "/")
    throw new AppError("FILE_NOT_WRITABLE", `writing ${asked}: expected the absolute path of a file`);
  return normalize(asked).replace(/\/+$/, "");
}

export function writeError(target: string, error: unknown): AppError {
  if (isAppError(error)) return error;
  const code = systemErrorCode(error);
  const words = `writing ${target}: ${messageOf(error)}`;
  return new AppError(code === "ENOSPC" || code === "EDQUOT" ? "DISK_FULL" : "FILE_NOT_WRITABLE", words, {
    cause: error,
  });
}
