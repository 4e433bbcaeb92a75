/**
 * Files as a task's output section sees them, after the command has ended: relative paths are below the working
 * directory, `/mnt/memoir/…` is what the task saw. Links are followed as the task would have followed them, and nothing
 * outside of the attempt is ever answered: what `/etc/passwd` is in an image is not what it is here.
 */
import type { Stats } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize, relative } from "node:path";
import { sha256 } from "../../../../hash/index.ts";
import { type FinishedAttempt, taskInputs, taskRoot, taskWork } from "../../../../task/index.ts";
import { expandGlob } from "../../stdlib/bash-glob.ts";
import { ValueFailure } from "../../values/failure.ts";
import { andThen } from "../../values/maybe-promise.ts";
import { baseName } from "../../values/neutral.ts";
import type { PathValue } from "../../values/value.ts";
import { settleLinks } from "./directory-links.ts";
import type { FileStat } from "./host-files.ts";
import { nothing, type ScopedFiles } from "./scoped-files.ts";

const mostLinks = 40;
const longestText = 256 * 1024 * 1024;

interface HostPlace {
  /** undefined = the engine knows of no such path. */
  readonly path: string | undefined;
  /** Where nothing can be a link that the task has made: an input, inside of one, or a copy. */
  readonly staged: boolean;
}

export class OutputFiles implements ScopedFiles {
  readonly #finished: FinishedAttempt;
  readonly #attempt: string;

  constructor(finished: FinishedAttempt) {
    this.#finished = finished;
    this.#attempt = dirname(finished.workDir);
  }

  async readText(path: PathValue): Promise<string> {
    const host = await this.#existing(path);
    const found = await stat(host);
    if (found.isDirectory()) throw new ValueFailure(`cannot read ${path.path}: it is a directory`);
    refuseSpecial(found, path.path);
    if (found.size > longestText) {
      throw new ValueFailure(
        `cannot read ${path.path}: it has ${found.size} bytes, the limit is ${longestText}`,
      );
    }
    // Executors that cannot mount the task root showed their own path to the command; the text is to be the same
    // wherever it was made.
    return (await readFile(host, "utf8")).replaceAll(`${this.#attempt}/`, `${taskRoot}/`);
  }

  async stat(path: PathValue): Promise<FileStat | undefined> {
    const host = await this.#find(path);
    return host === undefined ? undefined : statTree(host);
  }

  /** Beside the outputs, in a folder that globs do not see. */
  async write(basename: string, content: string): Promise<PathValue> {
    const folder = join(this.#finished.workDir, ".memoir-written", sha256(content).slice(0, 20));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, basename), content);
    return this.#found("file", join(folder, basename), basename);
  }

  async glob(pattern: string): Promise<readonly PathValue[]> {
    const paths = await expandGlob(pattern, {
      list: (folder) => this.#list(folder),
      stat: async (path) => (await this.stat({ kind: "file", path }))?.kind,
    });
    const found: PathValue[] = [];
    for (const path of paths) {
      const host = await this.#find({ kind: "file", path });
      if (host !== undefined && (await stat(host)).isFile())
        found.push(this.#found("file", host, baseName(path), path));
    }
    return found;
  }

  stdout(): PathValue {
    return this.#stream(this.#finished.stdoutFile, "stdout");
  }
  stderr(): PathValue {
    return this.#stream(this.#finished.stderrFile, "stderr");
  }

  absolute(path: string): string {
    return isAbsolute(path) ? path : join(taskWork, path);
  }

  async settle(path: PathValue, optional: boolean) {
    if (path.path === "" && optional) return nothing;
    const host = path.path === "" ? undefined : await this.#find(path);
    const found = host === undefined ? undefined : await stat(host);
    if (host === undefined || found === undefined) {
      if (optional) return nothing;
      throw new ValueFailure(`the command did not make the ${path.kind} ${path.path}`);
    }
    const kind = found.isDirectory() ? "directory" : "file";
    if (kind !== path.kind) {
      throw new ValueFailure(`${path.path} is a ${kind}, but the output is declared as a ${path.kind}`);
    }
    if (kind === "file") refuseSpecial(found, path.path);
    // Inputs are what their owner made them, links included.
    else if (host.startsWith(`${this.#attempt}/`) && !this.#isStaged(host))
      await settleLinks(host, path.path, (link, shown) => this.#followLink(link, shown));
    return this.#found(kind, host, path.source?.basename ?? baseName(path.path), path.path);
  }

  #stream(host: string, name: string): PathValue {
    return {
      kind: "file",
      path: `${taskRoot}/${name}`,
      source: { kind: "file", location: host, basename: name },
    };
  }

  #found(kind: "file" | "directory", host: string, basename: string, shown = host): PathValue {
    const path =
      isAbsolute(shown) && !shown.startsWith(this.#finished.workDir) ? shown : this.#taskPath(shown);
    return { kind, path, source: { kind, location: host, basename } };
  }

  /** A path below the working directory as the task saw it. */
  #taskPath(path: string): string {
    const inside = isAbsolute(path) ? relative(this.#finished.workDir, path) : normalize(path);
    return join(taskWork, inside);
  }

  async #existing(path: PathValue): Promise<string> {
    const host = await this.#find(path);
    if (host === undefined) throw new ValueFailure(`cannot read ${path.path}: the command did not make it`);
    return host;
  }

  /** The host path of what is there, links followed; undefined = not there. */
  async #find(path: PathValue): Promise<string | undefined> {
    const source = path.source?.location;
    if (source !== undefined && isAbsolute(source) && this.#trusted(source)) return source;
    return this.#follow(await this.#toHost(path.path), path.path);
  }

  /** Streams, staged inputs and what this scope has answered before. */
  #trusted(host: string): boolean {
    return (
      host === this.#finished.stdoutFile ||
      host === this.#finished.stderrFile ||
      host.startsWith(`${this.#attempt}/`)
    );
  }

  /** Where a path as the task saw it lies here. */
  async #toHost(path: string): Promise<HostPlace> {
    if (!isAbsolute(path)) return { path: join(this.#finished.workDir, path), staged: false };
    const inside = normalize(path);
    const host = this.#finished.hostPathOf(inside);
    if (host !== undefined || inside === taskRoot || inside.startsWith(`${taskRoot}/`)) {
      return { path: host, staged: inside.startsWith(`${taskInputs}/`) };
    }
    // Executors that cannot mount the task root show the attempt's own directory to the command.
    if (inside.startsWith(`${this.#attempt}/`)) return { path: inside, staged: false };
    return this.#bring(inside);
  }

  /** What lies elsewhere in a container is the task's as well; on the machine itself it is not. */
  async #bring(path: string): Promise<HostPlace> {
    const brought = await this.#finished.bring?.(path);
    switch (brought?.kind) {
      case "file":
        return { path: brought.hostPath, staged: true };
      case "missing":
        return { path: undefined, staged: true };
      case "leads":
        return this.#toHost(brought.taskPath);
      case "refused":
        throw new ValueFailure(
          `${path} is outside of the task's working directory and ${brought.what}; only regular files can be taken from there`,
          "copy or move it into the working directory in the command",
        );
      case undefined:
        throw new ValueFailure(
          `${path} is outside of the task's working directory`,
          "copy or move the file into the working directory in the command, or run it in a container",
        );
    }
  }

  /** Follows links as the task would have followed them. */
  async #follow(start: HostPlace, shown: string): Promise<string | undefined> {
    let place = start;
    for (let links = 0; links <= mostLinks; links++) {
      if (place.path === undefined) return undefined;
      const path = normalize(place.path);
      // What was staged is the engine's: it lies anywhere, and may be a link to anywhere.
      if (place.staged || this.#isStaged(path)) return (await isThere(path)) ? path : undefined;
      if (path !== this.#attempt && !path.startsWith(`${this.#attempt}/`)) {
        throw new ValueFailure(
          `${shown} leads outside of the task's directory`,
          "copy or move the file into the working directory in the command",
        );
      }
      const root = this.#rootOf(path);
      const link = await firstLink(root, path);
      if (link === undefined) return (await isThere(path)) ? path : undefined;
      const rest = path.slice(link.path.length);
      if (isAbsolute(link.target)) place = await this.#toHost(link.target + rest);
      else if (root === this.#finished.workDir)
        place = { path: join(dirname(link.path), link.target) + rest, staged: false };
      else place = await this.#toHost(join(dirname(link.path).slice(root.length), link.target) + rest);
    }
    throw new ValueFailure(`${shown} is a link that leads through more than ${mostLinks} links`);
  }

  /** In a folder that links led to there may be links of whoever made an input. */
  #followLink(link: string, shown: string): Promise<string | undefined> {
    const isOwn = link.startsWith(`${this.#attempt}/`) && !this.#isStaged(link);
    return this.#follow({ path: link, staged: !isOwn }, shown);
  }

  /** Below it the task may have made links: its working directory, or a disk that it asked for. */
  #rootOf(path: string): string {
    const outside = `${this.#attempt}/outside`;
    return path.startsWith(`${outside}/`) ? outside : this.#finished.workDir;
  }

  /** Where executors that cannot mount the task root put the inputs. */
  #isStaged(path: string): boolean {
    return path.startsWith(`${this.#attempt}/inputs/`);
  }

  async #list(folder: string) {
    const host = await this.#find({ kind: "directory", path: folder === "" ? "." : folder });
    if (host === undefined || !(await stat(host)).isDirectory()) return undefined;
    const entries = await readdir(host, { withFileTypes: true });
    const listed: { name: string; kind: "file" | "directory" }[] = [];
    for (const entry of entries) {
      const kind = entry.isSymbolicLink()
        ? await andThen(this.#kindBehind(join(host, entry.name)), (behind) => behind)
        : entry.isDirectory()
          ? "directory"
          : "file";
      if (kind !== undefined) listed.push({ name: entry.name, kind });
    }
    return listed;
  }

  async #kindBehind(link: string): Promise<"file" | "directory" | undefined> {
    try {
      const host = await this.#follow({ path: link, staged: false }, link);
      return host === undefined ? undefined : (await stat(host)).isDirectory() ? "directory" : "file";
    } catch (error) {
      // A link to the outside is not a match; it is an error only for those who name it.
      if (error instanceof ValueFailure) return undefined;
      throw error;
    }
  }
}

/** Reading a pipe would wait for ever. */
function refuseSpecial(found: Stats, shown: string): void {
  if (!found.isFile()) throw new ValueFailure(`${shown} is no regular file, but a pipe, socket or device`);
}

/** The first component below `root` that is a link. Components above are ours. */
async function firstLink(
  root: string,
  path: string,
): Promise<{ readonly path: string; readonly target: string } | undefined> {
  const inside = relative(root, path);
  if (inside.startsWith("..")) return undefined;
  let at = root;
  for (const part of inside.split("/")) {
    if (part === "" || part === ".") continue;
    at = join(at, part);
    const found = await lstat(at).catch(() => undefined);
    if (found === undefined) return undefined;
    if (found.isSymbolicLink()) return { path: at, target: await readlink(at) };
  }
  return undefined;
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function statTree(path: string): Promise<FileStat> {
  const found = await stat(path);
  if (!found.isDirectory()) return { kind: "file", sizeBytes: found.size };
  let sizeBytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) sizeBytes += (await statTree(child)).sizeBytes;
    else {
      // A link counts as the file that it becomes when the directory is delivered.
      const behind = await stat(child).catch(() => undefined);
      if (behind?.isFile()) sizeBytes += behind.size;
    }
  }
  return { kind: "directory", sizeBytes };
}
