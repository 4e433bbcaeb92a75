/**
 * Calls of a driver: opens it once, bounds, retries and measures every call, stops using a tier that is unreachable,
 * and decides what trouble means.
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
import type { TierEventSink } from "./events.ts";
import type { PredictionTier } from "./tier.ts";
import type { MeasuredVerb, TierCounts } from "./tier-metrics.ts";

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

export interface TierCall<T> {
  readonly verb: MeasuredVerb;
  readonly rows: number;
  readonly ask: Ask;
  readonly work: (ask: Ask) => Promise<T>;
  /** How often this call is tried again. Default: as the options say. */
  readonly retries?: number;
  /** The answer of an optional tier that cannot answer. */
  readonly otherwise: () => T;
}

export class TierCalls {
  readonly #tier: PredictionTier;
  readonly #name: string;
  readonly #options: GuardOptions;
  readonly #counts: TierCounts;
  readonly #now: () => number;
  readonly #opening = new SingleFlight<void>();
  #breaker: CircuitBreaker;
  #opened = false;
  /** The opening under way, also after it was given up. */
  #late: Promise<void> | undefined;
  #reported = false;

  constructor(parts: {
    readonly tier: PredictionTier;
    readonly options: GuardOptions;
    readonly counts: TierCounts;
  }) {
    this.#tier = parts.tier;
    this.#name = parts.tier.name;
    this.#options = parts.options;
    this.#counts = parts.counts;
    this.#now = parts.options.now ?? (() => performance.now());
    this.#breaker = breakerOf(parts.options);
  }

  reachable(): boolean {
    return this.#breaker.state(this.#now()) !== "open";
  }

  wake(): void {
    this.#breaker = breakerOf(this.#options);
  }

  async close(): Promise<void> {
    this.#opened = false;
    // What opens only after its limit must not stay open behind our back and keep the process alive.
    void this.#late?.then(() => this.#tier.close()).catch(() => {});
    await this.#tier.close();
  }

  async run<T>(call: TierCall<T>): Promise<T> {
    checkAsk(call.ask, `using ${this.#name}`);
    const permit = this.#breaker.enter(this.#now());
    if (permit === undefined) return this.#withoutTier(call, this.#restingError());
    const start = performance.now();
    this.#counts.add(call.verb, { calls: 1, rows: call.rows });
    try {
      const answer = await this.#tries(call);
      this.#isBack(permit);
      return answer;
    } catch (error) {
      this.#counts.add(call.verb, { failures: 1 });
      const gone = isAppError(error, "STORE_TIER_UNREACHABLE") && !call.ask.signal.aborted;
      if (gone) this.#rest(permit, error);
      else permit.inconclusive();
      checkAsk(call.ask, `using ${this.#name}`);
      if (!(error instanceof AppError)) throw error;
      return this.#withoutTier(call, error);
    } finally {
      this.#counts.add(call.verb, { ms: performance.now() - start });
    }
  }

  async #tries<T>(call: TierCall<T>): Promise<T> {
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
        const opening = this.#tier.open(each).finally(() => {
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
    checkAsk(ask, `using ${this.#name}`);
    const { ask: inner, done } = withPatience(ask, limitMs);
    let onAbort = () => {};
    const ended = new Promise<never>((_, reject) => {
      onAbort = () => reject(inner.signal.reason);
      inner.signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([work(inner), ended]);
    } catch (error) {
      checkAsk(ask, `using ${this.#name}`);
      if (!inner.signal.aborted) throw error;
      throw new AppError("STORE_TIER_UNREACHABLE", `using ${this.#name}: no answer within ${limitMs} ms`, {
        cause: error,
        facts: { silent: true },
      });
    } finally {
      inner.signal.removeEventListener("abort", onAbort);
      done();
    }
  }

  #withoutTier<T>(call: TierCall<T>, error: AppError): T {
    if (this.#options.use === "required") throw error;
    if (error.code !== "STORE_TIER_UNREACHABLE")
      this.#options.onEvent?.({
        kind: "tier-call-failed",
        tier: this.#name,
        verb: call.verb,
        reason: messageOf(error),
      });
    return call.otherwise();
  }

  #rest(permit: Permit, error: AppError): void {
    permit.failed(this.#now());
    if (this.#reported) return;
    this.#reported = true;
    this.#options.onEvent?.({ kind: "tier-unreachable", tier: this.#name, reason: messageOf(error) });
  }

  #isBack(permit: Permit): void {
    permit.answered();
    if (!this.#reported) return;
    this.#reported = false;
    this.#options.onEvent?.({ kind: "tier-back", tier: this.#name });
  }

  #restingError(): AppError {
    return new AppError("STORE_TIER_UNREACHABLE", `using ${this.#name}: it was unreachable a moment ago`, {
      facts: { resting: true },
    });
  }
}

function breakerOf({ restMs = 1000 }: GuardOptions): CircuitBreaker {
  return new CircuitBreaker({ firstRestMs: restMs, longestRestMs: Math.max(restMs, 30_000) });
}
