/**
 * A tier as a run sees it: where it stands (local, cloud), and what its trouble means. Where the run can compute,
 * trouble is a warning and a miss; where it cannot, a file full of misses would be a lie, so trouble ends the run.
 */
import { type AppError, type Ask, isAppError, messageOf } from "../kernel/index.ts";
import type { PredictionTier } from "../store/predictions/index.ts";
import type { Source } from "./mode.ts";

export interface PlaceOptions {
  readonly source: Source;
  readonly tier: PredictionTier;
  readonly trouble: "is-a-miss" | "ends-the-run";
  readonly warn: (message: string) => void;
}

/** How long a tier that failed is left alone, so that a dead server does not cost its time-out at every chunk. */
const restMs = 10_000;

export class Place {
  readonly source: Source;
  readonly tier: PredictionTier;
  readonly #trouble: PlaceOptions["trouble"];
  readonly #warn: (message: string) => void;
  #opened = false;
  #restsUntil = 0;

  constructor(options: PlaceOptions) {
    this.source = options.source;
    this.tier = options.tier;
    this.#trouble = options.trouble;
    this.#warn = options.warn;
  }

  /** undefined = the tier could not answer (only where trouble is a miss). */
  async ask<T>(
    doing: "look up" | "record",
    work: (tier: PredictionTier) => Promise<T>,
    ask: Ask,
  ): Promise<T | undefined> {
    // Recording never ends a run: the values are computed and will be written.
    const mayFail = doing === "record" || this.#trouble === "is-a-miss";
    if (mayFail && Date.now() < this.#restsUntil) return undefined;
    try {
      if (!this.#opened) {
        await this.tier.open(ask);
        this.#opened = true;
      }
      return await work(this.tier);
    } catch (error) {
      if (!mayFail || ask.signal.aborted || !isTrouble(error)) throw error;
      this.#restsUntil = Date.now() + restMs;
      this.#warn(`the ${this.source} cache (${this.tier.name}) is left out: ${messageOf(error)}`);
      return undefined;
    }
  }
}

/** Our own bugs and the user's interruption are not the tier's trouble. */
function isTrouble(error: unknown): error is AppError {
  if (!isAppError(error)) return false;
  const { kind } = error.row;
  return kind === "environment" || kind === "damaged" || kind === "conflict" || kind === "not-found";
}
