/** Notes that two keys are of one call: by the ETags of its inputs, and by their content. */
import { type Ask, type CallKey, mapAhead } from "../../kernel/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import { equalPrefix, keyPrefix, parseEqual } from "./entry-layout.ts";

/** Notes that are looked into at the same time. */
const notesAtOnce = 16;

export class EqualKeys {
  readonly #objects: ObjectStore;
  readonly #cacheUuid: string;

  constructor(objects: ObjectStore, cacheUuid: string) {
    this.#objects = objects;
    this.#cacheUuid = cacheUuid;
  }

  async of(key: CallKey, ask: Ask): Promise<readonly CallKey[]> {
    const keys: CallKey[] = [];
    for await (const { name } of this.#objects.list(equalPrefix(this.#cacheUuid, key), ask)) {
      const other = parseEqual(name);
      if (other !== undefined) keys.push(other);
    }
    return keys;
  }

  async note(
    { byEtags, byContent }: { readonly byEtags: CallKey; readonly byContent: CallKey },
    ask: Ask,
  ): Promise<void> {
    const name = `${equalPrefix(this.#cacheUuid, byEtags)}${byContent}`;
    await this.#objects.put(name, new Uint8Array(), ask);
  }

  /** Notes of keys that nothing is recorded under any more. */
  async removeStale(ask: Ask): Promise<void> {
    const stale: string[] = [];
    const notes = this.#objects.list(equalPrefix(this.#cacheUuid), ask);
    const looked = mapAhead(notes, notesAtOnce, async ({ name }) => {
      const other = parseEqual(name);
      return { name, isStale: other !== undefined && !(await this.#hasEntries(other, ask)) };
    });
    for await (const { name, isStale } of looked) if (isStale) stale.push(name);
    await this.#objects.remove(stale, ask);
  }

  async #hasEntries(key: CallKey, ask: Ask): Promise<boolean> {
    for await (const _ of this.#objects.list(keyPrefix(this.#cacheUuid, key), ask)) return true;
    return false;
  }
}
