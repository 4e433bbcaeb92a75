/**
 * The guard around a driver: opens it once, bounds and retries every call, measures, and decides what a broken tier
 * means. A tier that is optional turns into misses and events; a tier that the user insists on turns into an error.
 * Wrong answers are never an option: whatever goes wrong is a miss or an error.
 */
import { type Ask, isAppError, messageOf } from "../../kernel/index.ts";
import type { PredictionRow, PredictionScope } from "../../task/index.ts";
import { equalRows } from "./equal-rows.ts";
import { lastOfEachInput } from "./scope.ts";
import type { PredictionTier, PutPlan, PutReport, SampleRequest, StoredScope } from "./tier.ts";
import { type GuardOptions, TierCalls } from "./tier-calls.ts";
import { TierCounts, type TierMetrics } from "./tier-metrics.ts";

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

class Guard implements GuardedTier {
  readonly name: string;
  readonly can: PredictionTier["can"];
  protected readonly tier: PredictionTier;
  readonly #options: GuardOptions;
  readonly #counts = new TierCounts();
  readonly #calls: TierCalls;
  #writesRefused = false;

  constructor(tier: PredictionTier, options: GuardOptions) {
    this.tier = tier;
    this.name = tier.name;
    this.can = tier.can;
    this.#options = options;
    this.#calls = new TierCalls({ tier, options, counts: this.#counts });
  }

  async open(ask: Ask): Promise<void> {
    await this.#calls.run({ verb: "open", rows: 0, ask, work: async () => {}, otherwise: () => {} });
  }

  getMany(scope: PredictionScope, inputs: readonly string[], ask: Ask) {
    return this.lookUp("getMany", inputs, ask, (each) => this.tier.getMany(scope, inputs, each));
  }

  async putMany(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutReport> {
    const nothing = (): PutReport => ({ stored: 0, alreadyThere: 0 });
    const report = await this.#calls.run({
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
    this.#counts.stored(report.stored);
    return report;
  }

  async planPut(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutPlan> {
    const { tier } = this;
    return this.#calls.run({
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
        const { done, value } = await this.#calls.run({
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
        this.#counts.add("scan", { rows: value.length });
        yield value;
      }
    } finally {
      // Not awaited: a driver that hangs must not hold up a reader that has gone.
      void Promise.resolve(batches?.return?.()).catch(() => {});
    }
  }

  sample(scope: PredictionScope, request: SampleRequest, ask: Ask) {
    return this.#calls.run({
      verb: "sample",
      rows: request.count,
      ask,
      work: (each) => this.tier.sample(scope, request, each),
      otherwise: (): readonly PredictionRow[] => [],
    });
  }

  count(scope: PredictionScope, ask: Ask) {
    return this.#calls.run({
      verb: "count",
      rows: 0,
      ask,
      work: (each) => this.tier.count(scope, each),
      otherwise: () => 0,
    });
  }

  drop(scope: PredictionScope, ask: Ask) {
    return this.#calls.run({
      verb: "drop",
      rows: 0,
      ask,
      work: (each) => this.tier.drop(scope, each),
      otherwise: () => 0,
    });
  }

  listScopes(ask: Ask) {
    return this.#calls.run({
      verb: "count",
      rows: 0,
      ask,
      work: (each) => this.tier.listScopes(each),
      otherwise: (): readonly StoredScope[] => [],
    });
  }

  columnsOf(stored: StoredScope, ask: Ask) {
    return this.#calls.run({
      verb: "count",
      rows: 0,
      ask,
      work: async (each) => await this.tier.columnsOf?.(stored, each),
      otherwise: () => undefined,
    });
  }

  dropListed(stored: StoredScope, ask: Ask) {
    return this.#calls.run({
      verb: "drop",
      rows: 0,
      ask,
      work: (each) => this.tier.dropListed(stored, each),
      otherwise: () => 0,
    });
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  wake(): void {
    this.#calls.wake();
  }

  metrics(): TierMetrics {
    return this.#counts.metrics();
  }

  reachable(): boolean {
    return this.#calls.reachable();
  }

  protected async lookUp(
    verb: "getMany" | "getManyCanonical",
    inputs: readonly string[],
    ask: Ask,
    work: (ask: Ask) => Promise<readonly (PredictionRow | undefined)[]>,
  ): Promise<readonly (PredictionRow | undefined)[]> {
    const answers = await this.#calls.run({
      verb,
      rows: inputs.length,
      ask,
      work,
      otherwise: () => inputs.map(() => undefined),
    });
    this.#counts.answered(answers);
    return answers;
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
