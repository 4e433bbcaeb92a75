/**
 * Local files for scripts: the only `ScriptFiles` that touches the disk. It is not built over `FileAccess`, which is
 * asynchronous, because scripts read files in the middle of expressions. Nothing is written but below the folders of
 * the run.
 */
import {
  appendFileSync,
  closeSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
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
  /** Whether recorded results are at a path without links, or below it. Default: nowhere. */
  readonly keeps?: (path: string) => boolean;
}

export function scriptFiles(options: ScriptFilesOptions): ScriptFiles {
  const readable = (options.readable ?? []).map((each) => real(each));
  const writable = options.writable.map((each) => real(each));
  const lent = new Set<string>();
  const seen = (path: string) => {
    if (options.readable === undefined) return path;
    const at = real(path);
    if (!readable.some((each) => at === each || at.startsWith(`${each}/`)))
      fail("AccessDeniedException", `${path} is not below a folder that the run may read`);
    return path;
  };
  /** `through`: what a link at the end of the path leads to is what changes. */
  const changed = (path: string, through: "link itself" | "link followed" = "link itself") => {
    const isLost =
      through === "link followed" &&
      lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true &&
      statSync(path, { throwIfNoEntry: false }) === undefined;
    if (isLost) fail("AccessDeniedException", `${path} is a link that leads nowhere`);
    const at = through === "link followed" ? real(path) : realParent(path);
    const isLent = [...lent].some((each) => at === each || at.startsWith(`${each}/`));
    if (!isLent && options.keeps?.(at) === true)
      fail("AccessDeniedException", `${path} leads to a recorded result, which nothing may change`);
    if (!isLent && !writable.some((folder) => at === folder || at.startsWith(`${folder}/`)))
      fail("AccessDeniedException", `${path} is not below a folder that the run may write to`);
    return path;
  };
  const made = new Set((options.own ?? []).map((each) => real(each)));
  const making = (path: string, through: "link itself" | "link followed" = "link followed") => {
    changed(path, through);
    const at = realParent(path);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) made.add(at);
    return path;
  };
  const givenUp = (path: string) => {
    changed(path);
    const at = realParent(path);
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
  /** One by one, since links among what is there may lead anywhere. */
  const copyTree = (from: string, to: string, isInner = false): void => {
    if (`${real(to)}/`.startsWith(`${real(from)}/`))
      fail("IOException", `${from} cannot be copied into itself`);
    if (isInner && lstatSync(from).isSymbolicLink()) {
      rmSync(making(to, "link itself"), { force: true });
      symlinkSync(realpathSync(seen(from)), to);
    } else if (statSync(seen(from)).isDirectory()) {
      mkdirSync(making(to), { recursive: true });
      for (const name of readdirSync(from)) copyTree(join(from, name), join(to, name), true);
    } else copyFileSync(from, making(to));
  };
  return {
    admit: add,
    lend: (folder) => {
      const place = real(folder);
      add(folder);
      lent.add(place);
      made.add(place);
      return () => {
        lent.delete(place);
        made.delete(place);
      };
    },
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
    readBytes: (path, most) =>
      attempt(path, () => {
        const found = statSync(seen(path));
        // A pipe or a device may never end.
        if (!found.isFile()) fail("IOException", `${path} is not a file`);
        if (most !== undefined && most < found.size) return startOf(path, most);
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
    copy: (from, to) => attempt(from, () => copyTree(from, to)),
    move: (from, to) => attempt(from, () => renameSync(givenUp(from), making(to, "link itself"))),
    // A hard link could be edited, and with it a file of somebody else.
    link: (target, at, how) =>
      attempt(at, () =>
        how === "hard"
          ? copyFileSync(seen(target), making(at, "link itself"), constants.COPYFILE_EXCL)
          : symlinkSync(target, making(at, "link itself")),
      ),
    realPath: (path) => attempt(path, () => realpathSync(seen(path))),
  };
}

function startOf(path: string, bytes: number): Uint8Array {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(bytes);
    return start.subarray(0, readSync(file, start, 0, bytes, 0));
  } finally {
    closeSync(file);
  }
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
