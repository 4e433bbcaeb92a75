/** Answers one chunk of inputs: look up the places in order, then (where allowed) compute what is missing. */
import type { Ask } from "../kernel/index.ts";
import type { Cell, Prediction, PredictionRow, PredictionScope } from "../task/index.ts";
import type { BatchTally } from "./batch-tally.ts";
import type { CanonicalMatch } from "./canonical-match.ts";
import type { Computer } from "./computer.ts";
import type { MutableCounts } from "./events.ts";
import { type AnsweredChunk, type FailedRow, statusCode } from "./files/answers.ts";
import type { Source } from "./mode.ts";
import type { NearestAnswers } from "./nearest-answers.ts";
import type { Recorder } from "./recorder.ts";
import type { TierSlot } from "./tier-slot.ts";

export interface AnswerParts {
  readonly scope: PredictionScope;
  readonly places: readonly TierSlot[];
  readonly recorder: Pick<Recorder, "add">;
  /** undefined = never compute. */
  readonly computer: Pick<Computer, "compute"> | undefined;
  /** Only with `--match canonical`. */
  readonly canonical: CanonicalMatch | undefined;
  /** Only with `--nearest`. */
  readonly nearest: NearestAnswers | undefined;
  readonly batches?: BatchTally | undefined;
  /** Equal inputs of a chunk share one answer; `separate` for models whose answers vary. */
  readonly equalInputs: "share" | "separate";
  /** Called whenever `counts` has moved. */
  readonly moved: () => void;
}

export interface Answered extends AnsweredChunk {
  readonly failures: readonly FailedRow[];
  /** Inputs that were missing: what is remembered about them may be forgotten once the chunk is written. */
  readonly missed: readonly string[];
}

/** `counts` grows while the chunk is answered, for progress; the truth is in the answer's `status`. */
export async function answerRows(
  inputs: readonly string[],
  counts: MutableCounts,
  parts: AnswerParts,
  ask: Ask,
): Promise<Answered> {
  const work = new ChunkWork(inputs, counts, parts);
  for (const place of parts.places) await work.lookUp(place, ask);
  const missed = work.openInputs();
  if (parts.canonical !== undefined) await work.lookUpCanonical(parts.canonical, ask);
  if (parts.nearest !== undefined) await work.answerNearest(parts.nearest, ask);
  if (parts.computer !== undefined) await work.compute(parts.computer, ask);
  const { values, status, failures, notes } = work;
  return { inputs, values, status, failures, missed, ...(notes.size === 0 ? {} : { notes }) };
}

class ChunkWork {
  readonly values: (readonly Cell[] | undefined)[];
  readonly status: Uint8Array;
  readonly failures: FailedRow[] = [];
  readonly notes = new Map<number, string>();
  readonly #inputs: readonly string[];
  readonly #counts: MutableCounts;
  readonly #parts: AnswerParts;
  /** Rows without an answer yet; undefined = all of them, so that a first look-up copies nothing. */
  #open: number[] | undefined;
  readonly #blank: readonly number[];

  constructor(inputs: readonly string[], counts: MutableCounts, parts: AnswerParts) {
    this.#inputs = inputs;
    this.#counts = counts;
    this.#parts = parts;
    this.values = new Array<readonly Cell[] | undefined>(inputs.length).fill(undefined);
    this.status = new Uint8Array(inputs.length);
    this.#blank = indexesOf(inputs, isBlank);
    if (this.#blank.length > 0) this.#open = indexesOf(inputs, (input) => !isBlank(input));
  }

  openInputs(): readonly string[] {
    const open = this.#open;
    return open === undefined ? this.#inputs : open.map((at) => this.#inputs[at] ?? "");
  }

  async lookUp(place: TierSlot, ask: Ask): Promise<void> {
    const wanted = this.openInputs();
    if (wanted.length === 0) return;
    // The first place sees every row, as most rows are found there; later ones see each missing input once.
    const { asked, slotOf } = this.#open === undefined ? everyRow(wanted) : distinct(wanted);
    const rows = await place.lookUp((tier) => tier.getMany(this.#parts.scope, asked, ask), ask);
    if (rows === undefined) return;
    this.#take(place.source, (n) => rows[slotOf(n)]);
    if (place.source !== "local")
      this.#parts.recorder.add(
        rows.filter((row) => row !== undefined),
        place.source,
      );
  }

  async lookUpCanonical(canonical: CanonicalMatch, ask: Ask): Promise<void> {
    const wanted = this.openInputs();
    if (wanted.length === 0) return;
    const forms = await canonical.formsOf(distinct(wanted).asked, ask);
    if (forms.every((form) => form === undefined)) return;
    for (const place of this.#parts.places) {
      if (!place.tier.can.canonicalIndex) continue;
      const open = this.openInputs().map((input) => canonical.formOf(input));
      const names = [...new Set(open.filter((form) => form !== undefined))];
      if (names.length === 0) return;
      const rows = await place.lookUp(
        async (tier) => await tier.getManyCanonical?.(this.#parts.scope, names, ask),
        ask,
      );
      if (rows === undefined) continue;
      // Not written back under this spelling: the row was computed for another one, and only this run asked for that.
      const byForm = new Map(names.map((name, n) => [name, rows[n]]));
      this.#take(place.source, (n) => byForm.get(open[n] ?? ""));
    }
  }

  /** The row of a similar molecule stands for this one in the output alone: it is neither stored nor computed. */
  async answerNearest(nearest: NearestAnswers, ask: Ask): Promise<void> {
    const wanted = this.openInputs();
    if (wanted.length === 0) return;
    const { asked, slotOf } = distinct(wanted);
    const rows = await nearest(asked, ask);
    const open = this.#open ?? this.#inputs.map((_, at) => at);
    const still: number[] = [];
    for (const [n, at] of open.entries()) {
      const found = rows[slotOf(n)];
      if (found === undefined) still.push(at);
      else {
        this.values[at] = found.row.values;
        this.status[at] = statusCode.nearest;
        this.notes.set(at, `nearest ${found.similarity.toFixed(4)} ${found.row.input}`);
      }
    }
    this.#counts.nearest = (this.#counts.nearest ?? 0) + open.length - still.length;
    this.#open = still;
    this.#parts.moved();
  }

  async compute(computer: Pick<Computer, "compute">, ask: Ask): Promise<void> {
    for (const at of this.#blank) this.#fail(at, "the input is empty");
    const wanted = this.openInputs();
    if (wanted.length === 0) return;
    const { asked, slotOf } = this.#parts.equalInputs === "share" ? distinct(wanted) : everyRow(wanted);
    const before = { ...this.#counts };
    const predictions = await computer.compute(asked, ask, (batch) => {
      for (const prediction of batch) this.#counts[prediction.kind] += 1;
      this.#parts.moved();
    });
    Object.assign(this.#counts, before);
    const open = this.#open ?? this.#inputs.map((_, at) => at);
    for (const [n, at] of open.entries()) {
      const prediction = predictions[slotOf(n)] as Prediction;
      if (prediction.kind === "failed") this.#fail(at, prediction.reason);
      else this.#compute(at, prediction.values);
    }
    this.#open = [];
    this.#parts.moved();
  }

  /** Gives each open row what `rowOf` (counted within the open rows) found for it. */
  #take(source: Source, rowOf: (n: number) => PredictionRow | undefined): void {
    const code = source === "local" ? statusCode.reusedLocal : statusCode.reusedCloud;
    const open = this.#open;
    const count = open?.length ?? this.#inputs.length;
    const still: number[] = [];
    for (let n = 0; n < count; n++) {
      const at = open === undefined ? n : (open[n] ?? 0);
      const row = rowOf(n);
      if (row === undefined) still.push(at);
      else {
        this.values[at] = row.values;
        this.status[at] = code;
        this.#parts.batches?.note(row.provenance);
      }
    }
    this.#counts[source === "local" ? "reusedLocal" : "reusedCloud"] += count - still.length;
    this.#open = still;
    this.#parts.moved();
  }

  #compute(at: number, values: readonly Cell[]): void {
    this.values[at] = values;
    this.status[at] = statusCode.computed;
    this.#counts.computed += 1;
  }

  #fail(at: number, reason: string): void {
    this.status[at] = statusCode.failed;
    this.#counts.failed += 1;
    this.failures.push({ index: at, reason });
  }
}

interface Asked {
  readonly asked: readonly string[];
  /** Where the n-th wanted input is in `asked`. */
  readonly slotOf: (n: number) => number;
}

function everyRow(wanted: readonly string[]): Asked {
  return { asked: wanted, slotOf: (n) => n };
}

function distinct(wanted: readonly string[]): Asked {
  const slots = new Map<string, number>();
  const slotPerRow = wanted.map((input) => {
    const known = slots.get(input);
    if (known !== undefined) return known;
    slots.set(input, slots.size);
    return slots.size - 1;
  });
  return { asked: [...slots.keys()], slotOf: (n) => slotPerRow[n] ?? 0 };
}

function indexesOf<T>(items: readonly T[], wanted: (item: T) => boolean): number[] {
  const found: number[] = [];
  for (let i = 0; i < items.length; i++) if (wanted(items[i] as T)) found.push(i);
  return found;
}

function isBlank(input: string): boolean {
  return input.length === 0 || (input.charCodeAt(0) <= 32 && input.trim() === "");
}
