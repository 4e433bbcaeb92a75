/**
 * The guard around a driver: opens it once, bounds and retries every call, measures, and decides what a broken tier
 * means. A tier that is optional turns into misses and events; a tier that the user insists on turns into an error.
 * Wrong answers are never an option: whatever goes wrong is a miss or an error.
 */
import {
  AppError,
  type Ask,
  CircuitBreaker,
  checkAsk,
  freshAsk,
  isAppError,
  messageOf,
  type Permit,
  SingleFlight,
  withPatience,
} from "../../kernel/index.ts";
import type { PredictionRow, PredictionScope } from "../../task/index.ts";
import { equalRows } from "./equal-rows.ts";
import type { TierEventSink } from "./events.ts";
import { lastOfEachInput } from "./scope.ts";
import type { PredictionTier, PutPlan, PutReport, SampleRequest, StoredScope } from "./tier.ts";

export interface GuardOptions {
  /**
   * `optional`: an unreachable tier is reported once, answers misses and stores nothing; runs continue without it.
   * `required`: an unreachable tier is an error, as with --local-cache-only.
   */
  readonly use: "optional" | "required";
  readonly onEvent?: TierEventSink;
  /**
   * Limit of opening, in ms of this process's own running time; the drivers bound connecting themselves. Default 10,000.
   */
  readonly openWithinMs?: number;
  /** Limit of any other call, in ms; the drivers bound single round trips themselves. Default 60,000. */
  readonly callWithinMs?: number;
  /** How often a call is tried again after trouble that may pass. Default 1. */
  readonly retries?: number;
  /**
   * How long an unreachable tier is not used before a call tries it again, in ms; doubled with every failed try, up
   * to 30,000. Default 1,000.
   */
  readonly restMs?: number;
  /** The clock, for tests. */
  readonly now?: () => number;
}

export interface VerbMetrics {
  /** A scan counts once per batch. */
  readonly calls: number;
  readonly failures: number;
  /** Rows asked for, put or read. */
  readonly rows: number;
  readonly ms: number;
}

export type MeasuredVerb =
  | "open"
  | "getMany"
  | "getManyCanonical"
  | "putMany"
  | "scan"
  | "sample"
  | "count"
  | "drop";

export interface TierMetrics {
  readonly hits: number;
  readonly misses: number;
  readonly stored: number;
  readonly verbs: Readonly<Record<MeasuredVerb, VerbMetrics>>;
}

export interface GuardedTier extends PredictionTier {
  /** Of every tier: for tiers without `planPut` the rows are looked up. */
  planPut(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutPlan>;
  metrics(): TierMetrics;
  /** False while the tier is not used after it was unreachable. */
  reachable(): boolean;
}

/** @example const local = guardTier(createEmbeddedTier({ folder }), { use: "optional", onEvent: log }); */
export function guardTier(tier: PredictionTier, options: GuardOptions): GuardedTier {
  const guard = new Guard(tier, options);
  return tier.getManyCanonical === undefined ? guard : new CanonicalGuard(tier, options);
}

const verbs: readonly MeasuredVerb[] = [
  "open",
  "getMany",
  "getManyCanonical",
  "putMany",
  "scan",
  "sample",
  "count",
  "drop",
];

interface Call<T> {
  readonly verb: MeasuredVerb;
  readonly rows: number;
  readonly ask: Ask;
  readonly work: (ask: Ask) => Promise<T>;
  /** The answer of an optional tier that cannot answer. */
  readonly otherwise: () => T;
}

class Guard implements GuardedTier {
  readonly name: string;
  readonly can: PredictionTier["can"];
  protected readonly tier: PredictionTier;
  readonly #options: GuardOptions;
  readonly #now: () => number;
  readonly #opening = new SingleFlight<void>();
  readonly #verbs = new Map(verbs.map((verb) => [verb, { calls: 0, failures: 0, rows: 0, ms: 0 }]));
  #breaker: CircuitBreaker;
  #opened = false;
  /** The opening under way, also after it was given up. */
  #late: Promise<void> | undefined;
  #reported = false;
  #writesRefused = false;
  #hits = 0;
  #misses = 0;
  #stored = 0;

  constructor(tier: PredictionTier, options: GuardOptions) {
    this.tier = tier;
    this.name = tier.name;
    this.can = tier.can;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#breaker = breakerOf(options);
  }

  async open(ask: Ask): Promise<void> {
    await this.#guarded({ verb: "open", rows: 0, ask, work: async () => {}, otherwise: () => {} });
  }

  getMany(scope: PredictionScope, inputs: readonly string[], ask: Ask) {
    return this.lookUp("getMany", inputs, ask, (each) => this.tier.getMany(scope, inputs, each));
  }

  async putMany(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutReport> {
    const nothing = (): PutReport => ({ stored: 0, alreadyThere: 0 });
    const report = await this.#guarded({
      verb: "putMany",
      rows: rows.length,
      ask,
      work: async (each) => {
        try {
          const done = await this.tier.putMany(scope, rows, each);
          this.#writesRefused = false;
          return done;
        } catch (error) {
          // A full tier is still a good tier to read from. Who insists on the tier decides what it means.
          const full = isAppError(error, "STORE_TIER_FULL") || isAppError(error, "DISK_FULL");
          if (!full || this.#options.use === "required") throw error;
          if (!this.#writesRefused)
            this.#options.onEvent?.({
              kind: "tier-write-refused",
              tier: this.name,
              reason: messageOf(error),
            });
          this.#writesRefused = true;
          return nothing();
        }
      },
      otherwise: nothing,
    });
    this.#stored += report.stored;
    return report;
  }

  async planPut(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutPlan> {
    const { tier } = this;
    return this.#guarded({
      verb: "putMany",
      rows: rows.length,
      ask,
      work: async (each) => (await tier.planPut?.(scope, rows, each)) ?? planOf(tier, { scope, rows }, each),
      otherwise: (): PutPlan => ({ stored: 0, alreadyThere: 0 }),
    });
  }

  /** A scan that has begun is not tried again: its reader has had rows already. */
  async *scan(scope: PredictionScope, ask: Ask): AsyncGenerator<readonly PredictionRow[]> {
    type Batches = AsyncIterator<readonly PredictionRow[]>;
    const end: IteratorResult<readonly PredictionRow[]> = { done: true, value: undefined };
    let batches: Batches | undefined;
    try {
      for (;;) {
        const first = batches === undefined;
        const { done, value } = await this.#guarded({
          verb: "scan",
          rows: 0,
          ask,
          work: () => {
            // A generator that has thrown is finished: the next try needs a new one.
            if (first) batches = undefined;
            batches ??= this.tier.scan(scope, ask)[Symbol.asyncIterator]();
            return batches.next();
          },
          otherwise: () => end,
          ...(first ? {} : { retries: 0 }),
        });
        if (done === true) return;
        this.#count("scan", { rows: value.length });
        yield value;
      }
    } finally {
      // Not awaited: a driver that hangs must not hold up a reader that has gone.
      void Promise.resolve(batches?.return?.()).catch(() => {});
    }
  }

  sample(scope: PredictionScope, request: SampleRequest, ask: Ask) {
    return this.#guarded({
      verb: "sample",
      rows: request.count,
      ask,
      work: (each) => this.tier.sample(scope, request, each),
      otherwise: (): readonly PredictionRow[] => [],
    });
  }

  count(scope: PredictionScope, ask: Ask) {
    return this.#guarded({
      verb: "count",
      rows: 0,
      ask,
      work: (each) => this.tier.count(scope, each),
      otherwise: () => 0,
    });
  }

  drop(scope: PredictionScope, ask: Ask) {
    return this.#guarded({
      verb: "drop",
      rows: 0,
      ask,
      work: (each) => this.tier.drop(scope, each),
      otherwise: () => 0,
    });
  }

  listScopes(ask: Ask) {
    return this.#guarded({
      verb: "count",
      rows: 0,
      ask,
      work: (each) => this.tier.listScopes(each),
      otherwise: (): readonly StoredScope[] => [],
    });
  }

  columnsOf(stored: StoredScope, ask: Ask) {
    return this.#guarded({
      verb: "count",
      rows: 0,
      ask,
      work: async (each) => await this.tier.columnsOf?.(stored, each),
      otherwise: () => undefined,
    });
  }

  dropListed(stored: StoredScope, ask: Ask) {
    return this.#guarded({
      verb: "drop",
      rows: 0,
      ask,
      work: (each) => this.tier.dropListed(stored, each),
      otherwise: () => 0,
    });
  }

  async close(): Promise<void> {
    this.#opened = false;
    // What opens only after its limit must not stay open behind our back and keep the process alive.
    void this.#late?.then(() => this.tier.close()).catch(() => {});
    await this.tier.close();
  }

  wake(): void {
    this.#breaker = breakerOf(this.#options);
  }

  metrics(): TierMetrics {
    const copies = verbs.map((verb) => [verb, { ...this.#of(verb) }] as const);
    return {
      hits: this.#hits,
      misses: this.#misses,
      stored: this.#stored,
      verbs: Object.fromEntries(copies) as Record<MeasuredVerb, VerbMetrics>,
    };
  }

  reachable(): boolean {
    return this.#breaker.state(this.#now()) !== "open";
  }

  protected async lookUp(
    verb: "getMany" | "getManyCanonical",
    inputs: readonly string[],
    ask: Ask,
    work: (ask: Ask) => Promise<readonly (PredictionRow | undefined)[]>,
  ): Promise<readonly (PredictionRow | undefined)[]> {
    const answers = await this.#guarded({
      verb,
      rows: inputs.length,
      ask,
      work,
      otherwise: () => inputs.map(() => undefined),
    });
    let hits = 0;
    for (const answer of answers) if (answer !== undefined) hits++;
    this.#hits += hits;
    this.#misses += answers.length - hits;
    return answers;
  }

  async #guarded<T>(call: Call<T> & { readonly retries?: number }): Promise<T> {
    checkAsk(call.ask, `using ${this.name}`);
    const permit = this.#breaker.enter(this.#now());
    if (permit === undefined) return this.#withoutTier(call, this.#restingError());
    const start = performance.now();
    this.#count(call.verb, { calls: 1, rows: call.rows });
    try {
      const answer = await this.#tries(call);
      this.#isBack(permit);
      return answer;
    } catch (error) {
      this.#count(call.verb, { failures: 1 });
      const gone = isAppError(error, "STORE_TIER_UNREACHABLE") && !call.ask.signal.aborted;
      if (gone) this.#rest(permit, error);
      else permit.inconclusive();
      checkAsk(call.ask, `using ${this.name}`);
      if (!(error instanceof AppError)) throw error;
      return this.#withoutTier(call, error);
    } finally {
      this.#count(call.verb, { ms: performance.now() - start });
    }
  }

  async #tries<T>(call: Call<T> & { readonly retries?: number }): Promise<T> {
    const { retries = 1, callWithinMs = 60_000 } = this.#options;
    for (let left = call.retries ?? retries; ; left--) {
      try {
        await this.#open(call.ask);
        return await this.#bounded(call.ask, callWithinMs, call.work);
      } catch (error) {
        // A tier that did not answer in time has used up the patience of this call.
        const worthwhile =
          error instanceof AppError &&
          error.row.retry === "later" &&
          error.facts["silent"] !== true &&
          error.code !== "STORE_TIER_FULL";
        if (!worthwhile || left <= 0 || call.ask.signal.aborted) throw error;
      }
    }
  }

  /**
   * Opens once; callers that come meanwhile wait for the same opening, and a failed one is tried again next time. The
   * opening has its own Ask, so that one caller's cancelling does not fail the others.
   */
  async #open(ask: Ask): Promise<void> {
    if (this.#opened) return;
    const { openWithinMs = 10_000 } = this.#options;
    const opening = this.#opening.run("open", async () => {
      await this.#bounded(freshAsk(), openWithinMs, (each) => {
        const opening = this.tier.open(each).finally(() => {
          if (this.#late === opening) this.#late = undefined;
        });
        this.#late = opening;
        return opening;
      });
      this.#opened = true;
    });
    await this.#bounded(ask, openWithinMs, () => opening);
  }

  /** Ends after the limit even when the driver does not: its late answer is thrown away. */
  async #bounded<T>(ask: Ask, limitMs: number, work: (ask: Ask) => Promise<T>): Promise<T> {
    checkAsk(ask, `using ${this.name}`);
    const { ask: inner, done } = withPatience(ask, limitMs);
    let onAbort = () => {};
    const ended = new Promise<never>((_, reject) => {
      onAbort = () => reject(inner.signal.reason);
      inner.signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([work(inner), ended]);
    } catch (error) {
      checkAsk(ask, `using ${this.name}`);
      if (!inner.signal.aborted) throw error;
      throw new AppError("STORE_TIER_UNREACHABLE", `using ${this.name}: no answer within ${limitMs} ms`, {
        cause: error,
        facts: { silent: true },
      });
    } finally {
      inner.signal.removeEventListener("abort", onAbort);
      done();
    }
  }

  #withoutTier<T>(call: Call<T>, error: AppError): T {
    if (this.#options.use === "required") throw error;
    if (error.code !== "STORE_TIER_UNREACHABLE")
      this.#options.onEvent?.({
        kind: "tier-call-failed",
        tier: this.name,
        verb: call.verb,
        reason: messageOf(error),
      });
    return call.otherwise();
  }

  #rest(permit: Permit, error: AppError): void {
    permit.failed(this.#now());
    if (this.#reported) return;
    this.#reported = true;
    this.#options.onEvent?.({ kind: "tier-unreachable", tier: this.name, reason: messageOf(error) });
  }

  #isBack(permit: Permit): void {
    permit.answered();
    if (!this.#reported) return;
    this.#reported = false;
    this.#options.onEvent?.({ kind: "tier-back", tier: this.name });
  }

  #restingError(): AppError {
    return new AppError("STORE_TIER_UNREACHABLE", `using ${this.name}: it was unreachable a moment ago`, {
      facts: { resting: true },
    });
  }

  #of(verb: MeasuredVerb): { calls: number; failures: number; rows: number; ms: number } {
    return this.#verbs.get(verb) ?? { calls: 0, failures: 0, rows: 0, ms: 0 };
  }

  #count(verb: MeasuredVerb, more: Partial<VerbMetrics>): void {
    const metrics = this.#of(verb);
    metrics.calls += more.calls ?? 0;
    metrics.failures += more.failures ?? 0;
    metrics.rows += more.rows ?? 0;
    metrics.ms += more.ms ?? 0;
  }
}

async function planOf(
  tier: PredictionTier,
  { scope, rows }: { readonly scope: PredictionScope; readonly rows: readonly PredictionRow[] },
  ask: Ask,
): Promise<PutPlan> {
  const distinct = lastOfEachInput(rows);
  const inputs = distinct.map((row) => row.input);
  const there = await tier.getMany(scope, inputs, ask);
  const isThere = (row: PredictionRow, old: PredictionRow | undefined) =>
    old !== undefined && equalRows(old, row);
  const stored = distinct.filter((row, at) => !isThere(row, there[at])).length;
  return { stored, alreadyThere: rows.length - stored };
}

function breakerOf({ restMs = 1000 }: GuardOptions): CircuitBreaker {
  return new CircuitBreaker({ firstRestMs: restMs, longestRestMs: Math.max(restMs, 30_000) });
}

/** Only tiers with a canonical index have the verb: its absence is how the engine knows. */
class CanonicalGuard extends Guard {
  getManyCanonical(scope: PredictionScope, canonical: readonly string[], ask: Ask) {
    const { tier } = this;
    return this.lookUp("getManyCanonical", canonical, ask, async (each) =>
      tier.getManyCanonical === undefined
        ? canonical.map(() => undefined)
        : tier.getManyCanonical(scope, canonical, each),
    );
  }
}
