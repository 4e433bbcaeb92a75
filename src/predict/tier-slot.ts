/**
 * A tier as a run sees it: where it stands (local, cloud), and what its trouble means. Where the run can compute,
 * trouble is a warning and a miss; where it cannot, a file full of misses would be a lie, so trouble ends the run.
 * Looking up and recording rest apart: a tier that is full or read-only still answers.
 */
import { type AppError, type Ask, CircuitBreaker, isAppError, messageOf } from "../kernel/index.ts";
import type { PredictionTier } from "../store/predictions/index.ts";
import type { PredictionRow, PredictionScope } from "../task/index.ts";
import type { Source } from "./mode.ts";

export interface PlaceOptions {
  readonly source: Source;
  readonly tier: PredictionTier;
  readonly trouble: "is-a-miss" | "ends-the-run";
  readonly warn: (message: string) => void;
}

/** How long a tier that failed is not used, so that a dead server does not cost its time-out at every chunk. */
const rest = { firstRestMs: 1_000, longestRestMs: 30_000 };

/** `refused`: this address will not take rows later either. */
export type Recorded =
  | { readonly kind: "stored" /** Rows that the tier cannot hold. */; readonly unfit: number }
  | { readonly kind: "later" }
  | { readonly kind: "refused" };

export class TierSlot {
  readonly source: Source;
  readonly tier: PredictionTier;
  readonly #trouble: PlaceOptions["trouble"];
  readonly #warn: (message: string) => void;
  #reads = new CircuitBreaker(rest);
  #writes = new CircuitBreaker(rest);
  #opened = false;
  /** Informed about since it last worked. */
  #reportedReads = false;
  #reportedWrites = false;
  #refused = false;

  constructor(options: PlaceOptions) {
    this.source = options.source;
    this.tier = options.tier;
    this.#trouble = options.trouble;
    this.#warn = options.warn;
  }

  /** undefined = the tier could not answer (only where trouble is a miss). */
  async lookUp<T>(work: (tier: PredictionTier) => Promise<T>, ask: Ask): Promise<T | undefined> {
    const permit = this.#reads.enter(performance.now());
    const mayFail = this.#trouble === "is-a-miss";
    if (mayFail && permit === undefined) return undefined;
    try {
      await this.#open(ask);
      const answer = await work(this.tier);
      permit?.answered();
      this.#reportedReads = false;
      return answer;
    } catch (error) {
      if (!mayFail || ask.signal.aborted || !isTrouble(error)) {
        permit?.inconclusive();
        throw error;
      }
      if (isResting(error)) permit?.inconclusive();
      else permit?.failed(performance.now());
      if (!this.#reportedReads && !this.#reportedWrites)
        this.#warn(`the ${this.source} cache (${this.tier.name}) is left out: ${messageOf(error)}`);
      this.#reportedReads = true;
      return undefined;
    }
  }

  /** Trouble never ends a run here: the values are computed and will be written. */
  async record(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<Recorded> {
    const permit = this.#writes.enter(performance.now());
    if (permit === undefined) return this.#unrecorded();
    try {
      await this.#open(ask);
      const { stored, alreadyThere } = await this.tier.putMany(scope, rows, ask);
      permit.answered();
      this.#reportedWrites = false;
      this.#refused = false;
      const unfit =
        stored + alreadyThere >= rows.length
          ? 0
          : new Set(rows.map((row) => row.input)).size - stored - alreadyThere;
      return { kind: "stored", unfit: Math.max(0, unfit) };
    } catch (error) {
      if (ask.signal.aborted || !isTrouble(error)) {
        permit.inconclusive();
        throw error;
      }
      if (isResting(error)) permit.inconclusive();
      else permit.failed(performance.now());
      // An expired token or a missing right is corrected sooner or later; a wrong address is replaced by another one.
      this.#refused = error.code === "STORE_TIER_REFUSED";
      if (!this.#reportedReads && !this.#reportedWrites)
        this.#warn(
          `the ${this.source} cache (${this.tier.name}) takes no answers at present: ${messageOf(error)}`,
        );
      this.#reportedWrites = true;
      return this.#unrecorded();
    }
  }

  /** The next call is made, however long the rest would still take. */
  wake(): void {
    this.#reads = new CircuitBreaker(rest);
    this.#writes = new CircuitBreaker(rest);
    this.tier.wake?.();
  }

  #unrecorded(): Recorded {
    return { kind: this.#refused ? "refused" : "later" };
  }

  async #open(ask: Ask): Promise<void> {
    if (this.#opened) return;
    await this.tier.open(ask);
    this.#opened = true;
  }
}

/** Our own bugs and the user's interruption are not the tier's trouble. */
function isTrouble(error: unknown): error is AppError {
  if (!isAppError(error)) return false;
  const { kind } = error.row;
  return kind === "environment" || kind === "damaged" || kind === "conflict" || kind === "not-found";
}

/** The tier was not asked: nothing new is known about it. */
function isResting(error: AppError): boolean {
  return error.facts["resting"] === true;
}
