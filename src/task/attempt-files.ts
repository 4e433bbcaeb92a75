/**
 * The files of a finished attempt, as its task saw them. Collectors of outputs know nothing else of where a task ran:
 * it may have been another machine.
 *
 * A path is one of the task: absolute (`/mnt/memoir/work/x`, `/mnt/memoir/stdout`, or any other place in the file
 * system of its container), or relative to its working directory. Links are followed as the task would have followed
 * them. Names are texts that keep every byte (`kernel/file-names.ts`).
 */
import type { TaskPath } from "../kernel/index.ts";
import type { StoredContent } from "./stored-content.ts";

export type AttemptStat =
  | { readonly kind: "file"; readonly sizeBytes: number; readonly executable: boolean }
  | { readonly kind: "directory" }
  /** `what`: `a named pipe (FIFO)` and the like. Never opened. */
  | { readonly kind: "special"; readonly what: string };

export interface AttemptMember {
  readonly name: string;
  readonly kind: "file" | "directory" | "link" | "special";
}

/** All methods throw AttemptProblem for a path that leads to what is not the task's. */
export interface AttemptFiles {
  /** What the path leads to; undefined = nothing. */
  stat(path: string): Promise<AttemptStat | undefined>;
  /** Bytes [start, end) of a regular file, all of it without a range; fewer where it ends before. */
  read(path: string, range?: { readonly start: number; readonly end: number }): Promise<Uint8Array>;
  /** As UTF-8. Paths that the task saw elsewhere, for lack of mounts, are shown below the task root. */
  readText(path: string): Promise<string>;
  /** Members of a folder, sorted by code unit; undefined = no folder. */
  list(path: string): Promise<readonly AttemptMember[] | undefined>;
  /** The text of a link; undefined = no link. */
  readLink(path: string): Promise<string | undefined>;
  /**
   * Where the bytes are: a host path, or an object of a store. A directory there holds all that it leads to: links that
   * lead out of it have been replaced by what the task found there. Throws AttemptProblem when nothing is there, or
   * what is not a regular file.
   */
  locationOf(path: string): Promise<string>;
  /** The path in the task of an input that has this location, or is in one; undefined for all others. */
  pathOf(location: string): string | undefined;
  /** What is at an answer of `locationOf` that is not a host path. Absent where all of them are. */
  contentAt?(location: string): StoredContent | undefined;
  /**
   * Makes what expressions made up, in its own folder where the task has none; answers the folder's path. Folders
   * come before what is put into them.
   */
  make(members: readonly MadeMember[]): Promise<TaskPath>;
}

/** `path` is relative to the folder that is made. */
export type MadeMember =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "text"; readonly path: string; readonly content: string }
  /** A file or directory of the task. */
  | { readonly kind: "copy"; readonly path: string; readonly from: string };

/** A path does not lead where it may, or to what it should: an error of the task or of whoever named the path. */
export class AttemptProblem extends Error {
  override readonly name = "AttemptProblem";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
