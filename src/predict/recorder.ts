/**
 * Writes answers back to the tiers before the one that gave them. The local tier gets them in small groups, so that a
 * crash loses little; the cloud tier gets large groups, because each becomes a file.
 *
 * Trouble is a warning, and the answers wait: in memory while they are few, else on disk. They are written as soon as
 * the tier takes answers again, at the latest at the end of the run; what it does not take then waits on disk for the
 * next run with this tier. What could not be written is counted.
 */
import type { Ask } from "../kernel/index.ts";
import type { PredictionRow, PredictionScope } from "../task/index.ts";
import type { Source } from "./mode.ts";
import type { TierSlot } from "./tier-slot.ts";
import { giveUnsent, type UnsentPlace, UnsentRows } from "./unsent-rows.ts";

const group = {
  local: { rows: 1000, cells: 200_000, afterMs: 250 },
  cloud: { rows: 50_000, cells: 1_000_000, afterMs: 30_000 },
} as const satisfies Record<Source, unknown>;

const mostGroupsWaiting = 2;
/** Answers that wait for a tier in trouble take at most so much memory: cells, and some more for each row. */
const mostWeightWaiting = 2_000_000;
const weightOfRow = 8;

export interface RecorderOptions {
  readonly scope: PredictionScope;
  /** In the order in which they are asked. */
  readonly places: readonly TierSlot[];
  /** Where answers wait on disk; a tier without a place keeps them in memory only. */
  readonly unsent?: { readonly local?: UnsentPlace; readonly cloud?: UnsentPlace };
  /** Outlives the run's own Ask a little, so that an interruption does not tear what is being written. */
  readonly ask: Ask;
}

/** Answers that a tier did not get. */
export interface NotStored {
  readonly cache: Source;
  /** The tier's name, without secrets. */
  readonly tier: string;
  readonly rows: number;
  /** Of these, rows that wait on disk for the next run with this tier; the others are not kept. */
  readonly waiting: number;
}

interface Lane {
  readonly place: TierSlot;
  readonly kept: UnsentRows | undefined;
  held: PredictionRow[];
  /** Runs while rows are held: a slow model's answers do not wait for its next ones. */
  timer: NodeJS.Timeout | undefined;
  /** Groups that are not written yet, the one that is being written included. */
  waiting: (readonly PredictionRow[])[];
  /** What is done with the tier and the file, one after the other. */
  turn: Promise<void>;
  /** Its last write was not taken. */
  troubled: boolean;
  refused: boolean;
  lost: number;
  bug: { readonly error: unknown } | undefined;
}

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #lanes: readonly Lane[];

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#lanes = options.places
      .filter((place) => place.tier.can.write)
      .map((place) => {
        const unsent = options.unsent?.[place.source];
        return {
          place,
          kept: unsent === undefined ? undefined : new UnsentRows(unsent, options.scope),
          held: [],
          timer: undefined,
          waiting: [],
          turn: Promise.resolve(),
          troubled: false,
          refused: false,
          lost: 0,
          bug: undefined,
        };
      });
  }

  /** Writes what earlier runs could not write. Trouble is for a later run, as it was for them. */
  async writeEarlier(): Promise<void> {
    for (const lane of this.#lanes) {
      const unsent = this.#options.unsent?.[lane.place.source];
      if (unsent === undefined) continue;
      await this.#inTurn(lane, () =>
        giveUnsent(unsent, this.#options.scope, async (rows) =>
          (await this.#write(lane, rows)) ? "taken" : "not-taken",
        ),
      );
    }
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
    for (const lane of this.#lanes) {
      if (lane.waiting.length > mostGroupsWaiting && !lane.troubled) await lane.turn;
      if (this.#weightOf(lane) > mostWeightWaiting) await this.#inTurn(lane, () => this.#toDisk(lane));
    }
  }

  /**
   * Waits until what was added is in the local tier, or on disk while that takes no answers; with `everything`, in
   * the cloud tier too, as far as it takes them now.
   */
  async settle(what: "local" | "everything"): Promise<void> {
    for (const lane of this.#lanes) {
      if (what === "local" && lane.place.source !== "local") continue;
      this.#flush(lane);
      await lane.turn;
      if (what === "local") {
        if (lane.waiting.length > 0) await this.#inTurn(lane, () => this.#toDisk(lane));
      } else if (lane.waiting.length > 0 || (lane.kept?.rows ?? 0) > 0) {
        lane.place.wake();
        await this.#inTurn(lane, () => this.#drain(lane));
      }
      const { bug } = lane;
      lane.bug = undefined;
      if (bug !== undefined) throw bug.error;
    }
  }

  /** Ends recording: what was not written is kept on disk where that is possible, and counted. */
  async close(): Promise<readonly NotStored[]> {
    const report: NotStored[] = [];
    for (const lane of this.#lanes) {
      clearTimeout(lane.timer);
      if (lane.held.length > 0) lane.waiting.push(lane.held.splice(0));
      await lane.turn;
      await this.#toDisk(lane);
      await lane.kept?.close();
      const waiting = lane.kept?.rows ?? 0;
      const { source, tier } = lane.place;
      if (waiting + lane.lost > 0)
        report.push({ cache: source, tier: tier.name, rows: waiting + lane.lost, waiting });
    }
    return report;
  }

  #flush(lane: Lane): void {
    clearTimeout(lane.timer);
    lane.timer = undefined;
    if (lane.held.length === 0) return;
    lane.waiting.push(lane.held);
    lane.held = [];
    void this.#inTurn(lane, () => this.#drain(lane));
  }

  /** Never rejects: a bug is thrown by `settle`, after everything else was written. */
  #inTurn(lane: Lane, work: () => Promise<void>): Promise<void> {
    lane.turn = lane.turn.then(work).catch((error: unknown) => {
      lane.bug ??= { error };
    });
    return lane.turn;
  }

  async #drain(lane: Lane): Promise<void> {
    let rows = lane.waiting[0];
    while (rows !== undefined) {
      try {
        if (!(await this.#write(lane, rows))) return;
      } catch (error) {
        if (this.#options.ask.signal.aborted) throw error;
        // A group that failed does not take the next one with it.
        lane.lost += rows.length;
        lane.bug ??= { error };
      }
      lane.waiting.shift();
      rows = lane.waiting[0];
    }
    await lane.kept?.give(async (group) => ((await this.#write(lane, group)) ? "taken" : "not-taken"));
  }

  async #write(lane: Lane, rows: readonly PredictionRow[]): Promise<boolean> {
    const recorded = await lane.place.record(this.#options.scope, rows, this.#options.ask);
    lane.troubled = recorded.kind !== "stored";
    lane.refused = recorded.kind === "refused";
    if (recorded.kind === "stored") lane.lost += recorded.unfit;
    return recorded.kind === "stored";
  }

  /** Rows for a tier that refuses them for good are not kept: a next run would be refused, too. */
  async #toDisk(lane: Lane): Promise<void> {
    for (const rows of lane.waiting.splice(0)) {
      const kept = lane.refused ? 0 : ((await lane.kept?.keep(rows)) ?? 0);
      lane.lost += rows.length - kept;
    }
  }

  #weightOf(lane: Lane): number {
    if (!lane.troubled) return 0;
    const rows = lane.waiting.reduce((sum, each) => sum + each.length, 0);
    return rows * (weightOfRow + this.#options.scope.columns.length);
  }
}
