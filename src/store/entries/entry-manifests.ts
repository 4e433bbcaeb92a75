/** The manifests of a cache: read, listed, and moved out of the way and back. */
import { type Ask, type CallKey, isAppError, mapAhead, mapBounded } from "../../kernel/index.ts";
import type { ObjectInfo, ObjectStore } from "../objects/index.ts";
import {
  damagedName,
  entriesPrefix,
  entryFolder,
  manifestName,
  parseEntryObject,
  removedName,
} from "./entry-layout.ts";
import { type ManifestRead, readManifest } from "./manifest.ts";

export interface EntryName {
  readonly key: CallKey;
  readonly uuid: string;
}

export interface ListedManifest extends EntryName {
  readonly name: string;
  /** When the manifest was written, by the store's clock. */
  readonly modifiedAt: Date;
  readonly read: ManifestRead;
  /** The objects of the entry that the same listing named, without the manifest; by name. */
  readonly files: ReadonlyMap<string, ObjectInfo>;
  /** What they and the manifest take. */
  readonly bytes: number;
}

/** Manifests that are read ahead, and moved at the same time. */
const readsAtOnce = 32;

export class EntryManifests {
  readonly #objects: ObjectStore;
  readonly #cacheUuid: string;

  constructor(objects: ObjectStore, cacheUuid: string) {
    this.#objects = objects;
    this.#cacheUuid = cacheUuid;
  }

  /** `base`: where the entry's folder is, when that is known already. */
  parse(bytes: Uint8Array, object: EntryName & { readonly base?: string }): ManifestRead {
    const folder = entryFolder(this.#cacheUuid, object.key, object.uuid);
    return readManifest(bytes, {
      uuid: object.uuid,
      uri: uriOfFolder(this.#objects, folder),
      base: object.base ?? baseOfFolder(this.#objects, folder),
    });
  }

  /** Every manifest with what reading it gave. */
  async *list(ask: Ask): AsyncIterable<ListedManifest> {
    const read = mapAhead(this.#listed(ask), readsAtOnce, async ({ sizeBytes, ...listed }) => ({
      listed,
      bytes: await readListed(this.#objects, { name: listed.name, sizeBytes }, ask),
    }));
    for await (const { listed, bytes } of read)
      if (bytes !== undefined) yield { ...listed, read: this.parse(bytes, listed) };
  }

  /** By the order of names an entry's files follow its manifest. */
  async *#listed(ask: Ask): AsyncGenerator<Omit<ListedManifest, "read"> & { readonly sizeBytes: number }> {
    let entry: { manifest: ObjectInfo & EntryName; files: Map<string, ObjectInfo> } | undefined;
    const done = ({ manifest, files }: NonNullable<typeof entry>) => {
      const { name, key, uuid, modifiedAt, sizeBytes } = manifest;
      const bytes = [...files.values()].reduce((sum, file) => sum + file.sizeBytes, sizeBytes);
      return { name, key, uuid, modifiedAt, sizeBytes, files, bytes };
    };
    for await (const info of this.#objects.list(entriesPrefix(this.#cacheUuid), ask)) {
      const object = parseEntryObject(info.name);
      if (object?.kind === "manifest") {
        if (entry !== undefined) yield done(entry);
        entry = { manifest: { ...info, key: object.key, uuid: object.uuid }, files: new Map() };
      } else if (object !== undefined && object.uuid === entry?.manifest.uuid)
        entry.files.set(info.name, info);
    }
    if (entry !== undefined) yield done(entry);
  }

  /**
   * The first half of a careful removal: the manifests are kept under other names, so that nobody finds the entries.
   * Answers which of them had a manifest (still).
   */
  async layAside(entries: readonly EntryName[], ask: Ask): Promise<readonly boolean[]> {
    const names = entries.map(({ key, uuid }) => manifestName(this.#cacheUuid, key, uuid));
    const there = await mapBounded(entries, readsAtOnce, async ({ key, uuid }, i) => {
      const bytes = await this.#objects.read(names[i] ?? "", ask);
      if (bytes === undefined) return false;
      await this.#objects.put(removedName(this.#cacheUuid, key, uuid), bytes, ask);
      return true;
    });
    await this.#objects.remove(
      names.filter((_, i) => there[i]),
      ask,
    );
    return there;
  }

  /** Undoes `layAside`. */
  async putBack(entry: EntryName, ask: Ask): Promise<void> {
    const { key, uuid } = entry;
    const aside = removedName(this.#cacheUuid, key, uuid);
    const bytes = await this.#objects.read(aside, ask);
    if (bytes !== undefined) await this.#objects.put(manifestName(this.#cacheUuid, key, uuid), bytes, ask);
    await this.#objects.remove([aside], ask);
  }

  async isThere(entry: EntryName, ask: Ask): Promise<boolean> {
    return (
      (await this.#objects.head(manifestName(this.#cacheUuid, entry.key, entry.uuid), ask)) !== undefined
    );
  }

  /** Takes an entry out of use without losing it: its manifest moves to `damaged/`. */
  async setAside(entry: EntryName, ask: Ask): Promise<void> {
    const name = manifestName(this.#cacheUuid, entry.key, entry.uuid);
    const bytes = await this.#objects.read(name, ask);
    if (bytes !== undefined)
      await this.#objects.put(damagedName(this.#cacheUuid, entry.key, entry.uuid), bytes, ask);
    await this.#objects.remove([name], ask);
  }
}

/** An object whose size a listing says; with less work than an object of which nothing is known. undefined = removed. */
export async function readListed(
  objects: ObjectStore,
  { name, sizeBytes }: Pick<ObjectInfo, "name" | "sizeBytes">,
  ask: Ask,
): Promise<Uint8Array | undefined> {
  // An empty object has no first byte that could be asked for.
  if (sizeBytes === 0 || objects.pathOf(name) !== undefined) return objects.read(name, ask);
  const reader = await objects.openReader(name, sizeBytes, ask);
  try {
    const [bytes] = await reader.readRanges([{ start: 0, end: sizeBytes }], ask);
    return bytes;
  } catch (error) {
    if (isAppError(error, "STORE_OBJECT_NOT_FOUND")) return undefined;
    // Replaced by a shorter one since it was listed.
    if (isAppError(error, "STORE_OBJECT_DAMAGED")) return objects.read(name, ask);
    throw error;
  } finally {
    await reader.close();
  }
}

/** What the locations of an entry's files begin with: a path on this machine, or a URI. */
export function baseOfFolder(objects: ObjectStore, folder: string): string {
  return objects.pathOf(folder) ?? `${objects.uri}/${folder}`;
}

export function uriOfFolder({ uri }: ObjectStore, folder: string): string {
  return `${uri}/${uri.startsWith("file://") ? encodeURI(folder) : folder}`;
}
