/** Counts the outcomes of the calls of the server's runs since it started. */
import type { TimedEvent } from "../../engine/index.ts";

export interface Tallies {
  readonly tasks: Readonly<Record<"reused" | "computed" | "failed" | "cancelled", number>>;
  /** Of look-ups: each ends as a hit, a miss, or in trouble, which counts as a miss for the run. */
  readonly lookups: Readonly<Record<"hit" | "miss" | "trouble", number>>;
  readonly recorded: number;
}

export class RunTallies {
  readonly #tasks = { reused: 0, computed: 0, failed: 0, cancelled: 0 };
  readonly #lookups = { hit: 0, miss: 0, trouble: 0 };
  #recorded = 0;

  count(event: TimedEvent): void {
    switch (event.kind) {
      case "call.reused":
        this.#tasks.reused++;
        this.#lookups.hit++;
        break;
      case "call.missed":
        // What may never be reused is not looked up.
        if (event.reason.kind === "no-entry") this.#lookups.miss++;
        else if (event.reason.kind === "trouble") this.#lookups.trouble++;
        break;
      case "call.computed":
        this.#tasks.computed++;
        break;
      case "call.failed":
        this.#tasks.failed++;
        break;
      case "call.cancelled":
        this.#tasks.cancelled++;
        break;
      case "call.recorded":
        this.#recorded++;
        break;
      default:
        break;
    }
  }

  now(): Tallies {
    return { tasks: { ...this.#tasks }, lookups: { ...this.#lookups }, recorded: this.#recorded };
  }
}
