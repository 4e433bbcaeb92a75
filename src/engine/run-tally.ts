import type { TimedEvent } from "./events.ts";
import type { CallCounts } from "./run-folder.ts";

/** Counts what is happening from the events. */
export class RunTally {
  readonly #counts = { reused: 0, computed: 0, failed: 0, cancelled: 0 };
  #stored = 0;
  readonly unstable: { readonly call: string; readonly outputs: readonly string[] }[] = [];
  savedSeconds = 0;

  count(event: TimedEvent): void {
    switch (event.kind) {
      case "call.reused":
        this.#counts.reused++;
        this.savedSeconds += event.savedSeconds;
        return;
      case "call.computed":
        this.#counts.computed++;
        return;
      case "call.stored":
        this.#stored++;
        return;
      case "call.taken-back":
        this.#counts[event.was]--;
        this.savedSeconds -= event.savedSeconds;
        return;
      case "call.failed":
        this.#counts.failed++;
        return;
      case "call.cancelled":
        this.#counts.cancelled++;
        return;
      case "recheck.ended":
        if (event.result === "differs") this.unstable.push({ call: event.call, outputs: event.outputs });
        return;
      default:
    }
  }

  counts(): CallCounts {
    return { ...this.#counts, ...(this.#stored === 0 ? {} : { stored: this.#stored }) };
  }
}
