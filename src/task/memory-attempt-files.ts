/** The files of an attempt that never ran: a fake for tests of collectors, which can be made to fail. */
import { posix } from "node:path";
import { type TaskPath, utf8Text } from "../kernel/index.ts";
import {
  type AttemptFiles,
  type AttemptMember,
  AttemptProblem,
  type AttemptStat,
  type MadeMember,
} from "./attempt-files.ts";
import { taskRoot, taskWork } from "./task-call.ts";

/** By path, relative to the working directory or absolute. Folders on the way are there. */
export type MemoryFiles = Readonly<
  Record<
    string,
    string | Uint8Array | { readonly link: string } | { readonly special: string } | { readonly folder: true }
  >
>;

export class MemoryAttemptFiles implements AttemptFiles {
  readonly #nodes = new Map<string, MemoryFiles[string]>([["/", { folder: true }]]);
  readonly #inputs: Readonly<Record<string, string>>;
  #made = 0;
  /** Paths for which every question fails with these words. */
  readonly failing = new Map<string, string>();

  /** `inputs`: location -> path in the task. */
  constructor(files: MemoryFiles, inputs: Readonly<Record<string, string>> = {}) {
    this.#inputs = inputs;
    this.#put(taskWork, { folder: true });
    for (const [path, node] of Object.entries(files)) this.#put(absolute(path), node);
  }

  async stat(path: string): Promise<AttemptStat | undefined> {
    const node = this.#nodes.get(this.#resolve(path));
    if (node === undefined) return undefined;
    if (typeof node === "string" || node instanceof Uint8Array)
      return { kind: "file", sizeBytes: Buffer.from(node).byteLength, executable: false };
    return "special" in node ? { kind: "special", what: node.special } : { kind: "directory" };
  }

  async read(path: string, range?: { readonly start: number; readonly end: number }): Promise<Uint8Array> {
    const node = this.#nodes.get(this.#resolve(path));
    if (typeof node !== "string" && !(node instanceof Uint8Array))
      throw new AttemptProblem(`${path} does not exist`);
    return Buffer.from(node).subarray(range?.start, range?.end);
  }

  async readText(path: string): Promise<string> {
    const text = utf8Text(await this.read(path));
    if (text === undefined) throw new AttemptProblem(`${path} is not UTF-8, so it cannot be read as text`);
    return text;
  }

  async list(path: string): Promise<readonly AttemptMember[] | undefined> {
    const folder = this.#resolve(path);
    if ((await this.stat(path))?.kind !== "directory") return undefined;
    const members: AttemptMember[] = [];
    for (const [at, node] of this.#nodes)
      if (at !== "/" && posix.dirname(at) === folder)
        members.push({ name: posix.basename(at), kind: kindOf(node) });
    return members.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async readLink(path: string): Promise<string | undefined> {
    const at = absolute(path);
    const node = this.#nodes.get(posix.join(this.#resolve(posix.dirname(at)), posix.basename(at)));
    return typeof node === "object" && "link" in node ? node.link : undefined;
  }

  async locationOf(path: string): Promise<string> {
    const found = await this.stat(path);
    if (found === undefined) throw new AttemptProblem(`${path} does not exist`);
    return `memory:/${this.#resolve(path)}`;
  }

  pathOf(location: string): string | undefined {
    if (location.startsWith("memory:/")) return location.slice("memory:/".length);
    return this.#inputs[location];
  }

  async make(members: readonly MadeMember[]): Promise<TaskPath> {
    const folder = `${taskRoot}/made/${this.#made++}`;
    for (const member of members) {
      const path = `${folder}/${member.path}`;
      if (member.kind === "folder") this.#put(path, { folder: true });
      else if (member.kind === "text") this.#put(path, member.content);
      else {
        const from = this.#resolve(member.from);
        for (const [at, node] of [...this.#nodes])
          if (at === from || at.startsWith(`${from}/`)) this.#put(path + at.slice(from.length), node);
      }
    }
    return folder as TaskPath;
  }

  #put(path: string, node: MemoryFiles[string]): void {
    const parent = posix.dirname(path);
    if (!this.#nodes.has(parent)) this.#put(parent, { folder: true });
    this.#nodes.set(path, node);
  }

  /** Links followed, at every step. */
  #resolve(path: string): string {
    const failure = this.failing.get(path);
    if (failure !== undefined) throw new AttemptProblem(failure);
    let rest = absolute(path)
      .split("/")
      .filter((part) => part !== "");
    let at = "/";
    for (let links = 0; rest.length > 0; ) {
      const next = posix.join(at, rest.shift() ?? "");
      const node = this.#nodes.get(next);
      if (typeof node === "object" && "link" in node) {
        if (++links > 40) throw new AttemptProblem(`${path} leads through more than 40 links`);
        rest = [
          ...posix
            .resolve(at, node.link)
            .split("/")
            .filter((part) => part !== ""),
          ...rest,
        ];
        at = "/";
      } else at = next;
    }
    return at;
  }
}

function absolute(path: string): string {
  return posix.resolve(taskWork, path);
}

function kindOf(node: MemoryFiles[string]): AttemptMember["kind"] {
  if (typeof node === "string" || node instanceof Uint8Array) return "file";
  return "link" in node ? "link" : "special" in node ? "special" : "directory";
}
