/**
 * Stops asking a model that does not work: after `most` failures of the model as a whole, and none of single inputs, it is
 * not asked for a while. What is stored is answered all the same.
 */
export interface BreakerState {
  readonly state: "closed" | "open" | "half-open";
  readonly failures: number;
  /** Seconds since 1970, as ersilia-pack reports them. */
  readonly last_failure: number | null;
  readonly reset_timeout: number;
  readonly next_reset: number | null;
}

export class FailureBreaker {
  readonly #most = 100;
  readonly #restMs = 60_000;
  readonly #now: () => Date;
  #failures = 0;
  #lastFailure: number | undefined;
  #openedAt: number | undefined;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Whether the model may be asked. */
  get isClosed(): boolean {
    return this.state.state !== "open";
  }

  get state(): BreakerState {
    const now = this.#now().getTime();
    const until = this.#openedAt === undefined ? undefined : this.#openedAt + this.#restMs;
    return {
      state: until === undefined ? "closed" : now < until ? "open" : "half-open",
      failures: this.#failures,
      last_failure: this.#lastFailure === undefined ? null : this.#lastFailure / 1000,
      reset_timeout: this.#restMs / 1000,
      next_reset: until === undefined || now >= until ? null : until / 1000,
    };
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openedAt = undefined;
  }

  failed(): void {
    const now = this.#now().getTime();
    this.#failures++;
    this.#lastFailure = now;
    if (this.#failures >= this.#most) this.#openedAt = now;
  }
}
