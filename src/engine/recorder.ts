/**
 * The cache as a run meets it. Trouble with it never ends a call: finding becomes a miss, recording is given up, and
 * both are told. After several troubles in a row it is left alone, so that an unreachable cache does not cost a
 * time-out per call.
 */
import { appendFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Ask,
  type CallKey,
  freshAsk,
  isAppError,
  mapBounded,
  messageOf,
  Semaphore,
} from "../kernel/index.ts";
import {
  decodeOutputs,
  type Entry,
  type EntryStore,
  encodeOutputs,
  type NewEntry,
} from "../store/entries/index.ts";
import type { Emit } from "./events.ts";
import { type RunCacheParts, recordsPerTask } from "./run-parts.ts";

export type Found =
  | { readonly kind: "found"; readonly entry: Entry }
  | { readonly kind: "nothing" }
  | { readonly kind: "trouble"; readonly words: string };

const mostTroubles = 3;
/** Keeps open files few, however many calls look at once. */
const mostFinds = 32;
const mostRecords = 16;
const pendingName = "pending.jsonl";

export class Recorder {
  readonly #cache: RunCacheParts;
  readonly #directory: string;
  readonly #emit: Emit;
  readonly #finds = new Semaphore(mostFinds);
  readonly #records = new Semaphore(mostRecords);
  /** By uuid. */
  readonly #givenUp = new Set<string>();
  /** Troubles in a row. A cache that can be read but not written (or the other way round) stays half in use. */
  readonly #troubles = { "looking up": 0, recording: 0 };

  constructor(cache: RunCacheParts, run: { readonly directory: string; readonly emit: Emit }) {
    this.#cache = cache;
    this.#directory = run.directory;
    this.#emit = run.emit;
  }

  async find(key: CallKey, call: string, ask: Ask): Promise<Found> {
    if (this.#isGivenUp("looking up"))
      return { kind: "trouble", words: "the cache was given up after repeated trouble" };
    let release = await this.#finds.acquire();
    // Others look meanwhile, so that many claims are written together.
    const claim = async (uuid: string) => {
      release();
      try {
        await this.#cache.claim?.(uuid);
      } finally {
        release = await this.#finds.acquire();
      }
    };
    try {
      const entry = await this.#cache.store.find(key, ask, claim);
      this.#troubles["looking up"] = 0;
      if (entry === undefined) return { kind: "nothing" };
      if (this.#givenUp.has(entry.uuid))
        return { kind: "trouble", words: "what is recorded could not be used" };
      return { kind: "found", entry };
    } catch (error) {
      const words = this.#trouble("looking up", call, error, ask);
      return { kind: "trouble", words };
    } finally {
      release();
    }
  }

  /** This run does not use an entry any more; one that is certainly damaged is set aside for all. */
  async giveUp(
    entry: Entry,
    why: { readonly damaged: boolean; readonly call: string },
    ask: Ask,
  ): Promise<void> {
    this.#givenUp.add(entry.uuid);
    if (!why.damaged) return;
    try {
      await this.#cache.store.setAside(entry, ask);
    } catch (error) {
      // A cache that may only be read: the next run finds the same out again.
      this.#trouble("recording", why.call, error, ask);
    }
  }

  /** Other keys of the same call, as somebody who read its inputs noted them. */
  async equalKeys(key: CallKey, ask: Ask): Promise<readonly CallKey[]> {
    if (this.#isGivenUp("looking up")) return [];
    try {
      return await this.#cache.store.equalKeys(key, ask);
    } catch (error) {
      this.#trouble("looking up", "", error, ask);
      return [];
    }
  }

  /** Spares others from reading inputs: the call with this key, made of ETags, is the one of the other key. */
  async noteEqual(keys: { readonly byEtags: CallKey; readonly byContent: CallKey }, ask: Ask): Promise<void> {
    if (this.#isGivenUp("recording")) return;
    try {
      await this.#cache.store.noteEqual(keys, ask);
    } catch (error) {
      this.#trouble("recording", "", error, ask);
    }
  }

  /** The entry, when there is one now: not when results wait for the end of the run, and not when recording failed. */
  async record(entry: NewEntry, ask: Ask): Promise<Entry | undefined> {
    if (recordsPerTask(this.#cache)) return this.#store(entry, ask);
    await this.#wait(entry, ask);
    return undefined;
  }

  /** The end of the run: what waited is recorded, under `on-failure` only when the run did not succeed. */
  async finish(state: "succeeded" | "failed" | "cancelled"): Promise<void> {
    if (recordsPerTask(this.#cache)) return;
    const path = join(this.#directory, pendingName);
    if (this.#cache.behavior === "always" || state !== "succeeded") {
      // Equal calls, one after the other, were each computed; one result of each key is enough.
      const byKey = new Map((await readPending(path)).map((entry) => [entry.key, entry]));
      // The user's Ask may have ended the run; recording what is finished goes on.
      await mapBounded([...byKey.values()], mostRecords, (entry) => this.#store(entry, freshAsk()));
    }
    await rm(path, { force: true });
  }

  async #store(entry: NewEntry, ask: Ask): Promise<Entry | undefined> {
    if (this.#isGivenUp("recording")) return undefined;
    return this.#records.use(async () => {
      try {
        const { claim } = this.#cache;
        const recorded = await this.#cache.store.record(entry, ask, claim === undefined ? {} : { claim });
        this.#troubles.recording = 0;
        const { uri, uuid } = recorded;
        this.#emit({
          kind: "call.recorded",
          call: entry.callPath,
          key: entry.key,
          entry: uri,
          entryUuid: uuid,
        });
        return recorded;
      } catch (error) {
        this.#trouble("recording", entry.callPath, error, ask);
        return undefined;
      }
    });
  }

  async #wait(entry: NewEntry, ask: Ask): Promise<void> {
    const line = JSON.stringify({ ...entry, outputs: encodeOutputs(entry.outputs) });
    try {
      await appendFile(join(this.#directory, pendingName), `${line}\n`);
    } catch (error) {
      this.#trouble("recording", entry.callPath, error, ask);
    }
  }

  #isGivenUp(doing: "looking up" | "recording"): boolean {
    return this.#troubles[doing] >= mostTroubles;
  }

  #trouble(doing: "looking up" | "recording", call: string, error: unknown, ask: Ask): string {
    const words = isAppError(error) ? `${error.message}. ${error.hint}` : messageOf(error);
    if (ask.signal.aborted) return words;
    this.#emit({ kind: "cache.trouble", doing, call, words });
    if (++this.#troubles[doing] === mostTroubles) {
      const after = `not tried any more in this run, after ${mostTroubles} troubles in a row`;
      this.#emit({ kind: "cache.trouble", doing, words: after });
    }
    return words;
  }
}

/** Records what a crashed run had left waiting; answers how many results were recorded. */
export async function commitPending(
  directory: string,
  store: EntryStore,
  ask: Ask,
): Promise<{ readonly recorded: number; readonly lost: number }> {
  const path = join(directory, pendingName);
  let recorded = 0;
  let lost = 0;
  for (const entry of await readPending(path)) {
    try {
      if ((await store.find(entry.key, ask)) === undefined) await store.record(entry, ask);
      recorded++;
    } catch {
      lost++;
    }
  }
  await rm(path, { force: true });
  return { recorded, lost };
}

async function readPending(path: string): Promise<readonly NewEntry[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const entries: NewEntry[] = [];
  for (const line of text.split("\n")) {
    const entry = parsePending(line);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** undefined for a torn line. */
function parsePending(line: string): NewEntry | undefined {
  if (line === "") return undefined;
  try {
    const raw = JSON.parse(line) as NewEntry & { readonly outputs: unknown };
    const outputs = decodeOutputs(raw.outputs);
    return outputs === undefined ? undefined : { ...raw, outputs };
  } catch {
    return undefined;
  }
}
