/** When no further call is started, and when those under way are stopped. */
import type { Ask } from "../kernel/index.ts";

export class RunStop {
  readonly #starting = new AbortController();
  readonly #running = new AbortController();
  /** By the caller's signal: most calls of a run have the same one. */
  readonly #combined = new WeakMap<AbortSignal, AbortSignal>();

  /** Aborted when no further call may be started. */
  get starting(): AbortSignal {
    return this.#starting.signal;
  }

  /** Whether calls under way are stopped. */
  get terminates(): boolean {
    return this.#running.signal.aborted;
  }

  stop(how: "finish" | "terminate"): void {
    this.#starting.abort();
    if (how === "terminate") this.#running.abort();
  }

  /** For a call: ends with the caller's and when running calls are stopped. */
  askOf(ask: Ask): Ask {
    const known = this.#combined.get(ask.signal);
    const signal = known ?? AbortSignal.any([ask.signal, this.#running.signal]);
    if (known === undefined) this.#combined.set(ask.signal, signal);
    return { ...ask, signal };
  }
}
