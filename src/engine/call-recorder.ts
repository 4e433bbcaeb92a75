/**
 * The cache as a run meets it. Trouble with it never ends a call: finding becomes a miss, and what could not be recorded
 * waits, is tried again during the run and at its end, and by the next run. A store in trouble is not used for a while,
 * never for the rest of the run, so that an unreachable cache does not cost a time-out per call.
 */
import {
  type Ask,
  type CallKey,
  CircuitBreaker,
  freshAsk,
  isAppError,
  mapBounded,
  messageOf,
  pause,
  Semaphore,
  withPatience,
} from "../kernel/index.ts";
import type { Entry, EntryFile, NewEntry } from "../store/entries/index.ts";
import type { Emit, RecordedContent } from "./events.ts";
import { type RunCacheParts, recordsPerTask } from "./run-parts.ts";
import { ChangedError, checkUnchanged, storeMessage, storeResult } from "./store-result.ts";
import { troubleWith } from "./store-trouble.ts";
import { type WaitingResult, WaitingResults } from "./waiting-results.ts";

export type Found =
  | { readonly kind: "found"; readonly entry: Entry }
  | { readonly kind: "nothing" }
  | { readonly kind: "trouble"; readonly words: string };

/** Results that could have been recorded and were not. */
export interface Unrecorded {
  /** Kept in the run's folder; the next run records them. */
  readonly waiting: number;
  /** Cannot be recorded: a name that the store cannot hold, a file that cannot be read. */
  readonly refused: number;
}

/** Keeps open files few, however many calls look at once. */
const mostFinds = 32;
const mostRecords = 16;
/** Consecutive failures after which the cache is not used for a while. */
const mostTroubles = 3;
const firstRestMs = 1_000;
const longestRestMs = 30_000;
/** How long the end of a run waits for a cache that is in trouble. */
const lastPatienceMs = 10_000;
const shortestPauseMs = 200;
/** After this many tries that failed for no known reason, a result waits for the next run. */
const mostTries = 5;

/** Files of a folder can be many; all of them are in the manifest. */
const mostFilesNoted = 100;

type Doing = "looking up" | "recording";

export class CallRecorder {
  readonly #cache: RunCacheParts;
  readonly #emit: Emit;
  readonly #waiting: WaitingResults;
  readonly #finds = new Semaphore(mostFinds);
  readonly #records = new Semaphore(mostRecords);
  /** By uuid. */
  readonly #givenUp = new Set<string>();
  /** A cache that can be read but not written (or the other way round) stays half in use. */
  readonly #breakers: Readonly<Record<Doing, CircuitBreaker>>;
  readonly #underWay = new Set<string>();
  readonly #tries = new Map<string, number>();
  #refused = 0;
  /** Recording failed last for a reason that does not pass by itself, such as missing rights. */
  #refusal = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #retrying: Promise<void> | undefined;
  #ended = false;
  readonly #retryAbort = new AbortController();

  constructor(cache: RunCacheParts, run: { readonly directory: string; readonly emit: Emit }) {
    this.#cache = cache;
    this.#emit = run.emit;
    this.#waiting = new WaitingResults(run.directory);
    const breaker = () => new CircuitBreaker({ opensAfter: mostTroubles, firstRestMs, longestRestMs });
    this.#breakers = { "looking up": breaker(), recording: breaker() };
    if (cache.opensLater === true)
      for (const each of Object.values(this.#breakers))
        for (let failed = 0; failed < mostTroubles; failed++)
          each.enter(performance.now())?.failed(performance.now());
  }

  async find(key: CallKey, call: string, ask: Ask): Promise<Found> {
    const breaker = this.#breakers["looking up"];
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
      const permit = breaker.enter(performance.now());
      if (permit === undefined) return { kind: "trouble", words: this.#restMessage("looking up") };
      try {
        const entry = await this.#cache.store.find(key, ask, claim);
        permit.answered();
        if (entry === undefined) return { kind: "nothing" };
        if (this.#givenUp.has(entry.uuid))
          return { kind: "trouble", words: "what is recorded could not be used" };
        return { kind: "found", entry };
      } catch (error) {
        if (ask.signal.aborted || troubleWith(error) !== "store") permit.inconclusive();
        else permit.failed(performance.now());
        return { kind: "trouble", words: this.#trouble("looking up", call, error, ask) };
      }
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
  async equalKeys(key: CallKey, call: string, ask: Ask): Promise<readonly CallKey[]> {
    return (await this.#try("looking up", call, (store) => store.equalKeys(key, ask), ask)) ?? [];
  }

  /** Spares others from reading inputs: the call with this key, made of ETags, is the one of the other key. */
  async noteEqual(
    keys: { readonly byEtags: CallKey; readonly byContent: CallKey },
    call: string,
    ask: Ask,
  ): Promise<void> {
    await this.#try("recording", call, (store) => store.noteEqual(keys, ask), ask);
  }

  /** undefined when the cache is not used at the moment or is in trouble. */
  async #try<T>(
    doing: Doing,
    call: string,
    work: (store: RunCacheParts["store"]) => Promise<T>,
    ask: Ask,
  ): Promise<T | undefined> {
    const permit = this.#breakers[doing].enter(performance.now());
    if (permit === undefined) return undefined;
    try {
      const answer = await work(this.#cache.store);
      permit.answered();
      return answer;
    } catch (error) {
      if (ask.signal.aborted || troubleWith(error) !== "store") permit.inconclusive();
      else permit.failed(performance.now());
      this.#trouble(doing, call, error, ask);
      return undefined;
    }
  }

  /** The entry, when there is one now: not when results wait for the end of the run, and not when recording failed. */
  async record(entry: NewEntry, ask: Ask): Promise<Entry | undefined> {
    let result: WaitingResult;
    try {
      const added = await this.#waiting.add(entry);
      result = added.result;
      if (added.trouble !== undefined) this.#trouble("recording", entry.callPath, added.trouble, ask);
    } catch (error) {
      this.#refuse(entry.callPath, messageOf(error));
      return undefined;
    }
    const recorded = recordsPerTask(this.#cache) ? await this.#store(result, ask, "just ended") : undefined;
    if (recorded === undefined && this.#waiting.has(result)) await this.#waiting.learnAll(result, ask);
    return recorded;
  }

  /**
   * The end of the run: what waited is recorded, under `on-failure` only when the run did not succeed. A user who stopped
   * the run is not kept waiting: what is finished is written down, and the next run records it.
   */
  async finish(state: "succeeded" | "failed" | "cancelled"): Promise<Unrecorded> {
    this.#ended = true;
    clearTimeout(this.#retryTimer);
    if (state === "cancelled") this.#retryAbort.abort();
    await this.#retrying;
    const perTask = recordsPerTask(this.#cache);
    const wanted = perTask || this.#cache.behavior === "always" || state !== "succeeded";
    if (!wanted) {
      await this.#waiting.clear();
      return { waiting: 0, refused: this.#refused };
    }
    if (!perTask || state !== "cancelled") await this.#recordTheRest();
    const waiting = this.#waiting.size;
    if (waiting === 0) await this.#waiting.clear();
    this.#waiting.close();
    return { waiting, refused: this.#refused };
  }

  async #recordTheRest(): Promise<void> {
    this.#dropEqualKeys();
    const breaker = this.#breakers.recording;
    const until = performance.now() + (this.#cache.patienceMs ?? lastPatienceMs);
    for (;;) {
      // The small ones first: while the store is in trouble, one of them finds out.
      const results = this.#waiting
        .list()
        .filter(({ id }) => (this.#tries.get(id) ?? 0) < mostTries)
        .sort((a, b) => a.entry.cost.bytesOut - b.entry.cost.bytesOut);
      if (results.length === 0) return;
      if (breaker.state(performance.now()) === "closed")
        // The user's Ask may have ended the run; recording what is finished continues.
        await mapBounded(results, mostRecords, (result) => this.#store(result, freshAsk()));
      else if (results[0] !== undefined) await this.#probe(results[0], until);
      if (this.#waiting.size === 0) return;
      const now = performance.now();
      const rest = Math.max(shortestPauseMs, breaker.restMs(now));
      // What a store refuses it will refuse in a moment, too.
      if (now + rest > until || this.#refusal) return;
      await pause(rest, freshAsk());
    }
  }

  /** One try within what is left of the patience. */
  async #probe(result: WaitingResult, until: number): Promise<void> {
    const limited = withPatience(freshAsk(), Math.max(1_000, until - performance.now()));
    try {
      await this.#store(result, limited.ask);
    } finally {
      limited.done();
    }
  }

  /** Equal calls, one after the other, were each computed; one result of each key is enough. */
  #dropEqualKeys(): void {
    const byKey = new Map<CallKey, WaitingResult>();
    for (const result of this.#waiting.list()) {
      const earlier = byKey.get(result.entry.key);
      if (earlier !== undefined) this.#waiting.done(earlier, "recorded");
      byKey.set(result.entry.key, result);
    }
  }

  async #store(
    result: WaitingResult,
    ask: Ask,
    since: "just ended" | "waited" = "waited",
  ): Promise<Entry | undefined> {
    return this.#records.use(async () => {
      if (this.#underWay.has(result.id)) return undefined;
      const permit = this.#breakers.recording.enter(performance.now());
      if (permit === undefined) {
        this.#retryLater();
        return undefined;
      }
      const { entry } = result;
      this.#underWay.add(result.id);
      try {
        if (since === "waited") await checkUnchanged(result);
        const recorded = await storeResult(result, this.#waiting, this.#cache, ask);
        permit.answered();
        this.#refusal = false;
        this.#emit({
          kind: "call.recorded",
          call: entry.callPath,
          key: entry.key,
          entry: recorded.uri,
          entryUuid: recorded.uuid,
          ...(recorded.files.length === 0
            ? {}
            : { files: recorded.files.slice(0, mostFilesNoted).map(contentOf) }),
        });
        if (this.#waiting.size > this.#underWay.size) this.#retryNow();
        return recorded;
      } catch (error) {
        const whose = troubleWith(error);
        if (ask.signal.aborted || whose !== "store") permit.inconclusive();
        else permit.failed(performance.now());
        this.#refusal = isAppError(error) && error.row.retry === "never";
        if (ask.signal.aborted) return undefined;
        if (whose === "entry" || error instanceof ChangedError) {
          this.#waiting.done(result, "refused");
          this.#refuse(entry.callPath, storeMessage(error));
          return undefined;
        }
        this.#trouble("recording", entry.callPath, error, ask);
        this.#tries.set(result.id, (this.#tries.get(result.id) ?? 0) + 1);
        this.#retryLater();
        return undefined;
      } finally {
        this.#underWay.delete(result.id);
      }
    });
  }

  #retryLater(): void {
    if (this.#ended || this.#retryTimer !== undefined) return;
    const rest = Math.max(firstRestMs, this.#breakers.recording.restMs(performance.now()));
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#retryNow();
    }, rest + 1);
    this.#retryTimer.unref();
  }

  /** What waits, one after the other, until the first that fails. */
  #retryNow(): void {
    if (this.#ended || !recordsPerTask(this.#cache)) return;
    this.#retrying ??= (async () => {
      for (const result of this.#waiting.list()) {
        if (this.#ended) return;
        if (this.#underWay.has(result.id) || (this.#tries.get(result.id) ?? 0) >= mostTries) continue;
        if ((await this.#store(result, { signal: this.#retryAbort.signal })) === undefined) break;
      }
    })().finally(() => {
      this.#retrying = undefined;
    });
  }

  #refuse(call: string, words: string): void {
    this.#refused++;
    this.#emit({ kind: "call.not-recorded", call, words });
  }

  #restMessage(doing: Doing): string {
    const seconds = Math.max(1, Math.ceil(this.#breakers[doing].restMs(performance.now()) / 1000));
    const why =
      this.#cache.opensLater === true
        ? "since it could not be opened or was in trouble"
        : `after ${mostTroubles} consecutive failures`;
    return `not tried, ${why}; the next try is in ${seconds} s`;
  }

  #trouble(doing: Doing, call: string, error: unknown, ask: Ask): string {
    const words = storeMessage(error);
    if (ask.signal.aborted) return words;
    this.#emit({ kind: "cache.trouble", doing, call, words });
    return words;
  }
}

function contentOf({ name: output, path, sha256, sizeBytes: bytes }: EntryFile): RecordedContent {
  return { output, path, sha256, bytes };
}
