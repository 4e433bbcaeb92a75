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
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
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
    for (const name of namesIn(join(attempt, "work"))) {
      if (name.startsWith(".command.")) continue;
      const target = join(attempt, "work", name);
      replaceLink(target, join(folder, name));
      if (!isStaged(target)) made.push(name);
    }
    rmSync(join(folder, ".command.log"), { force: true });
    const text = (name: string) => textOf(join(attempt, name));
    writeFileSync(join(folder, ".command.log"), text("stdout") + text("stderr"));
    if (exit !== undefined) writeFileSync(join(folder, ".exitcode"), String(exit));
    if (trace !== undefined) writeFileSync(join(folder, ".command.trace"), trace);
    if (existsSync(join(attempt, "work", ".command.in")))
      replaceLink(join(attempt, "work", ".command.in"), join(folder, ".command.in"));
    const captured = capturedText(join(attempt, "work"));
    if (captured !== "") writeFileSync(join(folder, ".command.env"), captured);
    writeFileSync(join(folder, ".command.run"), runText(attempt, made));
    const staged = stageText(join(attempt, "work"));
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
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (isOurs(name) || lstatSync(path).isSymbolicLink()) rmSync(path, { force: true });
    }
    return folder;
  }
}

/** What puts the inputs of a task in their places: first what is there goes, then the links are made. */
function stageText(work: string): string {
  const links = linksIn(work, "");
  if (links.length === 0) return "";
  return [
    ...links.map(({ name }) => `rm -f ${quoted(name)}`),
    ...links.map(({ name, target }) => {
      const folder = name.includes("/") ? `mkdir -p ${quoted(dirname(name))} && ` : "";
      return `${folder}ln -s ${quoted(target)} ${quoted(name)}`;
    }),
  ].join("\n");
}

function linksIn(
  folder: string,
  prefix: string,
): readonly { readonly name: string; readonly target: string }[] {
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    const found = lstatSync(path);
    if (found.isSymbolicLink() && !name.startsWith(".command."))
      return [{ name: prefix + name, target: resolve(folder, readlinkSync(path)) }];
    return found.isDirectory() && isStaged(path) ? linksIn(path, `${prefix}${name}/`) : [];
  });
}

/** What `env` and `eval` outputs have captured, as Nextflow writes it. */
function capturedText(work: string): string {
  const files = namesIn(work).filter((name) => /^\.command\.(?:env|eval)\.[\d.]+$/.test(name));
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

/** An input of the task: a link, or a folder of links. */
function isStaged(path: string): boolean {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return true;
  if (!found.isDirectory()) return false;
  const names = readdirSync(path);
  return names.length > 0 && names.every((name) => isStaged(join(path, name)));
}

export function isOurs(name: string): boolean {
  return name.startsWith(".command.") || name === ".exitcode";
}

/** What is there and no link stays. */
function replaceLink(target: string, at: string): void {
  const found = lstatSync(at, { throwIfNoEntry: false });
  if (found !== undefined && !found.isSymbolicLink()) return;
  rmSync(at, { force: true });
  symlinkSync(target, at);
}

/** Outputs are links to recorded files, through which a second execution must not write. */
function runText(attempt: string, made: readonly string[]): string {
  const host = join(attempt, "command.host");
  return `${[
    "#!/bin/bash",
    "# Runs the task again in this folder. Its recorded result stays as it is.",
    'cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1',
    ...(made.length === 0 ? [] : [`rm -f -- ${made.map(quoted).join(" ")}`]),
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
