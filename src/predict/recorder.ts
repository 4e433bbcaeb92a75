/**
 * Writes answers back to the tiers before the one that gave them. The local tier gets them in small groups, so that a
 * crash loses little; the cloud tier gets large groups, because each becomes a file. Trouble is a warning.
 */
import type { Ask } from "../kernel/index.ts";
import type { PredictionRow, PredictionScope } from "../task/index.ts";
import type { Source } from "./mode.ts";
import type { Place } from "./place.ts";

const group = {
  local: { rows: 1000, cells: 200_000, afterMs: 250 },
  cloud: { rows: 50_000, cells: 1_000_000, afterMs: 30_000 },
} as const satisfies Record<Source, unknown>;

export interface RecorderOptions {
  readonly scope: PredictionScope;
  readonly places: readonly Place[];
}

export class Recorder {
  readonly #scope: PredictionScope;
  readonly #lanes: readonly Lane[];

  constructor(options: RecorderOptions) {
    this.#scope = options.scope;
    this.#lanes = options.places
      .filter((place) => place.tier.can.write)
      .map((place) => ({ place, held: [], since: 0, writing: Promise.resolve() }));
  }

  /** Takes rows for all places, or only for those before `answeredBy`. Returns at once; `settle` waits. */
  add(rows: readonly PredictionRow[], answeredBy: Source | "computed", ask: Ask): void {
    for (const lane of this.#lanes) {
      if (lane.place.source === answeredBy) return; // The places are in the order in which they are asked.
      if (lane.held.length === 0) lane.since = Date.now();
      for (const row of rows) lane.held.push(row);
      const limits = group[lane.place.source];
      const full =
        lane.held.length >= Math.min(limits.rows, limits.cells / Math.max(1, this.#scope.columns.length));
      if (full || Date.now() - lane.since >= limits.afterMs) this.#flush(lane, ask);
    }
  }

  /** Waits until what was added lies in the local tier; with `everything`, in the cloud tier too. */
  async settle(what: "local" | "everything", ask: Ask): Promise<void> {
    for (const lane of this.#lanes) {
      if (what === "local" && lane.place.source !== "local") continue;
      this.#flush(lane, ask);
      await lane.writing;
    }
  }

  #flush(lane: Lane, ask: Ask): void {
    if (lane.held.length === 0) return;
    const rows = lane.held;
    lane.held = [];
    const write = () => lane.place.ask("record", (tier) => tier.putMany(this.#scope, rows, ask), ask);
    lane.writing = lane.writing.then(write).then(() => undefined);
    lane.writing.catch(() => undefined); // Reported by settle, which awaits the same promise.
  }
}

interface Lane {
  readonly place: Place;
  held: PredictionRow[];
  since: number;
  writing: Promise<void>;
}
