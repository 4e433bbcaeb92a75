/**
 * Folders below a folder that nobody gets out of by a link. A name is checked and then used, and between the two somebody
 * may put a link in its place; so folders are opened one by one without following links, and what is in them is named
 * by the open folder (`/proc/self/fd/…`) instead of by a path. Where the system has no such names, paths are checked
 * right before they are used.
 */
import { closeSync, constants, existsSync, fsyncSync, lstatSync, mkdirSync, openSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { AppError, onDisk, systemErrorCode } from "../kernel/index.ts";
import { followLinks } from "./follow-links.ts";
import { realPathOfSync } from "./tree.ts";

/** A folder that is held open; `path` names it until it is closed. */
export interface HeldFolder {
  readonly path: string;
  close(): void;
}

const byDescriptor = existsSync("/proc/self/fd");
const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

export class ConfinedFolder {
  readonly #within: string;
  /** As messages name it. */
  readonly #path: string;

  /** `path` is a folder that has to be below `within`, links followed. Both absolute. */
  constructor(options: { readonly within: string; readonly path: string }) {
    this.#within = options.within;
    this.#path = options.path;
  }

  /**
   * The folder with these names below it; undefined = not there. `make`: made with all that is missing.
   * @throws AppError FILE_OUT_OF_REACH
   */
  async hold(names: readonly string[], make: "make" | "if there"): Promise<HeldFolder | undefined> {
    const [top, wanted] = [await followLinks(this.#within), await followLinks(this.#path)];
    if (top === undefined || wanted === undefined || !`${wanted}/`.startsWith(`${top}/`))
      throw this.#refusal();
    const parts = [...relative(top, wanted).split("/"), ...names].filter((part) => part !== "");
    return byDescriptor ? this.#holdOpen(top, parts, make) : this.#holdPath(top, parts, make);
  }

  /** For who has to use a path: that no link on its way, or at its end, leads out right now. */
  check(path: string): void {
    const top = realPathOfSync(this.#within);
    for (let at = path; ; at = dirname(at)) {
      const found = lstatSync(onDisk(at), { throwIfNoEntry: false });
      if (found === undefined) continue;
      const real = realOrNothing(at);
      if (real === undefined || !`${real}/`.startsWith(`${top}/`)) throw this.#refusal();
      return;
    }
  }

  #holdOpen(top: string, parts: readonly string[], make: "make" | "if there"): HeldFolder | undefined {
    let fd = openSync(top, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      for (const part of parts) {
        const next = this.#step(named(fd), part, make, (path) => openSync(onDisk(path), folderFlags));
        if (next === undefined) {
          closeSync(fd);
          return undefined;
        }
        closeSync(fd);
        fd = next;
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return { path: named(fd), close: () => closeSync(fd) };
  }

  #holdPath(top: string, parts: readonly string[], make: "make" | "if there"): HeldFolder | undefined {
    let path = top;
    for (const part of parts) {
      const next = this.#step(path, part, make, (each) => {
        const found = lstatSync(onDisk(each));
        if (found.isSymbolicLink()) throw this.#refusal();
        return each;
      });
      if (next === undefined) return undefined;
      path = next;
    }
    return { path, close: () => {} };
  }

  /** undefined = not there, and not to be made. */
  #step<T>(
    folder: string,
    part: string,
    make: "make" | "if there",
    enter: (path: string) => T,
  ): T | undefined {
    const path = join(folder, part);
    for (let tries = 0; ; tries++) {
      try {
        return enter(path);
      } catch (error) {
        const code = systemErrorCode(error);
        if (code === "ELOOP" || (code === "ENOTDIR" && isLink(path))) throw this.#refusal();
        // Below a file there is nothing.
        const isMissing = code === "ENOENT" || (code === "ENOTDIR" && make === "if there");
        if (!isMissing) throw error;
        if (make === "if there") return undefined;
        if (tries > 2) throw error;
      }
      try {
        mkdirSync(onDisk(path));
        flush(folder);
      } catch (error) {
        if (systemErrorCode(error) !== "EEXIST") throw error;
      }
    }
  }

  #refusal(): AppError {
    return new AppError("FILE_OUT_OF_REACH", `using ${this.#path}: it leads out of ${this.#within}`);
  }
}

/** So that the new folder survives a power cut, where the file system can promise that. */
function flush(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EPERM", "EISDIR"].includes(systemErrorCode(error) ?? "")) throw error;
  } finally {
    closeSync(fd);
  }
}

function named(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

function realOrNothing(path: string): string | undefined {
  try {
    return realPathOfSync(path);
  } catch {
    return undefined;
  }
}

function isLink(path: string): boolean {
  return lstatSync(onDisk(path), { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/**
 * One file in a held folder, to be read by the path that `use` gets; undefined = not there.
 * @throws the system's ELOOP where it is a link
 */
export async function withHeldFile<T>(
  folder: HeldFolder,
  name: string,
  use: (path: string) => Promise<T>,
): Promise<T | undefined> {
  const path = join(folder.path, name);
  if (!byDescriptor) {
    if (isLink(path)) throw Object.assign(new Error(`${name} is a link`), { code: "ELOOP" });
    return use(path);
  }
  let fd: number;
  try {
    // A pipe would wait for ever.
    fd = openSync(onDisk(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    return await use(named(fd));
  } finally {
    closeSync(fd);
  }
}
