/** Whether an entry's files are still what was recorded. */
import { digestOf, sha256File } from "../../hash/index.ts";
import { type Ask, type Digest, isAppError, mapBounded, Semaphore } from "../../kernel/index.ts";
import type { ObjectInfo, ObjectStore } from "../objects/index.ts";
import type { Damage } from "./damage.ts";
import { entryFolder } from "./entry-layout.ts";
import type { Entry, EntryFile } from "./entry-store.ts";
import type { LocalReader } from "./local-reader.ts";

/** Contents that somebody has read before. */
export interface KnownContents {
  /** Of a file on this machine. */
  ofFile(path: string, ask: Ask): Promise<Digest>;
  /** Of what a name says that is never given to other content. */
  named(name: string): Promise<Digest | undefined>;
  remember(name: string, sha256: Digest): void;
}

/** Pieces of objects in memory, however many entries are hashed. */
const hashesAtOnce = 16;
const pieceBytes = 8 << 20;

export class EntryCheck {
  readonly #pieces = new Semaphore(hashesAtOnce);
  readonly #objects: ObjectStore;
  readonly #cacheUuid: string;
  readonly #verify: "recorded" | "content";
  readonly #contents: KnownContents | undefined;
  readonly #local: LocalReader;

  constructor(parts: {
    readonly objects: ObjectStore;
    readonly cacheUuid: string;
    readonly verify: "recorded" | "content";
    readonly contents: KnownContents | undefined;
    readonly local: LocalReader;
  }) {
    this.#objects = parts.objects;
    this.#cacheUuid = parts.cacheUuid;
    this.#verify = parts.verify;
    this.#contents = parts.contents;
    this.#local = parts.local;
  }

  /** The entry's files that are there, by object name. */
  async filesOf(entry: Entry, folder: string): Promise<ReadonlyMap<string, ObjectInfo>> {
    const present = new Map<string, ObjectInfo>();
    const prefix = entryFolder(this.#cacheUuid, entry.key, entry.uuid);
    for (const { path } of entry.files) {
      const stats = await this.#local.stats(`${folder}/${path}`);
      if (stats === undefined) continue;
      const name = `${prefix}/${path}`;
      present.set(name, { name, sizeBytes: stats.size, modifiedAt: stats.mtime });
    }
    return present;
  }

  /** What is wrong with the links and empty folders of an entry in a folder. */
  async restTrouble(entry: Entry, folder: string): Promise<string | undefined> {
    for (const { path, target } of entry.links)
      if ((await this.#local.linkTarget(`${folder}/${path}`)) !== target)
        return `the link ${path} is no longer what was recorded`;
    for (const path of entry.emptyFolders)
      if ((await this.#local.namesIfThere(`${folder}/${path}`)) === undefined)
        return `the folder ${path} is missing`;
    return undefined;
  }

  /**
   * What is wrong with the entry's files, hashing every byte; undefined when all is well. `listed`: its objects, as a
   * listing named them a moment ago. Where these are not what was recorded, they are listed again before that is said.
   */
  async damageOf(
    entry: Entry,
    ask: Ask,
    listed?: ReadonlyMap<string, ObjectInfo>,
  ): Promise<Damage | undefined> {
    if (listed !== undefined && (await this.#isSound(entry, listed, ask))) return undefined;
    const present = new Map<string, ObjectInfo>();
    const folder = `${entryFolder(this.#cacheUuid, entry.key, entry.uuid)}/`;
    for await (const info of this.#objects.list(folder, ask)) present.set(info.name, info);
    return this.#damageAmong(entry, present, ask);
  }

  async #isSound(entry: Entry, present: ReadonlyMap<string, ObjectInfo>, ask: Ask): Promise<boolean> {
    try {
      return (await this.#damageAmong(entry, present, ask)) === undefined;
    } catch (error) {
      // Removed or replaced meanwhile.
      if (isAppError(error, "STORE_OBJECT_NOT_FOUND") || isAppError(error, "STORE_OBJECT_DAMAGED"))
        return false;
      throw error;
    }
  }

  async #damageAmong(
    entry: Entry,
    present: ReadonlyMap<string, ObjectInfo>,
    ask: Ask,
  ): Promise<Damage | undefined> {
    const folder = `${entryFolder(this.#cacheUuid, entry.key, entry.uuid)}/`;
    const local = this.#objects.pathOf(folder.slice(0, -1));
    const found = await mapBounded(entry.files, local === undefined ? hashesAtOnce : 1, (file) =>
      this.troubleWith({ ...entry, files: [file] }, present, ask, "content"),
    );
    const reasons = found.filter((reason) => reason !== undefined);
    const bad = entry.files.filter((_, i) => found[i] !== undefined);
    const isThere = ({ path }: EntryFile) => present.has(`${folder}${path}`);
    const rest = local === undefined ? undefined : await this.restTrouble(entry, local);
    const [reason = rest, ...more] = reasons;
    if (reason === undefined) return undefined;
    const others = more.length === 0 ? "" : `, and ${more.length} more`;
    return {
      reason: `${reason}${others}`,
      wrong: bad.filter(isThere),
      gone: bad.filter((file) => !isThere(file)),
      rest: rest !== undefined,
    };
  }

  /** What is wrong with the entry's files, given those that are there; undefined when all is well. */
  async troubleWith(
    entry: Entry,
    present: ReadonlyMap<string, ObjectInfo>,
    ask: Ask,
    verify: "recorded" | "content" = this.#verify,
  ): Promise<string | undefined> {
    const folder = entryFolder(this.#cacheUuid, entry.key, entry.uuid);
    for (const file of entry.files) {
      const info = present.get(`${folder}/${file.path}`);
      if (info === undefined) return `${file.path} is missing`;
      if (info.sizeBytes !== file.sizeBytes)
        return `${file.path} has ${info.sizeBytes} bytes, recorded were ${file.sizeBytes}`;
      // A copy of the cache has other times and may have other ETags: then the content decides.
      const copied = file.etag !== "" && info.etag !== undefined && info.etag !== file.etag;
      const touched = file.modifiedAtMs !== undefined && info.modifiedAt.getTime() !== file.modifiedAtMs;
      if (verify !== "content" && !copied && !touched) continue;
      const content =
        verify === "content"
          ? await this.#hashOf(info.name, file, ask)
          : await this.#contentOf(info, file, ask);
      if (content !== file.sha256) return `${file.path} no longer has its recorded content`;
    }
    return undefined;
  }

  /** Read once, where that can be remembered. */
  async #contentOf(info: ObjectInfo, file: EntryFile, ask: Ask): Promise<string> {
    const path = this.#objects.pathOf(info.name);
    if (path !== undefined && this.#contents !== undefined) return this.#contents.ofFile(path, ask);
    // An ETag goes with one content of one object; without one nothing shows whether it changed.
    const name =
      info.etag === undefined
        ? undefined
        : `entry-${digestOf([this.#objects.uri, info.name, info.etag, info.sizeBytes])}`;
    const known = name === undefined ? undefined : await this.#contents?.named(name);
    if (known !== undefined) return known;
    const content = await this.#hashOf(info.name, file, ask);
    if (name !== undefined && (await this.#objects.head(info.name, ask))?.etag === info.etag)
      this.#contents?.remember(name, content as Digest);
    return content;
  }

  async #hashOf(name: string, file: EntryFile, ask: Ask): Promise<string> {
    const path = this.#objects.pathOf(name);
    if (path !== undefined) return sha256File(path, ask.signal);
    const { createHash } = await import("node:crypto");
    const hasher = createHash("sha256");
    const reader = await this.#objects.openReader(name, file.sizeBytes, ask);
    try {
      for (let start = 0; start < file.sizeBytes; start += pieceBytes) {
        const range = { start, end: Math.min(start + pieceBytes, file.sizeBytes) };
        const [bytes = new Uint8Array()] = await this.#pieces.use(() => reader.readRanges([range], ask));
        hasher.update(bytes);
      }
    } finally {
      await reader.close();
    }
    return hasher.digest("hex");
  }
}
