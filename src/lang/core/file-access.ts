/** Files as a program sees them outside its tasks. */
import type { Ask } from "../../kernel/index.ts";

/** Files at workflow scope, where no task runs: reading outputs of tasks, writing small files. */
export interface FileAccess {
  /** undefined = not there. */
  stat(
    location: string,
    ask: Ask,
  ): Promise<{ readonly kind: "file" | "directory"; readonly sizeBytes: number } | undefined>;
  readText(location: string, ask: Ask): Promise<string>;
  /**
   * Where the bytes of a file or folder can be read on this machine: the path itself for a file of the user, for others
   * once they are here and found right. Absent where files are only those on this machine.
   */
  hostPath?(location: string, ask: Ask): Promise<string>;
  /** Names directly below a directory, sorted by code unit; `link`: of what a link leads to, "file" for nowhere. */
  list(
    location: string,
    ask: Ask,
  ): Promise<readonly { readonly name: string; readonly kind: "file" | "directory"; readonly link?: true }[]>;
  /** The bytes of a file in pieces, or of a part of it: from `start` to before `end`. */
  read(
    location: string,
    ask: Ask,
    range?: { readonly start: number; readonly end: number },
  ): AsyncIterable<Uint8Array>;
  /**
   * What matches a pattern (`globPattern`) in a folder, by paths relative to it, sorted by code unit. Names that begin
   * with a dot are found where a part of the pattern does, or with `hidden`. A folder that is not there holds nothing.
   */
  glob(folder: string, pattern: string, options: GlobOptions, ask: Ask): Promise<readonly GlobMatch[]>;
  /**
   * Copies a file or folder to an absolute path where the run may write; folders on the way are made. A file that is
   * there is replaced as a whole, a folder merged.
   */
  copy(location: string, target: string, ask: Ask): Promise<void>;
  /** Writes a file at an absolute path where the run may write; it takes its name when it is whole. */
  writeTo(target: string, content: string | AsyncIterable<Uint8Array>, ask: Ask): Promise<void>;
  /** Makes a folder at an absolute path where the run may write, with the folders on the way. */
  makeFolder(target: string, ask: Ask): Promise<void>;
  /** Keeps a small file under the run's folder, named by content; answers its location. */
  write(basename: string, content: string, ask: Ask): Promise<string>;
  /**
   * Whether Memoir keeps results at a path without links, or below it: nothing of a program may change what is there.
   * Absent where nothing is kept.
   */
  keeps?(path: string): boolean;
  /** A folder of the run for things that only have to live as long as the run. Absolute. */
  readonly scratch: string;
}

export interface GlobOptions {
  readonly kinds: "files" | "directories" | "any";
  /** Default false: names that begin with a dot are found only by a pattern that names the dot. */
  readonly hidden?: boolean;
  /** Default true. */
  readonly followLinks?: boolean;
  /** Folders below the first one that are looked into. Default: all. */
  readonly maxDepth?: number;
}

export interface GlobMatch {
  /** Relative to the folder. */
  readonly path: string;
  readonly location: string;
  readonly kind: "file" | "directory";
}
