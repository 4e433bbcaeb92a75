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

const mostGroupsWaiting = 2;

export interface RecorderOptions {
  readonly scope: PredictionScope;
  /** In the order in which they are asked. */
  readonly places: readonly Place[];
  /** Outlives the run's own Ask a little, so that an interruption does not tear what is being written. */
  readonly ask: Ask;
}

interface Lane {
  readonly place: Place;
  held: PredictionRow[];
  /** Runs while rows are held: a slow model's answers do not wait for its next ones. */
  timer: NodeJS.Timeout | undefined;
  writing: Promise<void>;
  /** Groups that are being written or wait for it. */
  groups: number;
}

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #lanes: readonly Lane[];

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#lanes = options.places
      .filter((place) => place.tier.can.write)
      .map((place) => ({ place, held: [], timer: undefined, writing: Promise.resolve(), groups: 0 }));
  }

  /** Takes rows for the places before the one that answered. Returns at once; `settle` waits. */
  add(rows: readonly PredictionRow[], answeredBy: Source | "computed"): void {
    const cellsOfRow = Math.max(1, this.#options.scope.columns.length);
    for (const lane of this.#lanes) {
      if (lane.place.source === answeredBy) return;
      for (const row of rows) lane.held.push(row);
      if (lane.held.length === 0) continue;
      const limits = group[lane.place.source];
      if (lane.held.length >= Math.min(limits.rows, limits.cells / cellsOfRow)) this.#flush(lane);
      else lane.timer ??= setTimeout(() => this.#flush(lane), limits.afterMs).unref();
    }
  }

  /** Waits while a tier is so far behind that what it has yet to write would fill the memory. */
  async keepUp(): Promise<void> {
    for (const lane of this.#lanes) if (lane.groups > mostGroupsWaiting) await lane.writing;
  }

  /** Waits until what was added lies in the local tier; with `everything`, in the cloud tier too. */
  async settle(what: "local" | "everything"): Promise<void> {
    for (const lane of this.#lanes) {
      if (what === "local" && lane.place.source !== "local") continue;
      this.#flush(lane);
      await lane.writing;
    }
  }

  #flush(lane: Lane): void {
    clearTimeout(lane.timer);
    lane.timer = undefined;
    if (lane.held.length === 0) return;
    const { scope, ask } = this.#options;
    const rows = lane.held;
    lane.held = [];
    lane.groups++;
    const write = async () => {
      try {
        await lane.place.ask("record", (tier) => tier.putMany(scope, rows, ask), ask);
      } finally {
        lane.groups--;
      }
    };
    // One group after the other; a group that failed does not take the next one with it, but settle hears of it.
    lane.writing = lane.writing.then(write, async (error: unknown) => {
      await write();
      throw error;
    });
    lane.writing.catch(() => undefined);
  }
}
