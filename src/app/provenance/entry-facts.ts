/** What the manifests of entries say about files, whether the entry is in a folder or on S3. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { filesOf } from "../../engine/index.ts";
import { type Ask, checkAsk, defined, Semaphore } from "../../kernel/index.ts";
import type { RemoteFiles } from "../../keys/index.ts";
import { type Entry, identityOfMembers, membersOf, readManifest } from "../../store/entries/index.ts";

export interface OutputFact {
  readonly output: string;
  readonly kind: "file" | "directory";
  readonly location: string;
  /** As the identity of an input of the same content, without the bit that makes it a program. */
  readonly identity?: string;
  readonly bytes?: number;
  /** Of a file in a folder: the folder is an output, too. */
  readonly isMember?: true;
  /** Where the command left what is recorded, and named again by its place in the entry. */
  readonly isLeft?: true;
}

export interface EntryFacts {
  readonly runId: string;
  readonly callPath: string;
  readonly task: string;
  readonly workflow: string;
  readonly language: string;
  readonly createdAt: Date;
  readonly command?: string;
  readonly image?: string;
  readonly imageDigest?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: readonly OutputFact[];
}

const readsAtOnce = 32;
/** Manifests that are kept: many runs share the same entries. */
const mostKept = 20_000;

export class EntryReader {
  readonly #remote: RemoteFiles;
  readonly #ask: Ask;
  readonly #reads = new Semaphore(readsAtOnce);
  readonly #kept = new Map<string, Promise<EntryFacts | undefined>>();

  constructor({ remote, ask }: { readonly remote: RemoteFiles; readonly ask: Ask }) {
    this.#remote = remote;
    this.#ask = ask;
  }

  /** undefined = the entry was removed, or cannot be read from here. */
  at(uri: string | undefined): Promise<EntryFacts | undefined> {
    if (uri === undefined) return Promise.resolve(undefined);
    const known = this.#kept.get(uri);
    if (known !== undefined) return known;
    const read = this.#reads.use(() => this.#read(uri));
    this.#kept.set(uri, read);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
    return read;
  }

  async #read(uri: string): Promise<EntryFacts | undefined> {
    checkAsk(this.#ask, "reading the manifests of entries");
    try {
      const isLocal = uri.startsWith("file://");
      const base = isLocal ? fileURLToPath(uri) : uri;
      const bytes = isLocal ? await readFile(`${base}.json`) : await this.#fetched(`${uri}.json`);
      const read = readManifest(bytes, { uuid: uri.slice(uri.lastIndexOf("/") + 1), uri, base });
      return read.kind === "entry" ? factsOfEntry(read.entry) : undefined;
    } catch {
      checkAsk(this.#ask, "reading the manifests of entries");
      return undefined;
    }
  }

  async #fetched(location: string): Promise<Uint8Array> {
    const folder = await mkdtemp(join(tmpdir(), "memoir-manifest-"));
    try {
      await this.#remote.fetch(location, join(folder, "manifest"), {}, this.#ask);
      return await readFile(join(folder, "manifest"));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

export function factsOfEntry(entry: Entry): EntryFacts {
  const outputs: OutputFact[] = [];
  const seen = new Set<string>();
  const add = (fact: OutputFact) => {
    if (!seen.has(fact.location)) outputs.push(fact);
    seen.add(fact.location);
  };
  for (const [output, value] of Object.entries(entry.outputs))
    for (const file of filesOf({ [output]: value })) {
      const { location, kind } = file;
      if (kind === "file") {
        const known = entry.files.find(({ path }) => location.endsWith(`/${entry.uuid}/${path}`));
        const sha256 = known?.sha256 ?? file.sha256;
        const identity = sha256 === undefined ? undefined : `sha256:${sha256}`;
        add({ output, kind, location, ...defined({ identity, bytes: known?.sizeBytes ?? file.sizeBytes }) });
        continue;
      }
      const members = membersOf(entry, file);
      if (members === undefined) continue;
      const identity = identityOfMembers(
        members.map((each) => (each.kind === "file" ? { ...each, sha256: each.file.sha256 } : each)),
      ).text;
      add({ output, kind, location: location.replace(/\/+$/, ""), identity });
      for (const member of members)
        if (member.kind === "file")
          add({
            ...{ output, kind: "file", location: member.location, isMember: true },
            ...{ identity: `sha256:${member.file.sha256}`, bytes: member.file.sizeBytes },
          });
    }
  const { inputs } = entry.components;
  const { runId, callPath, taskName: task, workflow, language, createdAt, image } = entry;
  return {
    ...{ runId, callPath, task, workflow, language, createdAt, outputs },
    ...defined({
      command: commandIn(entry.components),
      image: image?.requested,
      imageDigest: image?.configDigest,
    }),
    inputs: isObject(inputs) ? inputs : {},
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What the task runs: the script, where the command is only what starts it. */
export function commandIn({ inputs, command }: Readonly<Record<string, unknown>>): string | undefined {
  for (const value of isObject(inputs) ? Object.values(inputs) : [])
    if (isObject(value) && typeof value["script"] === "string") return value["script"];
  return typeof command === "string" ? command : undefined;
}
