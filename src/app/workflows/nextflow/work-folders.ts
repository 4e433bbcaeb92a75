/**
 * `work/ab/cdef…`: a folder for each task, with the files that Nextflow's users look for. What the task made is linked
 * from there: the bytes are in the folder of the run, where they are shared with the cache.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemErrorCode } from "../../../kernel/index.ts";
import { taskInputs } from "../../../task/index.ts";
import { bytesIn } from "./quantities.ts";

export class WorkFolders {
  readonly #root: string;
  readonly #stageFileBytes: number;

  /** `root`: absolute. `stageFile`: how long the lines that stage inputs are before they get a file: `1 MB`. */
  constructor(root: string, stageFile = "1 MB") {
    this.#root = root;
    this.#stageFileBytes = bytesIn(stageFile) ?? 1 << 20;
  }

  pathOf(hash: string): string {
    return join(this.#root, hash.slice(0, 2), hash.slice(2));
  }

  /** While the task runs, its streams can be read here. */
  begin(hash: string, attempt: string): void {
    const folder = this.#empty(hash);
    writeFileSync(join(folder, ".command.begin"), "");
    symlinkSync(join(attempt, "work", ".command.sh"), join(folder, ".command.sh"));
    symlinkSync(join(attempt, "stdout"), join(folder, ".command.out"));
    symlinkSync(join(attempt, "stderr"), join(folder, ".command.err"));
    symlinkSync(join(attempt, "stdout"), join(folder, ".command.log"));
    writeFileSync(join(folder, ".command.run"), runText(attempt, []));
  }

  /** Of a task that the program performs itself: there are no commands and no streams. */
  beginOwn(hash: string): void {
    this.#empty(hash);
  }

  end(
    hash: string,
    attempt: string,
    { exit, trace }: { readonly exit: number | undefined; readonly trace?: string },
  ): void {
    const folder = this.pathOf(hash);
    if (!existsSync(folder)) return;
    const made: string[] = [];
    const work = join(attempt, "work");
    const isLinked = stagedIn(attempt);
    const names = namesIn(work);
    for (const name of names) {
      if (name.startsWith(".command.")) continue;
      const target = join(work, name);
      replaceLink(target, join(folder, name));
      if (!isStaged(target, isLinked)) made.push(name);
    }
    removeFile(join(folder, ".command.log"));
    const text = (name: string) => textOf(join(attempt, name));
    writeFileSync(join(folder, ".command.log"), text("stdout") + text("stderr"));
    if (exit !== undefined) writeFileSync(join(folder, ".exitcode"), String(exit));
    if (trace !== undefined) writeFileSync(join(folder, ".command.trace"), trace);
    if (names.includes(".command.in")) replaceLink(join(work, ".command.in"), join(folder, ".command.in"));
    const captured = capturedText(work, names);
    if (captured !== "") writeFileSync(join(folder, ".command.env"), captured);
    const before = linesBefore({ work, made, captured: names.filter(isCaptured), isLinked });
    // Otherwise what `begin` has written is still true.
    if (before.length > 0) writeFileSync(join(folder, ".command.run"), runText(attempt, before));
    const staged = stageText(linksIn(work, names, isLinked));
    if (staged.length >= this.#stageFileBytes) writeFileSync(join(folder, ".command.stage"), staged);
  }

  /** What the program has made itself. */
  made(hash: string, at: string): void {
    const folder = this.#empty(hash);
    writeFileSync(join(folder, ".exitcode"), "0");
    for (const name of namesIn(at)) replaceLink(join(at, name), join(folder, name));
  }

  /** Of a task whose result was computed elsewhere: in another folder, or as an equal task of the same run. */
  reused(hash: string, entryUri: string): void {
    if (existsSync(this.pathOf(hash))) return;
    const folder = this.#empty(hash);
    writeFileSync(join(folder, ".exitcode"), "0");
    if (!entryUri.startsWith("file://") && !entryUri.startsWith("/")) return;
    const out = join(entryUri.startsWith("/") ? entryUri : fileURLToPath(entryUri), "out");
    for (const output of namesIn(out))
      for (const number of namesIn(join(out, output)))
        for (const name of namesIn(join(out, output, number)))
          replaceLink(join(out, output, number, name), join(folder, name));
  }

  /** What is here from an earlier time is ours, and only links and small files. */
  #empty(hash: string): string {
    const folder = this.pathOf(hash);
    // What was just made is empty.
    if (mkdirSync(folder, { recursive: true }) !== undefined) return folder;
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (isOurs(name) || lstatSync(path).isSymbolicLink()) removeFile(path);
    }
    return folder;
  }
}

interface StagedLink {
  readonly name: string;
  readonly target: string;
}

/** What puts the inputs of a task in their places: first what is there goes, then the links are made. */
function stageText(links: readonly StagedLink[]): string {
  if (links.length === 0) return "";
  return [...links.map(({ name }) => `rm -f ${quoted(name)}`), ...links.map(linkLine)].join("\n");
}

function linkLine({ name, target }: StagedLink): string {
  const folder = name.includes("/") ? `mkdir -p ${quoted(dirname(name))} && ` : "";
  return `${folder}ln -s ${quoted(target)} ${quoted(name)}`;
}

/** Links to inputs, also in folders that the task has put other files into. */
function linksIn(
  folder: string,
  names: readonly string[],
  isLinked: (target: string) => boolean,
  prefix = "",
): readonly StagedLink[] {
  return names.flatMap((name) => {
    if (name.startsWith(".command.")) return [];
    const path = join(folder, name);
    const found = lstatSync(path);
    if (found.isDirectory()) return linksIn(path, namesIn(path), isLinked, `${prefix}${name}/`);
    const target = found.isSymbolicLink() ? readlinkSync(path) : "";
    return isLinked(target) ? [{ name: prefix + name, target }] : [];
  });
}

/** Links that a task has made itself are made again when it runs again. */
function stagedIn(attempt: string): (target: string) => boolean {
  const folders = [join(attempt, "inputs"), taskInputs];
  return (target) => folders.some((each) => target.startsWith(`${each}/`));
}

/** What `env` and `eval` outputs have captured, as Nextflow writes it. */
function capturedText(work: string, names: readonly string[]): string {
  const files = names.filter((name) => isCaptured(name) && !name.endsWith(".err"));
  if (files.length === 0) return "";
  const script = textOf(join(work, ".command.sh"));
  return files
    .map((file, index) => {
      const variable = new RegExp(`\\$\\{(\\w+)\\[[*@]\\]\\}.*/${file.replaceAll(".", "\\.")}$`, "m");
      const name = variable.exec(script)?.[1] ?? `nxf_out_eval_${index + 1}`;
      return `${name}=${textOf(join(work, file)).trimEnd()}\n/${name}/\n`;
    })
    .join("");
}

/** With what a command has written to its standard error. */
function isCaptured(name: string): boolean {
  return /^\.command\.(?:env|eval)\.[\d.]+(?:\.err)?$/.test(name);
}

/** An input of the task: a link, or a folder of links. */
function isStaged(path: string, isLinked: (target: string) => boolean): boolean {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return isLinked(readlinkSync(path));
  if (!found.isDirectory()) return false;
  const names = readdirSync(path);
  return names.length > 0 && names.every((name) => isStaged(join(path, name), isLinked));
}

export function isOurs(name: string): boolean {
  return name.startsWith(".command.") || name === ".exitcode";
}

/** What is there and no link stays. */
function replaceLink(target: string, at: string): void {
  const found = lstatSync(at, { throwIfNoEntry: false });
  if (found !== undefined && !found.isSymbolicLink()) return;
  if (found !== undefined) removeFile(at);
  symlinkSync(target, at);
}

/** `rmSync` looks for folders first, and takes several times as long. */
function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}

interface Again {
  /** The working directory of the attempt. */
  readonly work: string;
  /** Names in it. */
  readonly made: readonly string[];
  readonly captured: readonly string[];
  readonly isLinked: (target: string) => boolean;
}

/**
 * Outputs are links to recorded files, through which a second execution must not write. With `bash -C` a script cannot
 * write to a file that exists.
 */
function linesBefore({ work, made, captured, isLinked }: Again): readonly string[] {
  return [
    // The second time folders are no longer links.
    ...(made.length === 0 ? [] : [`rm -rf -- ${made.map(quoted).join(" ")}`]),
    ...linksIn(work, made, isLinked).map(linkLine),
    ...(captured.length === 0
      ? []
      : [`rm -f -- ${captured.map((each) => quoted(join(work, each))).join(" ")}`]),
  ];
}

function runText(attempt: string, before: readonly string[]): string {
  const host = join(attempt, "command.host");
  return `${[
    "#!/bin/bash",
    "# Runs the task again in this folder. Its recorded result stays as it is.",
    'cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1',
    ...before,
    `if [ -e ${quoted(host)} ]; then exec /bin/bash ${quoted(host)}; fi`,
    "exec /bin/bash -ue .command.sh",
  ].join("\n")}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** At most as much as a person reads. */
const longestLog = 16 << 20;

function textOf(path: string): string {
  try {
    return readFileSync(path).subarray(0, longestLog).toString("utf8");
  } catch {
    return "";
  }
}
