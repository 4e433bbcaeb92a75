/** The manifests of a cache: read, listed, and moved out of the way and back. */
import { type Ask, type CallKey, mapAhead } from "../../kernel/index.ts";
import type { ObjectStore } from "../objects/index.ts";
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
}

/** Manifests that are read ahead. */
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
    const read = mapAhead(this.#listed(ask), readsAtOnce, async (listed) => ({
      listed,
      bytes: await this.#objects.read(listed.name, ask),
    }));
    for await (const { listed, bytes } of read)
      if (bytes !== undefined) yield { ...listed, read: this.parse(bytes, listed) };
  }

  async *#listed(ask: Ask): AsyncGenerator<Omit<ListedManifest, "read">> {
    for await (const { name, modifiedAt } of this.#objects.list(entriesPrefix(this.#cacheUuid), ask)) {
      const object = parseEntryObject(name);
      if (object?.kind === "manifest") yield { name, key: object.key, uuid: object.uuid, modifiedAt };
    }
  }

  /**
   * The first half of a careful removal: the manifest is kept under another name, so that nobody finds the entry. false
   * when there is no manifest (any more).
   */
  async layAside(entry: EntryName, ask: Ask): Promise<boolean> {
    const { key, uuid } = entry;
    const name = manifestName(this.#cacheUuid, key, uuid);
    const bytes = await this.#objects.read(name, ask);
    if (bytes === undefined) return false;
    await this.#objects.put(removedName(this.#cacheUuid, key, uuid), bytes, ask);
    await this.#objects.remove([name], ask);
    return true;
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

/** What the locations of an entry's files begin with: a path on this machine, or a URI. */
export function baseOfFolder(objects: ObjectStore, folder: string): string {
  return objects.pathOf(folder) ?? `${objects.uri}/${folder}`;
}

export function uriOfFolder({ uri }: ObjectStore, folder: string): string {
  return `${uri}/${uri.startsWith("file://") ? encodeURI(folder) : folder}`;
}
