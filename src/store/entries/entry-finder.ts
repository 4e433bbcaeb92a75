/** Finds the newest entry of a key that is whole. What is not is skipped, and an event says why. */
import { join } from "node:path";
import { byCodeUnit } from "../../hash/index.ts";
import type { Ask, CallKey } from "../../kernel/index.ts";
import type { ObjectInfo, ObjectStore } from "../objects/index.ts";
import type { EntryCheck } from "./entry-check.ts";
import { keyPrefix, parseEntryObject } from "./entry-layout.ts";
import { type EntryManifests, type EntryName, readListed } from "./entry-manifests.ts";
import type { Claim, Entry } from "./entry-store.ts";
import type { LocalReader } from "./local-reader.ts";

export type EntryStoreEvent = {
  readonly kind: "entry.passed-over";
  readonly key: CallKey;
  readonly uuid: string;
  readonly reason: string;
};

export class EntryFinder {
  readonly #objects: ObjectStore;
  readonly #cacheUuid: string;
  readonly #manifests: EntryManifests;
  readonly #check: EntryCheck;
  readonly #local: LocalReader;
  readonly #onEvent: (event: EntryStoreEvent) => void;

  constructor(parts: {
    readonly objects: ObjectStore;
    readonly cacheUuid: string;
    readonly manifests: EntryManifests;
    readonly check: EntryCheck;
    readonly local: LocalReader;
    readonly onEvent: (event: EntryStoreEvent) => void;
  }) {
    this.#objects = parts.objects;
    this.#cacheUuid = parts.cacheUuid;
    this.#manifests = parts.manifests;
    this.#check = parts.check;
    this.#local = parts.local;
    this.#onEvent = parts.onEvent;
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
        (await this.#check.troubleWith(entry, await this.#check.filesOf(entry, base), ask)) ??
        (await this.#check.restTrouble(entry, base));
      if (trouble === undefined) return entry;
      this.#onEvent({ kind: "entry.passed-over", key, uuid, reason: trouble });
    }
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
      const entry = await this.#readEntry(info, object, ask);
      if (entry === undefined) continue;
      const trouble = await this.#check.troubleWith(entry, present, ask);
      if (trouble === undefined) return entry;
      this.#onEvent({ kind: "entry.passed-over", key, uuid: entry.uuid, reason: trouble });
    }
    return undefined;
  }

  async #readEntry(listed: ObjectInfo, object: EntryName, ask: Ask): Promise<Entry | undefined> {
    const bytes = await readListed(this.#objects, listed, ask);
    return bytes === undefined ? undefined : this.#entryOf(bytes, object);
  }

  #entryOf(bytes: Uint8Array, object: EntryName & { readonly base?: string }): Entry | undefined {
    const read = this.#manifests.parse(bytes, object);
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
}
