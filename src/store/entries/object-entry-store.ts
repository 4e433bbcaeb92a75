/**
 * Entries over any object store. Recording writes the files first and the manifest last, so that what can be found is
 * whole; finding lists the key's objects once and trusts only what is there with the recorded size and checksum.
 */
import { randomUUID } from "node:crypto";
import { realPathOfSync } from "../../files/index.ts";
import { type Ask, type CallKey, checkAsk, defined, mapBounded } from "../../kernel/index.ts";
import type { FileValue } from "../../task/index.ts";
import type { ObjectInfo, ObjectStore } from "../objects/index.ts";
import type { Damage } from "./damage.ts";
import { EntryCheck, type KnownContents } from "./entry-check.ts";
import { EntryFinder, type EntryStoreEvent } from "./entry-finder.ts";
import { entryFolder, manifestName } from "./entry-layout.ts";
import {
  baseOfFolder,
  EntryManifests,
  type EntryName,
  type ListedManifest,
  uriOfFolder,
} from "./entry-manifests.ts";
import type { Claim, Entry, EntryStore, NewEntry, OtherVersion, RecordOptions } from "./entry-store.ts";
import { EqualKeys } from "./equal-keys.ts";
import { LocalReader } from "./local-reader.ts";
import { writeManifest } from "./manifest.ts";
import { planOutputs } from "./output-files.ts";
import { removeEntries } from "./remove-entries.ts";
import { placeRest, storeFile } from "./store-file.ts";
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

/** Amazon Resource Names, as whoever keeps accounts and tasks makes them. */
export interface EntryNames {
  entry(uuid: string): string;
  task(entry: Pick<Entry, "runId" | "callPath">): string | Promise<string>;
}

/** How many files of one entry are moved at the same time. */
const filesAtOnce = 8;

export class ObjectEntryStore implements EntryStore {
  readonly #objects: ObjectStore;
  readonly #cacheUuid: string;
  readonly #names: EntryNames;
  readonly #manifests: EntryManifests;
  readonly #check: EntryCheck;
  readonly #finder: EntryFinder;
  readonly #equal: EqualKeys;

  constructor(options: ObjectEntryStoreOptions) {
    const { objects, cacheUuid, contents, verify = "recorded", onEvent = () => undefined } = options;
    const local = new LocalReader();
    const manifests = new EntryManifests(objects, cacheUuid);
    const check = new EntryCheck({ objects, cacheUuid, verify, contents, local });
    this.#objects = objects;
    this.#cacheUuid = cacheUuid;
    this.#manifests = manifests;
    this.#check = check;
    this.#finder = new EntryFinder({ objects, cacheUuid, manifests, check, local, onEvent });
    this.#equal = new EqualKeys(objects, cacheUuid);
    this.#names = options.names ?? {
      entry: (uuid) => `arn:memoir:::runCache/${cacheUuid}/cacheEntry/${uuid}`,
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
    return this.#finder.find(key, ask, claim);
  }

  async record(entry: NewEntry, ask: Ask, options: RecordOptions = {}): Promise<Entry> {
    const uuid = (await options.newUuid?.()) ?? randomUUID();
    const folder = entryFolder(this.#cacheUuid, entry.key, uuid);
    const { attemptDirectory, stored: known, ...recorded } = entry;
    const own = attemptDirectory === undefined ? undefined : realPathOfSync(attemptDirectory);
    const local = this.#objects.pathOf(folder);
    const planned = await planOutputs(entry.outputs, local === undefined ? "objects" : "real", known);
    const stored = await mapBounded(planned.files, filesAtOnce, (file) =>
      storeFile({ objects: this.#objects, folder, own, ...defined({ known }), ...options }, file, ask),
    );
    if (local !== undefined) await placeRest(local, planned);
    checkAsk(ask, `recording ${entry.callPath}`);
    const bySha = new Map(stored.map((file) => [file.path, file]));
    const base = baseOfFolder(this.#objects, folder);
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
      uri: uriOfFolder(this.#objects, folder),
      createdAt: new Date(),
      files: stored,
      links: planned.links,
      emptyFolders: planned.emptyFolders,
      outputs: Object.fromEntries(
        Object.entries(planned.outputs).map(([name, value]) => [name, mapFiles(value, inside)]),
      ),
    };
    const arn = this.#names.entry(uuid);
    const taskArn = await this.#names.task(entry);
    const manifest = writeManifest(whole, { arn, taskArn, workDir: `/mnt/memoir/work`, base });
    await this.#objects.put(manifestName(this.#cacheUuid, entry.key, uuid), manifest, ask);
    return whole;
  }

  equalKeys(key: CallKey, ask: Ask): Promise<readonly CallKey[]> {
    return this.#equal.of(key, ask);
  }

  noteEqual(keys: { readonly byEtags: CallKey; readonly byContent: CallKey }, ask: Ask): Promise<void> {
    return this.#equal.note(keys, ask);
  }

  /** Notes of keys that nothing is recorded under any more. */
  removeStaleNotes(ask: Ask): Promise<void> {
    return this.#equal.removeStale(ask);
  }

  async *list(ask: Ask): AsyncIterable<Entry> {
    for await (const { read } of this.listManifests(ask)) if (read.kind === "entry") yield read.entry;
  }

  async *listOtherVersions(ask: Ask): AsyncIterable<OtherVersion> {
    for await (const { read } of this.listManifests(ask))
      if (read.kind === "other-version") yield { taskName: read.task, version: read.version };
  }

  /** Every manifest with what reading it gave. For maintenance. */
  listManifests(ask: Ask): AsyncIterable<ListedManifest> {
    return this.#manifests.list(ask);
  }

  remove(entries: readonly EntryName[], ask: Ask): Promise<void> {
    return removeEntries({ objects: this.#objects, cacheUuid: this.#cacheUuid }, entries, ask);
  }

  /**
   * The first half of a careful removal: the manifests are kept under other names, so that nobody finds the entries.
   * Answers which of them had a manifest (still).
   */
  layAside(entries: readonly EntryName[], ask: Ask): Promise<readonly boolean[]> {
    return this.#manifests.layAside(entries, ask);
  }

  /** Undoes `layAside`. */
  putBack(entry: EntryName, ask: Ask): Promise<void> {
    return this.#manifests.putBack(entry, ask);
  }

  hasManifest(entry: EntryName, ask: Ask): Promise<boolean> {
    return this.#manifests.isThere(entry, ask);
  }

  /** Takes an entry out of use without losing it: its manifest moves to `damaged/`. */
  setAside(entry: EntryName, ask: Ask): Promise<void> {
    return this.#manifests.setAside(entry, ask);
  }

  /**
   * What is wrong with the entry's files, hashing every byte; undefined when all is well. `listed`: its objects, as a
   * listing named them a moment ago.
   */
  verify(entry: Entry, ask: Ask, listed?: ReadonlyMap<string, ObjectInfo>): Promise<Damage | undefined> {
    return this.#check.damageOf(entry, ask, listed);
  }
}

export function createEntryStore(options: ObjectEntryStoreOptions): ObjectEntryStore {
  return new ObjectEntryStore(options);
}
