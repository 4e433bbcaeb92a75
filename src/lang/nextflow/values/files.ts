/**
 * What scripts may do to files. Scripts read files in the middle of expressions, so this answers at once; what it lets
 * them reach is decided by whoever makes it.
 */
export interface ScriptFiles {
  /** Where relative paths start. Absolute. */
  readonly launchDir: string;
  /** Scripts may read it: the run has made it. */
  admit(path: string): void;
  /** Scripts may write to an absolute folder of the run, until what is answered is called. */
  lend(folder: string): () => void;
  /** What the path leads to; undefined = nothing. */
  stat(path: string): ScriptFileStat | undefined;
  /** Whether the path itself is a link. */
  isLink(path: string): boolean;
  /** Names directly in a folder, sorted by code unit. */
  list(path: string): readonly string[];
  /** `most`: no more than so many from its start. */
  readBytes(path: string, most?: number): Uint8Array;
  write(path: string, content: string | Uint8Array, how: "replace" | "append"): void;
  makeFolders(path: string): void;
  /** With all that is in it. */
  remove(path: string): boolean;
  copy(from: string, to: string): void;
  move(from: string, to: string): void;
  link(target: string, at: string, how: "symbolic" | "hard"): void;
  /** Of an existing path, with all links followed. */
  realPath(path: string): string;
}

export interface ScriptFileStat {
  readonly kind: "file" | "directory";
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}
