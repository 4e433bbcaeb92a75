/**
 * The files of an attempt that ran where this machine sees nothing of it: what the job has listed, and the objects that
 * its service has uploaded. Links are followed in the listing, as the task would have followed them; bytes are read only
 * where somebody asks for them.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, posix } from "node:path";
import { byCodeUnit, digestOf, sha256 } from "../../hash/index.ts";
import {
  type Ask,
  bytesOfText,
  invariant,
  onDisk,
  shownName,
  type TaskPath,
  utf8Text,
} from "../../kernel/index.ts";
import {
  type AttemptFiles,
  type AttemptMember,
  AttemptProblem,
  type AttemptStat,
  type MadeMember,
  type StoredContent,
  type StoredMember,
  taskRoot,
  taskWork,
} from "../../task/index.ts";
import { type Attempt, placedInputs } from "../core/index.ts";
import type { Listed, ListedFile } from "./listing.ts";

export interface ObjectAttempt {
  readonly attempt: Attempt;
  readonly members: ReadonlyMap<string, Listed>;
  /** Paths of all files that were staged as inputs. */
  readonly staged: ReadonlySet<string>;
  /** `s3://…`: below it is what the job has published. */
  readonly uri: string;
  /** Bytes of an object that has been published, by its name. */
  readonly read: (
    object: string,
    range: { readonly start: number; readonly end: number } | undefined,
    ask: Ask,
  ) => Promise<Uint8Array>;
  /** Bytes of an input that is not a local file. */
  readonly readInput: (location: string, ask: Ask) => Promise<Uint8Array>;
}

const mostLinks = 40;

type Found = Exclude<Listed, { readonly kind: "link" }> & { readonly path: string };

export class ObjectAttemptFiles implements AttemptFiles {
  readonly #of: ObjectAttempt;
  readonly #ask: Ask;
  readonly #members: Map<string, Listed>;
  /** By path of the folder. */
  readonly #names = new Map<string, Set<string>>();
  /** What was made here, by path in the task. */
  readonly #made = new Map<string, string>();
  #madeFolders = 0;

  constructor(of: ObjectAttempt, ask: Ask) {
    this.#of = of;
    this.#ask = ask;
    this.#members = new Map([[taskRoot, { kind: "directory" }]]);
    for (const [path, member] of of.members) this.#add(path, member);
  }

  #add(path: string, member: Listed): void {
    this.#members.set(path, member);
    for (let at = path; at !== "/"; at = dirname(at)) {
      const names = this.#names.get(dirname(at)) ?? new Set();
      names.add(posix.basename(at));
      this.#names.set(dirname(at), names);
    }
  }

  async stat(path: string): Promise<AttemptStat | undefined> {
    const found = this.#find(path);
    if (found === undefined) return undefined;
    if (found.kind === "file")
      return { kind: "file", sizeBytes: found.sizeBytes, executable: found.executable };
    return found.kind === "directory" ? { kind: "directory" } : { kind: "special", what: found.what };
  }

  async read(path: string, range?: { readonly start: number; readonly end: number }): Promise<Uint8Array> {
    const found = this.#regular(path);
    const cut = range && { start: range.start, end: Math.min(range.end, found.sizeBytes) };
    if (cut !== undefined && cut.end <= cut.start) return new Uint8Array();
    const here = this.#hostPathOf(found);
    if (here !== undefined) {
      const bytes = readFileSync(onDisk(here));
      return cut === undefined ? bytes : bytes.subarray(cut.start, cut.end);
    }
    if (found.object !== undefined) return this.#of.read(found.object, cut, this.#ask);
    const bytes = await this.#of.readInput(this.#locationOfFile(found), this.#ask);
    return cut === undefined ? bytes : bytes.subarray(cut.start, cut.end);
  }

  async readText(path: string): Promise<string> {
    const text = utf8Text(Buffer.from(await this.read(path)));
    if (text !== undefined) return text;
    throw new AttemptProblem(`${shownName(path)} is not UTF-8, so it cannot be read as text`);
  }

  async list(path: string): Promise<readonly AttemptMember[] | undefined> {
    const found = this.#find(path);
    if (found?.kind !== "directory") return undefined;
    return this.#namesIn(found.path).map((name) => ({
      name,
      kind: this.#members.get(`${found.path}/${name}`)?.kind ?? "directory",
    }));
  }

  async readLink(path: string): Promise<string | undefined> {
    const place = this.#absolute(path);
    const parent = this.#find(dirname(place));
    const member = parent && this.#members.get(`${parent.path}/${posix.basename(place)}`);
    return member?.kind === "link" ? member.target : undefined;
  }

  async locationOf(path: string): Promise<string> {
    const found = this.#find(path);
    if (found === undefined) throw new AttemptProblem(`${shownName(path)} does not exist`);
    if (found.kind === "special")
      throw new AttemptProblem(`${shownName(path)} is ${found.what}, expected a regular file`);
    if (found.kind === "file") return this.#locationOfFile(found);
    const made = this.#made.get(found.path);
    if (made !== undefined) return made;
    if (this.#isUntouched(found.path)) return this.#sourceOf(found.path) ?? this.#uriOf(found.path);
    // What is in it is looked at now: whoever asks later has only the location.
    this.#membersBelow(found.path, path);
    return this.#uriOf(found.path);
  }

  pathOf(location: string): string | undefined {
    const base = `${this.#of.uri}/files/`;
    if (location.startsWith(base)) return this.#pathOfObject(location.slice(base.length));
    for (const [path, here] of this.#made) if (here === location) return path;
    for (const { path, source } of placedInputs(this.#of.attempt))
      if (location === source.location || location.startsWith(`${source.location}/`))
        return path + location.slice(source.location.length);
    return undefined;
  }

  contentAt(location: string): StoredContent | undefined {
    if (!location.startsWith(`${this.#of.uri}/files/`)) return undefined;
    const path = this.pathOf(location);
    const found = path === undefined ? undefined : this.#members.get(path);
    if (path === undefined || found === undefined) return undefined;
    if (found.kind === "file") return contentOf(found);
    return found.kind === "directory"
      ? { kind: "directory", members: this.#membersBelow(path, path) }
      : undefined;
  }

  /** On this machine: it is here that expressions are evaluated. */
  async make(members: readonly MadeMember[]): Promise<TaskPath> {
    const texts = members.every(({ kind }) => kind === "text");
    const name = texts
      ? digestOf(members.map((each) => ({ ...each }))).slice(0, 20)
      : `o${this.#madeFolders++}`;
    const root = `${taskRoot}/made/${name}`;
    const host = `${this.#of.attempt.directory}/made/${name}`;
    const folder = (path: string) => {
      mkdirSync(onDisk(path === "" ? host : `${host}/${path}`), { recursive: true });
      const at = path === "" ? root : `${root}/${path}`;
      this.#add(at, { kind: "directory" });
      this.#made.set(at, path === "" ? host : `${host}/${path}`);
    };
    const file = async (path: string, bytes: Uint8Array, executable: boolean) => {
      if (posix.dirname(path) !== ".") folder(posix.dirname(path));
      writeFileSync(onDisk(`${host}/${path}`), bytes, { mode: executable ? 0o755 : 0o644 });
      this.#add(`${root}/${path}`, madeFile(bytes, executable));
      this.#made.set(`${root}/${path}`, `${host}/${path}`);
    };
    folder("");
    for (const member of members) {
      if (member.kind === "folder") folder(member.path);
      else if (member.kind === "text") await file(member.path, bytesOfText(member.content), false);
      else await this.#copy(member, { folder, file });
    }
    return root as TaskPath;
  }

  async #copy(
    { from, path }: Extract<MadeMember, { readonly kind: "copy" }>,
    make: {
      readonly folder: (path: string) => void;
      readonly file: (path: string, bytes: Uint8Array, executable: boolean) => Promise<void>;
    },
  ): Promise<void> {
    const found = this.#find(from);
    if (found === undefined) throw new AttemptProblem(`${shownName(from)} does not exist`);
    if (found.kind === "special") throw new AttemptProblem(`${shownName(from)} is ${found.what}`);
    if (found.kind === "file") return make.file(path, await this.read(found.path), found.executable);
    make.folder(path);
    for (const name of this.#namesIn(found.path))
      await this.#copy({ kind: "copy", from: `${found.path}/${name}`, path: `${path}/${name}` }, make);
  }

  #regular(path: string): ListedFile & { readonly path: string } {
    const found = this.#find(path);
    if (found === undefined) throw new AttemptProblem(`${shownName(path)} does not exist`);
    if (found.kind === "directory") throw new AttemptProblem(`${shownName(path)} is a directory`);
    if (found.kind === "special")
      throw new AttemptProblem(`${shownName(path)} is ${found.what}, expected a regular file`);
    return found;
  }

  #absolute(path: string): string {
    const plain = posix.normalize(isAbsolute(path) ? path : `${taskWork}/${path}`).replace(/(?<=.)\/$/, "");
    const { workDir } = this.#of.attempt;
    if (workDir === undefined || (plain !== workDir && !plain.startsWith(`${workDir}/`))) return plain;
    return taskWork + plain.slice(workDir.length);
  }

  /** What is there, links followed; undefined = nothing. */
  #find(asked: string): Found | undefined {
    let rest = this.#absolute(asked).split("/").filter(Boolean);
    let at = "";
    for (let links = 0; rest.length > 0; ) {
      const [name = "", ...after] = rest;
      const next = name === ".." ? dirname(at) : `${at}/${name}`;
      const member = this.#members.get(next);
      if (member?.kind === "link") {
        if (++links > mostLinks)
          throw new AttemptProblem(
            `${shownName(asked)} is a link that leads through more than ${mostLinks} links`,
          );
        const target = this.#absolute(isAbsolute(member.target) ? member.target : `${at}/${member.target}`);
        rest = [...target.split("/").filter(Boolean), ...after];
        at = "";
        continue;
      }
      at = next === "/" ? "" : next;
      rest = after;
    }
    const member = this.#members.get(at);
    if (member === undefined) {
      // Folders above what is listed, such as that of a disk.
      if (this.#isKnown(at)) return this.#names.has(at) ? { kind: "directory", path: at } : undefined;
      throw new AttemptProblem(
        `${shownName(asked)} is outside the task's working directory`,
        "copy or move the file into the working directory in the command",
      );
    }
    invariant(member.kind !== "link", "links are followed");
    return { ...member, path: at };
  }

  /** Whether the job has listed what is at a path, if anything is. */
  #isKnown(path: string): boolean {
    const roots = [taskRoot, ...(this.#of.attempt.disks ?? [])];
    const inputs = placedInputs(this.#of.attempt).map((input): string => input.path);
    return [...roots, ...inputs].some((root) => path === root || path.startsWith(`${root}/`));
  }

  #namesIn(folder: string): readonly string[] {
    return [...(this.#names.get(folder) ?? [])].sort(byCodeUnit);
  }

  #hostPathOf(file: ListedFile & { readonly path: string }): string | undefined {
    const made = this.#made.get(file.path);
    if (made !== undefined) return made;
    const source = file.object === undefined ? this.#sourceOf(file.path) : undefined;
    return source?.startsWith("/") === true ? source : undefined;
  }

  #locationOfFile(file: ListedFile & { readonly path: string }): string {
    const made = this.#made.get(file.path);
    if (made !== undefined) return made;
    if (file.object !== undefined) return `${this.#of.uri}/files/${file.object}`;
    const source = this.#sourceOf(file.path);
    invariant(source !== undefined, `${file.path} was staged from somewhere`);
    return source;
  }

  /** Where an input at a path, or in an input's folder, came from. */
  #sourceOf(path: string): string | undefined {
    const { attempt } = this.#of;
    for (const input of placedInputs(attempt)) {
      if (path !== input.path && !path.startsWith(`${input.path}/`)) continue;
      const below = path.slice(input.path.length + 1);
      const { location } = input.source;
      if (below === "") return location;
      const content = attempt.stored?.get(location);
      if (content?.kind !== "directory") return `${location}/${below}`;
      const member = content.members.find((each) => each.path === below);
      return member?.kind === "file" ? member.location : `${location}/${below}`;
    }
    return undefined;
  }

  /** An input folder in which the task has changed nothing. */
  #isUntouched(folder: string): boolean {
    const isBelow = (path: string) => path.startsWith(`${folder}/`);
    const staged = [...this.#of.staged].filter(isBelow);
    const isInput = placedInputs(this.#of.attempt).some(
      ({ path }) => folder === path || folder.startsWith(`${path}/`),
    );
    if (!isInput) return false;
    const files = [...this.#of.members].filter(([path, { kind }]) => isBelow(path) && kind === "file");
    return (
      files.length === staged.length &&
      files.every(([, member]) => member.kind === "file" && member.object === undefined)
    );
  }

  #uriOf(folder: string): string {
    const below = folder.startsWith(`${taskRoot}/`) ? folder.slice(taskRoot.length + 1) : `outside${folder}`;
    return `${this.#of.uri}/files/${below}`;
  }

  #pathOfObject(object: string): string | undefined {
    const plain = object.startsWith("outside/") ? object.slice("outside".length) : `${taskRoot}/${object}`;
    if (this.#members.has(plain)) return plain;
    for (const [path, member] of this.#members)
      if (member.kind === "file" && member.object === object) return path;
    return undefined;
  }

  /** With what links lead to in place of those that lead out of the folder. */
  #membersBelow(root: string, shown: string): readonly StoredMember[] {
    const members: StoredMember[] = [];
    const visit = (folder: string, below: string, above: readonly string[]): void => {
      if (above.includes(folder))
        throw new AttemptProblem(`the directory ${shownName(shown)} contains itself by a link`);
      const names = this.#namesIn(folder);
      if (names.length === 0) members.push({ kind: "empty", path: below });
      for (const name of names) {
        const path = below === "" ? name : `${below}/${name}`;
        const at = `${folder}/${name}`;
        const member = this.#members.get(at) ?? { kind: "directory" as const };
        const named = `${shownName(shown)}/${shownName(path)}`;
        if (member.kind === "special")
          throw new AttemptProblem(
            `${named} is ${member.what}; a directory with such a member cannot be kept`,
          );
        if (member.kind === "directory") visit(at, path, [...above, folder]);
        else if (member.kind === "file")
          members.push({
            ...contentOf(member),
            path,
            location: this.#locationOfFile({ ...member, path: at }),
          });
        else if (member.target === "/dev/null" || (above.length === 0 && staysInside(path, member.target)))
          members.push({ kind: "link", path, target: member.target });
        else {
          const found = this.#find(at);
          if (found === undefined)
            throw new AttemptProblem(`${named} is a link to ${shownName(member.target)}, where nothing is`);
          if (found.kind === "special") throw new AttemptProblem(`${named} is a link to ${found.what}`);
          if (found.kind === "directory") visit(found.path, path, [...above, folder]);
          else members.push({ ...contentOf(found), path, location: this.#locationOfFile(found) });
        }
      }
    };
    visit(root, "", []);
    return members;
  }
}

/** Whether the text of a link at `path` of a folder, read inside the folder, stays in it. */
function staysInside(path: string, target: string): boolean {
  if (isAbsolute(target)) return false;
  let depth = path.split("/").length - 1;
  for (const part of target.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return false;
  }
  return true;
}

function contentOf({ sha256: digest, sizeBytes, executable }: ListedFile) {
  return { kind: "file" as const, sha256: digest, sizeBytes, executable };
}

function madeFile(bytes: Uint8Array, executable: boolean): ListedFile {
  return {
    kind: "file",
    sizeBytes: bytes.byteLength,
    sha256: sha256(bytes),
    md5: "",
    executable,
    object: undefined,
  };
}
