/**
 * The files of an attempt whose directory this machine can see. What an executor mounted for the task is elsewhere
 * here, so links are followed step by step as the task would have followed them, and nothing outside the attempt and
 * its inputs is ever answered: what `/etc/passwd` is in an image is not what it is here.
 *
 * Looks are made at once: the system has the answers in memory, and handing each question to a thread would take longer.
 */
import { constants, lstatSync, readdirSync, readFileSync, readlinkSync, type Stats, statSync } from "node:fs";
import { copyFile, open, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize, posix, relative } from "node:path";
import { copyTree, isOwn, isProgram, makeFolders, realPathOfSync, whatItIs } from "../../files/index.ts";
import { byCodeUnit, digestOf } from "../../hash/index.ts";
import {
  AppError,
  bytesOfText,
  nameOfBytes,
  onDisk,
  shownName,
  systemErrorCode,
  type TaskPath,
  utf8Text,
} from "../../kernel/index.ts";
import {
  type AttemptFiles,
  type AttemptMember,
  AttemptProblem,
  type AttemptStat,
  type Brought,
  type MadeMember,
  taskRoot,
} from "../../task/index.ts";
import { attemptHostPath, attemptPaths, type PlacedAttempt, placeOf } from "./attempt-paths.ts";

const mostLinks = 40;
const smallBytes = 1 << 20;
const defaultMostBroughtIn = 100_000;
const copyHint = "copy or move the file into the working directory in the command";

export interface SharedAttempt extends PlacedAttempt {
  /** Brings a regular file here that is in the file system of the task's container. Absent without one. */
  readonly bring?: (taskPath: string) => Promise<Brought>;
  /** Most files that the links of one directory may bring in. Default 100,000. */
  readonly mostBroughtIn?: number;
}

/** Where something is on this machine. */
interface HostPlace {
  /** undefined = Memoir knows of no such path. */
  readonly path: string | undefined;
  /** An input's source, inside one, or a copy of Memoir's own: what is a link there is its owner's. */
  readonly trusted: boolean;
}

export class SharedAttemptFiles implements AttemptFiles {
  readonly #attempt: SharedAttempt;
  readonly #directory: string;
  readonly #work: string;
  #made = 0;
  /** Directories whose links have been looked at, and those that this is being done for. */
  readonly #settled = new Map<string, "now" | "done">();

  constructor(attempt: SharedAttempt) {
    this.#attempt = attempt;
    this.#directory = attempt.directory;
    this.#work = attemptPaths(attempt.directory).work;
  }

  async stat(path: string): Promise<AttemptStat | undefined> {
    const host = await this.#find(path);
    return host === undefined ? undefined : statOf(host);
  }

  async read(path: string, range?: { readonly start: number; readonly end: number }): Promise<Uint8Array> {
    const host = await this.#regular(path);
    const { size } = statSync(onDisk(host));
    // Most outputs are small: read at once, which takes less than handing the steps to threads.
    if (range === undefined) return size <= smallBytes ? readFileSync(onDisk(host)) : readFile(onDisk(host));
    if (size <= smallBytes) return readFileSync(onDisk(host)).subarray(range.start, range.end);
    const handle = await open(onDisk(host), "r");
    try {
      const bytes = Buffer.alloc(Math.max(0, Math.min(range.end, (await handle.stat()).size) - range.start));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, range.start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await handle.close();
    }
  }

  async readText(path: string): Promise<string> {
    const text = utf8Text(await readFile(onDisk(await this.#regular(path))));
    if (text === undefined)
      throw new AttemptProblem(`${shownName(path)} is not UTF-8, so it cannot be read as text`);
    // Executors that cannot mount the task root showed their own path to the command; the text is to be the same
    // wherever it was made.
    return text.replaceAll(`${this.#directory}/`, `${taskRoot}/`);
  }

  async list(path: string): Promise<readonly AttemptMember[] | undefined> {
    const host = await this.#find(path);
    if (host === undefined || !statSync(onDisk(host)).isDirectory()) return undefined;
    return membersOf(host, path);
  }

  async readLink(path: string): Promise<string | undefined> {
    const place = await this.#toHost(path);
    if (place.path === undefined) return undefined;
    const parent = await this.#follow({ ...place, path: dirname(place.path) }, path);
    if (parent === undefined) return undefined;
    const at = `${parent}/${place.path.slice(dirname(place.path).length + 1)}`;
    return lstatOf(at)?.isSymbolicLink() === true ? linkText(at) : undefined;
  }

  async locationOf(path: string): Promise<string> {
    const host = await this.#find(path);
    if (host === undefined) throw new AttemptProblem(`${shownName(path)} does not exist`);
    const found = statOf(host);
    if (found?.kind === "special")
      throw new AttemptProblem(`${shownName(path)} is ${found.what}, expected a regular file`);
    // Inputs are what their owner made them, links included.
    if (found?.kind === "directory" && this.#isInAttempt(host)) await this.#settle(host, path);
    return host;
  }

  pathOf(location: string): string | undefined {
    if (location === this.#directory || location.startsWith(`${this.#directory}/`))
      return taskRoot + location.slice(this.#directory.length);
    for (const { source, path } of this.#attempt.inputs) {
      if (location === source.location || location.startsWith(`${source.location}/`))
        return path + location.slice(source.location.length);
      for (const sibling of source.siblings ?? [])
        if (location === sibling.location || location.startsWith(`${sibling.location}/`))
          return `${dirname(path)}/${sibling.basename}${location.slice(sibling.location.length)}`;
    }
    return undefined;
  }

  /** Outside the working directory, so that globs do not see it. */
  async make(members: readonly MadeMember[]): Promise<TaskPath> {
    const texts = members.every(({ kind }) => kind === "text");
    // Equal texts are one file, so that expressions that show its path say the same again.
    const name = texts ? digestOf(members.map((each) => ({ ...each }))).slice(0, 20) : `o${this.#made++}`;
    const folder = `${this.#directory}/made/${name}`;
    if (!texts) await rm(folder, { recursive: true, force: true });
    await makeFolders(folder);
    for (const member of members) {
      const place = `${folder}/${member.path}`;
      if (member.kind === "folder") await makeFolders(place);
      else if (member.kind === "text") await writeFile(onDisk(place), bytesOfText(member.content));
      else {
        const from = await this.locationOf(member.from);
        if (statSync(onDisk(from)).isDirectory()) await copyTree(from, place, { doing: "making outputs" });
        else await copyFile(onDisk(from), onDisk(place), constants.COPYFILE_FICLONE);
      }
    }
    return `${taskRoot}/made/${name}` as TaskPath;
  }

  async #regular(path: string): Promise<string> {
    const host = await this.#find(path);
    if (host === undefined) throw new AttemptProblem(`${shownName(path)} does not exist`);
    const found = statOf(host);
    if (found?.kind === "directory") throw new AttemptProblem(`${shownName(path)} is a directory`);
    if (found?.kind === "special")
      throw new AttemptProblem(`${shownName(path)} is ${found.what}, expected a regular file`);
    return host;
  }

  /** The host path of what is there, links followed; undefined = not there. */
  async #find(path: string): Promise<string | undefined> {
    return this.#follow(await this.#toHost(path), shownName(path));
  }

  #isInAttempt(host: string): boolean {
    return host.startsWith(`${this.#directory}/`);
  }

  /** Where a path as the task saw it is here. */
  async #toHost(path: string): Promise<HostPlace> {
    if (!isAbsolute(path)) return { path: join(this.#work, path), trusted: false };
    const inside = normalize(path);
    const host = attemptHostPath(this.#attempt, inside);
    if (host !== undefined || inside === taskRoot || inside.startsWith(`${taskRoot}/`))
      return { path: host, trusted: host !== undefined && !this.#isInAttempt(`${host}/`) };
    // Executors that cannot mount the task root show the attempt's own directory to the command.
    if (inside.startsWith(`${this.#directory}/`)) return { path: inside, trusted: false };
    return this.#bring(inside);
  }

  /** What is elsewhere in a container is the task's as well; on the machine itself it is not. */
  async #bring(path: string): Promise<HostPlace> {
    const brought = await this.#attempt.bring?.(path);
    switch (brought?.kind) {
      case "file":
        return { path: brought.hostPath, trusted: true };
      case "missing":
        return { path: undefined, trusted: true };
      case "leads":
        return this.#toHost(brought.taskPath);
      case "refused":
        throw new AttemptProblem(
          `${path} is outside the task's working directory and ${brought.what}; only regular files can be taken from there`,
          "copy or move it into the working directory in the command",
        );
      case undefined:
        throw new AttemptProblem(
          `${path} is outside the task's working directory`,
          `${copyHint}, or run it in a container`,
        );
    }
  }

  /** Follows links as the task would have followed them. */
  async #follow(start: HostPlace, shown: string): Promise<string | undefined> {
    let place = start;
    for (let links = 0; links <= mostLinks; links++) {
      if (place.path === undefined) return undefined;
      const path = normalize(place.path);
      if (place.trusted) return isThere(path) ? path : undefined;
      if (path !== this.#directory && !this.#isInAttempt(path))
        throw new AttemptProblem(`${shown} leads outside the task's directory`, copyHint);
      const root = this.#rootOf(path);
      const link = firstLink(root, path);
      if (link === undefined) return isThere(path) ? path : undefined;
      const rest = path.slice(link.path.length);
      if (this.#isOurs(link)) place = { path: link.target + rest, trusted: true };
      else if (isAbsolute(link.target)) place = await this.#toHost(link.target + rest);
      else if (root === this.#directory)
        place = { path: join(dirname(link.path), link.target) + rest, trusted: false };
      else place = await this.#toHost(join(dirname(link.path).slice(root.length), link.target) + rest);
    }
    throw new AttemptProblem(`${shown} is a link that leads through more than ${mostLinks} links`);
  }

  /** A link that stands for an input after the task has ended. */
  #isOurs(link: { readonly path: string; readonly target: string }): boolean {
    return this.#attempt.inputs.some(({ path, source }) =>
      [{ path: path as string, source }, ...siblingsOf(path, source)].some(
        (each) => each.source.location === link.target && placeOf(this.#directory, each.path) === link.path,
      ),
    );
  }

  /** Below it everything lies as the task saw it: the attempt's directory, or what was mounted elsewhere. */
  #rootOf(path: string): string {
    const { outside } = attemptPaths(this.#directory);
    return path.startsWith(`${outside}/`) ? outside : this.#directory;
  }

  /**
   * Whoever uses a directory later does it elsewhere, where its links would lead to something else. Those that lead out
   * of it are replaced by what the task found there, and so is what the next task sees, with and without a cache.
   */
  async #settle(folder: string, shown: string): Promise<void> {
    const state = this.#settled.get(folder);
    if (state === "done") return;
    if (state === "now") throw new AttemptProblem(`the directory ${shown} contains itself by a link`);
    this.#settled.set(folder, "now");
    const count = { broughtIn: 0 };
    await this.#visit({ root: folder, below: "", shown, count });
    this.#settled.set(folder, "done");
  }

  async #visit(at: Visit): Promise<void> {
    const folder = at.below === "" ? at.root : `${at.root}/${at.below}`;
    for (const { name, kind } of membersOf(folder, at.shown)) {
      const below = at.below === "" ? name : `${at.below}/${name}`;
      const inner = { ...at, below, shown: `${at.shown}/${shownName(name)}` };
      if (kind === "directory") await this.#visit(inner);
      else if (kind === "link") await this.#settleLink(inner);
      else if (kind === "special") {
        const what = whatItIs(lstatSync(onDisk(`${folder}/${name}`))) ?? "no regular file";
        throw new AttemptProblem(`${inner.shown} is ${what}; a directory with such a member cannot be kept`);
      }
    }
  }

  async #settleLink(at: Visit): Promise<void> {
    const path = `${at.root}/${at.below}`;
    const text = linkText(path);
    if (isOwn(at.below, text) || text === "/dev/null") return;
    const host = await this.#follow({ path, trusted: false }, at.shown);
    if (host === undefined) {
      if (isThere(path))
        throw new AttemptProblem(
          `${at.shown} is a link to ${shownName(text)}, which did not exist in the task but exists on this machine`,
        );
      return;
    }
    const root = realPathOfSync(at.root);
    const real = realPathOfSync(host);
    const inside = real === root ? "" : real.startsWith(`${root}/`) ? real.slice(root.length + 1) : undefined;
    if (inside !== undefined) {
      await rm(onDisk(path));
      const target = posix.relative(posix.dirname(`/${at.below}`), `/${inside}`) || ".";
      await symlink(onDisk(target), onDisk(path));
      return;
    }
    if (root.startsWith(`${real}/`))
      throw new AttemptProblem(
        `${at.shown}, a link to ${shownName(text)}, leads to a directory that contains it`,
      );
    await this.#bringIn(real, path, at);
  }

  async #bringIn(real: string, path: string, at: Visit): Promise<void> {
    const found = statOf(real);
    if (found?.kind === "special") throw new AttemptProblem(`${at.shown} is a link to ${found.what}`);
    const { mostBroughtIn: most = defaultMostBroughtIn } = this.#attempt;
    const take = async (from: string, to: string) => {
      if (++at.count.broughtIn > most)
        throw new AttemptProblem(`the links of the directory ${at.shown} lead to more than ${most} files`);
      await copyFile(onDisk(from), onDisk(to), constants.COPYFILE_FICLONE);
    };
    if (found?.kind === "directory" && this.#isInAttempt(real)) await this.#settle(real, at.shown);
    await rm(onDisk(path));
    try {
      if (found?.kind === "directory")
        await copyTree(real, path, { doing: `collecting ${at.shown}`, place: take });
      else await take(real, path);
    } catch (error) {
      if (error instanceof AppError && error.row.kind === "input") throw new AttemptProblem(error.message);
      if (systemErrorCode(error) === "ENOSPC")
        throw new AppError("DISK_FULL", `collecting ${at.shown}: no space is left`, { cause: error });
      throw error;
    }
  }
}

interface Visit {
  readonly root: string;
  readonly below: string;
  readonly shown: string;
  readonly count: { broughtIn: number };
}

function siblingsOf(path: string, source: SharedAttempt["inputs"][number]["source"]) {
  return (source.siblings ?? []).map((sibling) => ({
    path: `${dirname(path)}/${sibling.basename}`,
    source: sibling,
  }));
}

function statOf(host: string): AttemptStat | undefined {
  const facts = statSync(onDisk(host), { throwIfNoEntry: false });
  if (facts === undefined) return undefined;
  if (facts.isDirectory()) return { kind: "directory" };
  if (facts.isFile()) return { kind: "file", sizeBytes: facts.size, executable: isProgram(facts) };
  return { kind: "special", what: whatItIs(facts) ?? "no regular file" };
}

function membersOf(folder: string, shown: string): readonly AttemptMember[] {
  try {
    return readdirSync(onDisk(folder), { encoding: "buffer" })
      .map(nameOfBytes)
      .sort(byCodeUnit)
      .map((name) => ({ name, kind: kindOf(lstatSync(onDisk(`${folder}/${name}`))) }));
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new AttemptProblem(`the directory ${shownName(shown)} cannot be read: ${systemErrorCode(error)}`);
  }
}

function kindOf(facts: Stats): AttemptMember["kind"] {
  if (facts.isSymbolicLink()) return "link";
  if (facts.isDirectory()) return "directory";
  return facts.isFile() ? "file" : "special";
}

/** The first component below `root` that is a link. Components above are ours. */
function firstLink(
  root: string,
  path: string,
): { readonly path: string; readonly target: string } | undefined {
  const inside = relative(root, path);
  if (inside.startsWith("..")) return undefined;
  let at = root;
  for (const part of inside.split("/")) {
    if (part === "" || part === ".") continue;
    at = `${at}/${part}`;
    const found = lstatOf(at);
    if (found === undefined) return undefined;
    if (found.isSymbolicLink()) return { path: at, target: linkText(at) };
  }
  return undefined;
}

function lstatOf(path: string): Stats | undefined {
  try {
    return lstatSync(onDisk(path), { throwIfNoEntry: false });
  } catch {
    // ENOTDIR, EACCES, a name that is too long: for a task's outputs the same as not being there.
    return undefined;
  }
}

function isThere(path: string): boolean {
  try {
    return statSync(onDisk(path), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function linkText(path: string): string {
  return nameOfBytes(readlinkSync(onDisk(path), { encoding: "buffer" }));
}
