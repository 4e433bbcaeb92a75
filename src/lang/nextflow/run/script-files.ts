/**
 * Local files for scripts: the only `ScriptFiles` that touches the disk. It is not built over `FileAccess`, which is
 * asynchronous, because scripts read files in the middle of expressions. Nothing is written but below the folders of
 * the run.
 */
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { systemErrorCode } from "../../../kernel/index.ts";
import type { ScriptFiles } from "../values/files.ts";
import { fail } from "../values/throwable.ts";

/** A text cannot be longer. */
const mostReadBytes = 500 * 2 ** 20;

export interface ScriptFilesOptions {
  readonly launchDir: string;
  /** Absolute folders below which scripts may write, move and delete. */
  readonly writable: readonly string[];
  /**
   * Absolute files and folders that scripts may read, where they are other people's: they also delete and move nothing
   * that they have not made, but below `own`. Default: everything.
   */
  readonly readable?: readonly string[];
  /** Absolute folders of the run itself. */
  readonly own?: readonly string[];
}

export function scriptFiles(options: ScriptFilesOptions): ScriptFiles {
  const readable = (options.readable ?? []).map((each) => real(each));
  const writable = options.writable.map((each) => real(each));
  const seen = (path: string) => {
    if (options.readable === undefined) return path;
    const at = real(path);
    if (!readable.some((each) => at === each || at.startsWith(`${each}/`)))
      fail("AccessDeniedException", `${path} is not below a folder that the run may read`);
    return path;
  };
  const changed = (path: string) => {
    const at = realParent(path);
    if (!writable.some((folder) => at === folder || at.startsWith(`${folder}/`)))
      fail("AccessDeniedException", `${path} is not below a folder that the run may write to`);
    return path;
  };
  const made = new Set((options.own ?? []).map((each) => real(each)));
  const making = (path: string) => {
    const at = realParent(changed(path));
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) made.add(at);
    return path;
  };
  const givenUp = (path: string) => {
    const at = realParent(changed(path));
    if (options.readable !== undefined && ![...made].some((each) => at === each || at.startsWith(`${each}/`)))
      fail(
        "AccessDeniedException",
        `${path} was there before the run, which deletes and moves only its own files`,
      );
    return path;
  };
  const add = (location: string) => {
    if (options.readable !== undefined) readable.push(real(location));
  };
  return {
    admit: add,
    launchDir: options.launchDir,
    stat: (path) => {
      const found = statSync(seen(path), { throwIfNoEntry: false });
      if (found === undefined) return undefined;
      return {
        kind: found.isDirectory() ? "directory" : "file",
        sizeBytes: found.size,
        modifiedMs: found.mtimeMs,
      };
    },
    isLink: (path) => lstatSync(seen(path), { throwIfNoEntry: false })?.isSymbolicLink() ?? false,
    list: (path) => attempt(path, () => readdirSync(seen(path)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))),
    readBytes: (path) =>
      attempt(path, () => {
        const found = statSync(seen(path));
        // A pipe or a device may never end.
        if (!found.isFile()) fail("IOException", `${path} is not a file`);
        if (found.size > mostReadBytes)
          fail(
            "IOException",
            `${path} has ${found.size} bytes, and scripts read at most ${mostReadBytes} at once`,
          );
        return readFileSync(path);
      }),
    write: (path, content, how) =>
      attempt(path, () =>
        how === "append" ? appendFileSync(making(path), content) : writeFileSync(making(path), content),
      ),
    makeFolders: (path) => {
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
      attempt(path, () => mkdirSync(making(path), { recursive: true }));
    },
    remove: (path) => {
      if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
      attempt(path, () => rmSync(givenUp(path), { recursive: true, force: true }));
      return true;
    },
    copy: (from, to) =>
      attempt(from, () => {
        if (statSync(seen(from)).isDirectory()) cpSync(from, making(to), { recursive: true });
        else copyFileSync(from, making(to));
      }),
    move: (from, to) => attempt(from, () => renameSync(givenUp(from), making(to))),
    link: (target, at, how) =>
      attempt(at, () => (how === "hard" ? linkSync(target, making(at)) : symlinkSync(target, making(at)))),
    realPath: (path) => attempt(path, () => realpathSync(seen(path))),
  };
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return realParent(path);
  }
}

/** The path with the links of its nearest existing folder followed. */
function realParent(path: string): string {
  let folder = dirname(resolve(path));
  let rest = resolve(path).slice(folder.length);
  for (;;) {
    try {
      return realpathSync(folder) + rest;
    } catch {
      if (folder === "/") return resolve(path);
      rest = folder.slice(dirname(folder).length) + rest;
      folder = dirname(folder);
    }
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (code === "ENOENT") return fail("NoSuchFileException", path);
    if (code === "EEXIST") return fail("FileAlreadyExistsException", path);
    return fail("IOException", `${path}: ${code}`);
  }
}
