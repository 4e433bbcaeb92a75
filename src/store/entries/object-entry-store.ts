/**
 * Entries over any object store. Recording writes the files first and the manifest last, so that what can be found is
 * whole; finding lists the key's objects once and trusts only what is there with the recorded size and checksum.
 */
import { randomUUID } from "node:crypto";
import { chmodSync, closeSync, fsync, linkSync, openSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { makeFolders, makeFoldersSync, placeLink, realPathOfSync } from "../../files/index.ts";
import { byCodeUnit, digestOf, sha256 as hashOf, sha256File } from "../../hash/index.ts";
import {
  AppError,
  type Ask,
  type CallKey,
  checkAsk,
  type Digest,
  mapBounded,
  onDisk,
  systemErrorCode,
} from "../../kernel/index.ts";
import type { FileValue } from "../../task/index.ts";
import type { ObjectInfo, ObjectStore } from "../objects/index.ts";
import type { Damage } from "./damage.ts";
import {
  damagedName,
  entriesPrefix,
  entryFolder,
  equalPrefix,
  keyPrefix,
  manifestName,
  parseEntryObject,
  parseEqual,
  removedName,
} from "./entry-layout.ts";
import type {
  Claim,
  Entry,
  EntryFile,
  EntryStore,
  NewEntry,
  OtherVersion,
  RecordOptions,
} from "./entry-store.ts";
import { LocalReader } from "./local-reader.ts";
import { type ManifestRead, readManifest, writeManifest } from "./manifest.ts";
import { type OutputFile, type PlannedOutputs, planOutputs } from "./output-files.ts";
import { mapFiles } from "./value-codec.ts";

export interface ObjectEntryStoreOptions {
  /** Rooted at the cache's location. */
  readonly objects: ObjectStore;
  readonly cacheUuid: string;
  /**
   * What `find` asks of each file: `recorded` = present with the recorded size and ETag (in a folder: size and mtime,
   * hashing when they differ); `content` = hash every byte. Default `recorded`.
   */
  readonly verify?: "recorded" | "content";
  /** What was read once need not be read again. Absent: contents are read each time. */
  readonly contents?: KnownContents;
  /** What manifests call an entry and the task that made it. Default: names that no account is needed for. */
  readonly names?: EntryNames;
  /** Manifests that were skipped and why; for logs. */
  readonly onEvent?: (event: EntryStoreEvent) => void;
}

/** Contents that somebody has read before. */
export interface KnownContents {
  /** Of a file on this machine. */
  ofFile(path: string, ask: Ask): Promise<Digest>;
  /** Of what a name says that is never given to other content. */
  named(name: string): Promise<Digest | undefined>;
  remember(name: string, sha256: Digest): void;
}

/** Amazon Resource Names, as whoever keeps accounts and tasks makes them. */
export interface EntryNames {
  entry(uuid: string): string;
  task(entry: Pick<Entry, "runId" | "callPath">): string;
}

export type EntryStoreEvent = {
  readonly kind: "entry.passed-over";
  readonly key: CallKey;
  readonly uuid: string;
  readonly reason: string;
};

/** Files up to this size are read in one go. */
const smallBytes = 1 << 20;

const toDisk = promisify(fsync);

/** How many files of one entry are moved at the same time. */
const filesAtOnce = 8;

export class ObjectEntryStore implements EntryStore {
  readonly #objects: ObjectStore;
  readonly #cacheUuid: string;
  readonly #verify: "recorded" | "content";
  readonly #onEvent: (event: EntryStoreEvent) => void;
  readonly #contents: KnownContents | undefined;
  readonly #names: EntryNames;
  readonly #local = new LocalReader();

  constructor(options: ObjectEntryStoreOptions) {
    this.#objects = options.objects;
    this.#cacheUuid = options.cacheUuid;
    this.#verify = options.verify ?? "recorded";
    this.#onEvent = options.onEvent ?? (() => undefined);
    this.#contents = options.contents;
    this.#names = options.names ?? {
      entry: (uuid) => `arn:memoir:::runCache/${options.cacheUuid}/cacheEntry/${uuid}`,
      task: ({ runId, callPath }) => `arn:memoir:::task/${runId}/${callPath}`,
    };
  }

  get uri(): string {
    return `${this.#objects.uri}/${this.#cacheUuid}`;
  }

  async open(ask: Ask): Promise<void> {
    await this.#objects.open(ask);
  }

  async close(): Promise<void> {
    await this.#objects.close();
  }

  find(key: CallKey, ask: Ask, claim?: Claim): Promise<Entry | undefined> {
    const folder = this.#objects.pathOf(keyPrefix(this.#cacheUuid, key).slice(0, -1));
    return folder === undefined
      ? this.#findObject(key, ask, claim)
      : this.#findLocal(folder, key, ask, claim);
  }

  /** The same as `#findObject`, with no more looks at the disk than needed: a warm run does nothing else. */
  async #findLocal(folder: string, key: CallKey, ask: Ask, claim?: Claim): Promise<Entry | undefined> {
    const manifests: { readonly uuid: string; readonly modifiedMs: number }[] = [];
    const names = (await this.#local.names(folder)).filter((name) => /^[0-9a-f-]{36}\.json$/.test(name));
    for (const name of names) {
      const modifiedMs =
        names.length === 1 ? 0 : ((await this.#local.stats(join(folder, name)))?.mtimeMs ?? 0);
      manifests.push({ uuid: name.slice(0, -".json".length), modifiedMs });
    }
    manifests.sort((a, b) => b.modifiedMs - a.modifiedMs || byCodeUnit(b.uuid, a.uuid));
    for (const { uuid } of manifests) {
      await claim?.(uuid);
      const bytes = await this.#local.bytes(join(folder, `${uuid}.json`));
      const base = `${folder}/${uuid}`;
      const entry = bytes === undefined ? undefined : this.#entryOf(bytes, { key, uuid, base });
      if (entry === undefined) continue;
      const trouble =
        (await this.#troubleWith(entry, await this.#filesOf(entry, base), ask)) ??
        (await this.#restTrouble(entry, base));
      if (trouble === undefined) return entry;
      this.#onEvent({ kind: "entry.passed-over", key, uuid, reason: trouble });
    }
    return undefined;
  }

  /** The entry's files that are there, by object name. */
  async #filesOf(entry: Entry, folder: string): Promise<ReadonlyMap<string, ObjectInfo>> {
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
  async #restTrouble(entry: Entry, folder: string): Promise<string | undefined> {
    for (const { path, target } of entry.links)
      if ((await this.#local.linkTarget(`${folder}/${path}`)) !== target)
        return `the link ${path} is no longer what was recorded`;
    for (const path of entry.emptyFolders)
      if ((await this.#local.namesIfThere(`${folder}/${path}`)) === undefined)
        return `the folder ${path} is missing`;
    return undefined;
  }

  async #findObject(key: CallKey, ask: Ask, claim?: Claim): Promise<Entry | undefined> {
    const present = new Map<string, ObjectInfo>();
    const manifests: ObjectInfo[] = [];
    for await (const info of this.#objects.list(keyPrefix(this.#cacheUuid, key), ask)) {
      present.set(info.name, info);
      if (parseEntryObject(info.name)?.kind === "manifest") manifests.push(info);
    }
    manifests.sort((a, b) => b.modifiedAt.getTime() - a.modifiedAt.getTime() || byCodeUnit(b.name, a.name));
    for (const info of manifests) {
      const object = parseEntryObject(info.name);
      if (object === undefined) continue;
      await claim?.(object.uuid);
      const entry = await this.#readEntry(info.name, object, ask);
      if (entry === undefined) continue;
      const trouble = await this.#troubleWith(entry, present, ask);
      if (trouble === undefined) return entry;
      this.#onEvent({ kind: "entry.passed-over", key, uuid: entry.uuid, reason: trouble });
    }
    return undefined;
  }

  async record(entry: NewEntry, ask: Ask, options: RecordOptions = {}): Promise<Entry> {
    const uuid = randomUUID();
    await options.claim?.(uuid);
    const folder = entryFolder(this.#cacheUuid, entry.key, uuid);
    const { attemptDirectory, ...recorded } = entry;
    const own = attemptDirectory === undefined ? undefined : realPathOfSync(attemptDirectory);
    const local = this.#objects.pathOf(folder);
    const planned = await planOutputs(entry.outputs, local === undefined ? "objects" : "real");
    const stored = await mapBounded(planned.files, filesAtOnce, (file) =>
      this.#storeFile({ folder, own, ...options }, file, ask),
    );
    if (local !== undefined) await placeRest(local, planned);
    checkAsk(ask, `recording ${entry.callPath}`);
    const bySha = new Map(stored.map((file) => [file.path, file]));
    const base = this.#baseOf(folder);
    const inside = (file: FileValue): FileValue => {
      const known = bySha.get(file.location);
      return {
        ...file,
        location: `${base}/${file.location}`,
        ...(known === undefined ? {} : { sizeBytes: known.sizeBytes, sha256: known.sha256 }),
      };
    };
    const whole: Entry = {
      ...recorded,
      uuid,
      uri: `${this.#objects.uri}/${encodeFolder(this.#objects.uri, folder)}`,
      createdAt: new Date(),
      files: stored,
      links: planned.links,
      emptyFolders: planned.emptyFolders,
      outputs: Object.fromEntries(
        Object.entries(planned.outputs).map(([name, value]) => [name, mapFiles(value, inside)]),
      ),
    };
    const arn = this.#names.entry(uuid);
    const taskArn = this.#names.task(entry);
    const manifest = writeManifest(whole, { arn, taskArn, workDir: `/mnt/memoir/work`, base });
    await this.#objects.put(manifestName(this.#cacheUuid, entry.key, uuid), manifest, ask);
    return whole;
  }

  async equalKeys(key: CallKey, ask: Ask): Promise<readonly CallKey[]> {
    const keys: CallKey[] = [];
    for await (const { name } of this.#objects.list(equalPrefix(this.#cacheUuid, key), ask)) {
      const other = parseEqual(name);
      if (other !== undefined) keys.push(other);
    }
    return keys;
  }

  async noteEqual(
    { byEtags, byContent }: { readonly byEtags: CallKey; readonly byContent: CallKey },
    ask: Ask,
  ): Promise<void> {
    const name = `${equalPrefix(this.#cacheUuid, byEtags)}${byContent}`;
    await this.#objects.put(name, new Uint8Array(), ask);
  }

  /** Notes of keys that nothing is recorded under any more. */
  async removeStaleNotes(ask: Ask): Promise<void> {
    const stale: string[] = [];
    for await (const { name } of this.#objects.list(equalPrefix(this.#cacheUuid), ask)) {
      const other = parseEqual(name);
      if (other !== undefined && !(await this.#hasEntries(other, ask))) stale.push(name);
    }
    await this.#objects.remove(stale, ask);
  }

  async #hasEntries(key: CallKey, ask: Ask): Promise<boolean> {
    for await (const _ of this.#objects.list(keyPrefix(this.#cacheUuid, key), ask)) return true;
    return false;
  }

  async *list(ask: Ask): AsyncIterable<Entry> {
    for await (const { read } of this.listManifests(ask)) if (read.kind === "entry") yield read.entry;
  }

  async *listOtherVersions(ask: Ask): AsyncIterable<OtherVersion> {
    for await (const { read } of this.listManifests(ask))
      if (read.kind === "other-version") yield { taskName: read.task, version: read.version };
  }

  /** Every manifest with what reading it gave, and every other object below `entries/`. For maintenance. */
  async *listManifests(ask: Ask): AsyncIterable<{
    readonly name: string;
    readonly key: CallKey;
    readonly uuid: string;
    /** When the manifest was written, by the store's clock. */
    readonly modifiedAt: Date;
    readonly read: ManifestRead;
  }> {
    for await (const info of this.#objects.list(entriesPrefix(this.#cacheUuid), ask)) {
      const object = parseEntryObject(info.name);
      if (object?.kind !== "manifest") continue;
      const bytes = await this.#objects.read(info.name, ask);
      if (bytes === undefined) continue;
      const { name, modifiedAt } = info;
      yield { name, key: object.key, uuid: object.uuid, modifiedAt, read: this.#parse(bytes, object) };
    }
  }

  /** Manifests go first: from then on nobody finds the entry. */
  async remove(
    entries: readonly { readonly key: CallKey; readonly uuid: string }[],
    ask: Ask,
  ): Promise<void> {
    await this.#objects.remove(
      entries.map((entry) => manifestName(this.#cacheUuid, entry.key, entry.uuid)),
      ask,
    );
    for (const entry of entries) {
      const names: string[] = [];
      const folder = entryFolder(this.#cacheUuid, entry.key, entry.uuid);
      for await (const info of this.#objects.list(`${folder}/`, ask)) names.push(info.name);
      // What says that the entry is being removed goes last, so that a removal which is killed can be finished.
      await this.#objects.remove(names, ask);
      await this.#objects.remove([removedName(this.#cacheUuid, entry.key, entry.uuid)], ask);
      // Links and folders are not objects.
      const path = this.#objects.pathOf(folder);
      if (path === undefined) continue;
      await rm(path, { recursive: true, force: true });
      removeEmptyFolders(dirname(path), 2);
      removeEmptyFolders(dirname(this.#pathOfRemoved(entry)), 2);
    }
  }

  #pathOfRemoved({ key, uuid }: { readonly key: CallKey; readonly uuid: string }): string {
    return this.#objects.pathOf(removedName(this.#cacheUuid, key, uuid)) ?? "";
  }

  /**
   * The first half of a careful removal: the manifest is kept under another name, so that nobody finds the entry. false
   * when there is no manifest (any more).
   */
  async layAside(entry: { readonly key: CallKey; readonly uuid: string }, ask: Ask): Promise<boolean> {
    const { key, uuid } = entry;
    const name = manifestName(this.#cacheUuid, key, uuid);
    const bytes = await this.#objects.read(name, ask);
    if (bytes === undefined) return false;
    await this.#objects.put(removedName(this.#cacheUuid, key, uuid), bytes, ask);
    await this.#objects.remove([name], ask);
    return true;
  }

  /** Undoes `layAside`. */
  async putBack(entry: { readonly key: CallKey; readonly uuid: string }, ask: Ask): Promise<void> {
    const { key, uuid } = entry;
    const aside = removedName(this.#cacheUuid, key, uuid);
    const bytes = await this.#objects.read(aside, ask);
    if (bytes !== undefined) await this.#objects.put(manifestName(this.#cacheUuid, key, uuid), bytes, ask);
    await this.#objects.remove([aside], ask);
  }

  async hasManifest(entry: { readonly key: CallKey; readonly uuid: string }, ask: Ask): Promise<boolean> {
    return (
      (await this.#objects.head(manifestName(this.#cacheUuid, entry.key, entry.uuid), ask)) !== undefined
    );
  }

  /** Takes an entry out of use without losing it: its manifest moves to `damaged/`. */
  async setAside(entry: { readonly key: CallKey; readonly uuid: string }, ask: Ask): Promise<void> {
    const name = manifestName(this.#cacheUuid, entry.key, entry.uuid);
    const bytes = await this.#objects.read(name, ask);
    if (bytes !== undefined)
      await this.#objects.put(damagedName(this.#cacheUuid, entry.key, entry.uuid), bytes, ask);
    await this.#objects.remove([name], ask);
  }

  /** What is wrong with the entry's files, hashing every byte; undefined when all is well. */
  async verify(entry: Entry, ask: Ask): Promise<Damage | undefined> {
    const present = new Map<string, ObjectInfo>();
    const folder = `${entryFolder(this.#cacheUuid, entry.key, entry.uuid)}/`;
    for await (const info of this.#objects.list(folder, ask)) present.set(info.name, info);
    const local = this.#objects.pathOf(folder.slice(0, -1));
    const reasons: string[] = [];
    const wrong: EntryFile[] = [];
    const gone: EntryFile[] = [];
    for (const file of entry.files) {
      const reason = await this.#troubleWith({ ...entry, files: [file] }, present, ask, "content");
      if (reason === undefined) continue;
      reasons.push(reason);
      (present.has(`${folder}${file.path}`) ? wrong : gone).push(file);
    }
    const rest = local === undefined ? undefined : await this.#restTrouble(entry, local);
    const [reason = rest, ...more] = reasons;
    if (reason === undefined) return undefined;
    const others = more.length === 0 ? "" : `, and ${more.length} more`;
    return { reason: `${reason}${others}`, wrong, gone, rest: rest !== undefined };
  }

  async #readEntry(
    name: string,
    object: { readonly key: CallKey; readonly uuid: string },
    ask: Ask,
  ): Promise<Entry | undefined> {
    const bytes = await this.#objects.read(name, ask);
    return bytes === undefined ? undefined : this.#entryOf(bytes, object);
  }

  #entryOf(
    bytes: Uint8Array,
    object: { readonly key: CallKey; readonly uuid: string; readonly base?: string },
  ): Entry | undefined {
    const read = this.#parse(bytes, object);
    if (read.kind === "entry" && read.entry.key === object.key) return read.entry;
    const reason =
      read.kind === "damaged"
        ? read.reason
        : read.kind === "entry"
          ? "the manifest belongs to another key"
          : `written as version ${read.version}`;
    this.#onEvent({ kind: "entry.passed-over", key: object.key, uuid: object.uuid, reason });
    return undefined;
  }

  /** `base`: where the entry's folder is, when that is known already. */
  #parse(
    bytes: Uint8Array,
    object: { readonly key: CallKey; readonly uuid: string; readonly base?: string },
  ): ManifestRead {
    const folder = entryFolder(this.#cacheUuid, object.key, object.uuid);
    return readManifest(bytes, {
      uuid: object.uuid,
      uri: `${this.#objects.uri}/${encodeFolder(this.#objects.uri, folder)}`,
      base: object.base ?? this.#baseOf(folder),
    });
  }

  async #troubleWith(
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
    const piece = 8 << 20;
    for (let start = 0; start < file.sizeBytes; start += piece) {
      const end = Math.min(start + piece, file.sizeBytes);
      hasher.update(await this.#objects.readRange(name, { start, end }, ask));
    }
    return hasher.digest("hex");
  }

  async #storeFile(
    place: { readonly folder: string; readonly own: string | undefined } & RecordOptions,
    file: OutputFile,
    ask: Ask,
  ): Promise<EntryFile> {
    const name = `${place.folder}/${file.path}`;
    // Small looks at the attempt's own files are made at once, as `LocalReader` does it and for the same reason.
    const source = realPathOfSync(file.source);
    const { size, nlink, mode: sourceMode } = statSync(onDisk(source));
    const executable = (sourceMode & 0o100) === 0 ? {} : { executable: true as const };
    const { name: _name, source: _source, ...paths } = file;
    const facts = { name: file.name, ...paths, ...executable };
    // The planned path is safe; its names need not be such as every store can hold.
    const folder = this.#objects.pathOf(place.folder);
    const target = folder === undefined ? undefined : `${folder}/${file.path}`;
    if (target === undefined) {
      const sha256 = await contentOf(source, size, ask);
      place.onContent?.(file.source, sha256);
      const { sizeBytes, etag } = await this.#objects.putFile(name, source, ask);
      return { ...facts, sha256, sizeBytes, etag: etag ?? "" };
    }
    const own = place.own !== undefined && source.startsWith(`${place.own}/`) && nlink === 1;
    if (!(own && (await linkInto(source, target)))) await this.#objects.putFile(name, source, ask);
    // Shared by link with runs that reuse it: nobody may write to it.
    chmodSync(onDisk(target), 0o444 | (sourceMode & 0o111));
    // Read where it lies, after it was flushed: what is recorded is what is there.
    const before = statSync(onDisk(target));
    const sha256 = await contentOf(target, before.size, ask);
    const { mtime, ctimeMs, size: sizeBytes } = statSync(onDisk(target));
    if (ctimeMs !== before.ctimeMs || sizeBytes !== before.size)
      throw new AppError("FILE_CHANGED", `recording ${source}: it changed while it was recorded`);
    place.onContent?.(file.source, sha256);
    return { ...facts, sha256, sizeBytes, etag: "", modifiedAtMs: mtime.getTime() };
  }

  #baseOf(folder: string): string {
    return this.#objects.pathOf(folder) ?? `${this.#objects.uri}/${folder}`;
  }
}

export function createEntryStore(options: ObjectEntryStoreOptions): ObjectEntryStore {
  return new ObjectEntryStore(options);
}

async function contentOf(path: string, sizeBytes: number, ask: Ask): Promise<Digest> {
  return sizeBytes <= smallBytes ? hashOf(readFileSync(onDisk(path))) : sha256File(path, ask.signal);
}

/** false where hard links are refused: another file system, too many links, or a file system without them. */
async function linkInto(source: string, target: string): Promise<boolean> {
  try {
    makeFoldersSync(dirname(target));
    try {
      linkSync(onDisk(source), onDisk(target));
    } catch (error) {
      // An empty folder may be tidied away between the two.
      if (systemErrorCode(error) !== "ENOENT") throw error;
      makeFoldersSync(dirname(target));
      linkSync(onDisk(source), onDisk(target));
    }
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "EXDEV" || code === "EMLINK" || code === "EPERM" || code === "ENOTSUP") return false;
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new AppError("DISK_FULL", `recording ${target}: the disk is full`, { cause: error });
    if (code === "EACCES" || code === "EROFS")
      throw new AppError("STORE_NOT_WRITABLE", `recording ${target}: ${code}`, { cause: error });
    throw error;
  }
  // Only what waits for the disk is handed to a thread.
  const fd = openSync(onDisk(target), "r");
  try {
    await toDisk(fd);
  } finally {
    closeSync(fd);
  }
  return true;
}

/** What of the outputs is not a file: an object store keeps it in the manifest alone. */
async function placeRest(folder: string, planned: PlannedOutputs): Promise<void> {
  for (const path of planned.emptyFolders) await makeFolders(`${folder}/${path}`);
  for (const { path, target } of planned.links) {
    await makeFolders(dirname(`${folder}/${path}`));
    await placeLink(target, `${folder}/${path}`);
  }
}

/** `folder` and those above it, `levels` in all, as far as they hold nothing. */
function removeEmptyFolders(folder: string, levels: number): void {
  if (levels === 0) return;
  try {
    rmdirSync(folder);
  } catch {
    // In use, gone, or not ours to remove: an empty folder harms nobody.
    return;
  }
  removeEmptyFolders(dirname(folder), levels - 1);
}

function encodeFolder(uri: string, folder: string): string {
  return uri.startsWith("file://") ? encodeURI(folder) : folder;
}
