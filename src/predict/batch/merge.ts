/**
 * Puts the shards of a batch together in the input's order. The input is read once more, and each of its rows must be the
 * next one of its slice's shard: with the same place, the same text, none missing and none left. Memory does not grow with
 * the number of rows. Nothing gets the output's name before all of it was checked.
 */
import { randomBytes } from "node:crypto";
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError, type Ask, checkAsk, defined } from "../../kernel/index.ts";
import type { Cell, PredictionRow, Provenance } from "../../task/index.ts";
import { type MutableCounts, noCounts, type PredictEventSink, type RunCounts } from "../events.ts";
import type { AnsweredChunk } from "../files/answers.ts";
import { statusCode } from "../files/answers.ts";
import { converterFor } from "../files/converter.ts";
import { outputFormatOf, type StreamedFormat } from "../files/format.ts";
import { readInputs } from "../files/read-inputs.ts";
import { rowFormatFor } from "../files/row-formats.ts";
import { planOf } from "../mode.ts";
import { OrderedWriter } from "../ordered-writer.ts";
import type { OutputRows } from "../output-rows.ts";
import type { Recorder } from "../recorder.ts";
import { InputDigest, ResumableOutput } from "../resumable-output.ts";
import type { FailedInput } from "../run-request.ts";
import { slicer } from "../slices.ts";
import { type RowStream, streamOutput } from "../stream-output.ts";
import type { TierSlot } from "../tier-slot.ts";
import { type BatchPlan, checkInput, rowsOfPlan, shardPath } from "./plan.ts";
import { readShard, type ShardRow, ShardTrouble } from "./shard.ts";
import { statusOf } from "./status.ts";

export interface MergeRequest {
  readonly plan: BatchPlan;
  /** The planned input; it may have been moved. */
  readonly input: string;
  /** Of the shards. */
  readonly folder: string;
  readonly output: string;
  readonly outputStream?: RowStream;
  readonly outputFormat?: StreamedFormat;
  /** Default: what the plan's mode says. */
  readonly missing?: string;
  readonly statusColumn: "with" | "without";
  /** For a plan of single rows: where the others are stored. */
  readonly stored?: StoredRows;
}

export interface StoredRows {
  /** Tiers in the order in which they are asked. */
  readonly places: readonly TierSlot[];
  /** Takes what was computed; absent where the workers have recorded it. */
  readonly recorder?: Recorder;
  /** How it was computed. */
  readonly provenance: Provenance;
}

/** Rows that were stored when the batch was planned are not there any more: plan again. */
export class StoredRowsGone extends Error {}

export interface MergeResult {
  readonly plan: string;
  readonly model: string;
  readonly release: string;
  readonly input: string;
  readonly output: string;
  readonly slices: number;
  readonly rows: number;
  readonly counts: RunCounts;
  /** The first failed rows, at most 20. */
  readonly failures: readonly FailedInput[];
}

const chunkRows = 20_000;
const failuresShown = 20;

/** @throws BATCH_UNFINISHED with the slices that are not done, BATCH_INPUT_CHANGED, FILE_*, DISK_FULL */
export async function mergeBatch(
  request: MergeRequest,
  emit: PredictEventSink,
  ask: Ask,
): Promise<MergeResult> {
  const { plan, folder, input, output } = request;
  const format =
    request.outputFormat ?? (request.outputStream === undefined ? outputFormatOf(output) : "csv");
  if (request.outputStream === undefined) await refuseOwnFiles(request);
  await checkInput(plan, input, ask);
  const { unfinished, slices } = await statusOf(plan, folder, ask);
  if (unfinished.length > 0) throw unfinishedError(unfinished, slices, folder);
  const rows: OutputRows =
    request.outputStream === undefined
      ? // Never resumed: merging again is quick.
        await ResumableOutput.open({ path: output, identity: randomBytes(16).toString("hex") })
      : streamOutput(output, request.outputStream);
  const counts = noCounts();
  const failures: FailedInput[] = [];
  let finished = false;
  try {
    const options = {
      columns: plan.model.columns,
      missing: request.missing ?? planOf(plan.mode).missing,
      statusColumn: request.statusColumn,
    };
    const writer = new OrderedWriter(rows, rowFormatFor(format, options), counts);
    const digest = new InputDigest();
    for await (const chunk of mergedChunks(request, ask)) {
      noteFailures(chunk, writer.rows, failures);
      await writer.write(chunk, digest);
      emit(progressOf(counts));
    }
    await writer.finish(converterFor(format, plan.model.columns, ask));
    finished = true;
  } finally {
    if (!finished) await rows.abandon();
  }
  return {
    plan: plan.id,
    model: plan.model.id,
    release: plan.model.release,
    input,
    output,
    slices,
    rows: plan.input.rows,
    counts: { ...counts },
    failures,
  };
}

async function* mergedChunks(request: MergeRequest, ask: Ask): AsyncGenerator<AnsweredChunk> {
  const { plan, folder, input, stored } = request;
  const wanted = await rowsOfPlan(plan);
  if (wanted !== undefined && stored === undefined)
    throw new AppError(
      "BATCH_PLAN_INVALID",
      "merging the batch: its plan belongs to `memoir run --executor`",
    );
  const sliceOf = slicer(plan.rowsPerSlice.length);
  const shards = plan.rowsPerSlice.map((_, at) => new ShardCursor(plan, at + 1, folder));
  const { format, delimiter, column, header } = plan.input;
  const reading = { path: input, format, chunkRows, ...defined({ delimiter, column, header }) };
  let row = 0;
  try {
    for await (const { inputs } of readInputs(reading, ask)) {
      const values = new Array<readonly Cell[] | undefined>(inputs.length).fill(undefined);
      const status = new Uint8Array(inputs.length);
      const failures: { index: number; reason: string }[] = [];
      const others: number[] = [];
      const fresh: PredictionRow[] = [];
      for (const [index, text] of inputs.entries()) {
        if (wanted?.has(row) === false) {
          others.push(index);
          row++;
          continue;
        }
        const shard = shards[sliceOf(text) - 1] as ShardCursor;
        const found = shard.next() ?? (await shard.nextGroup());
        if (found === undefined || found.row !== row || found.input !== text) throw shard.mismatch(row);
        values[index] = found.values;
        status[index] = found.status;
        if (found.status === statusCode.failed)
          failures.push({ index, reason: found.reason ?? "the model gave no reason" });
        if (found.values !== undefined && found.status !== statusCode.reusedLocal)
          fresh.push({ input: text, values: found.values, ...defined({ provenance: stored?.provenance }) });
        row++;
      }
      checkAsk(ask, "merging the slices");
      if (stored !== undefined) {
        await takeStored(stored, plan, { inputs, values, status }, others, ask);
        stored.recorder?.add(fresh, "computed");
        await stored.recorder?.keepUp();
      }
      yield { inputs, values, status, failures };
    }
    for (const shard of shards)
      if ((shard.next() ?? (await shard.nextGroup())) !== undefined) throw shard.mismatch(row);
  } finally {
    for (const shard of shards) await shard.close();
  }
}

/** Looks up the rows at these indexes, each of which was stored when the batch was planned. */
async function takeStored(
  { places }: StoredRows,
  { model }: BatchPlan,
  chunk: {
    readonly inputs: readonly string[];
    readonly values: (readonly Cell[] | undefined)[];
    readonly status: Uint8Array;
  },
  indexes: readonly number[],
  ask: Ask,
): Promise<void> {
  const scope = { modelId: model.id, release: model.release, columns: model.columns };
  let open = indexes;
  for (const place of places) {
    if (open.length === 0) return;
    const asked = open.map((index) => chunk.inputs[index] ?? "");
    const rows = await place.lookUp((tier) => tier.getMany(scope, asked, ask), ask);
    open = open.filter((index, n) => {
      const row = rows?.[n];
      if (row === undefined) return true;
      chunk.values[index] = row.values;
      chunk.status[index] = place.source === "local" ? statusCode.reusedLocal : statusCode.reusedCloud;
      return false;
    });
  }
  if (open.length > 0) throw new StoredRowsGone(`${open.length} rows are no longer stored`);
}

/** Reads a shard row by row. */
class ShardCursor {
  readonly #slice: number;
  readonly #path: string;
  readonly #groups: AsyncGenerator<readonly ShardRow[], void>;
  #group: readonly ShardRow[] = [];
  #at = 0;

  constructor(plan: BatchPlan, slice: number, folder: string) {
    this.#slice = slice;
    this.#path = shardPath(plan, folder, slice);
    this.#groups =
      plan.rowsPerSlice[slice - 1] === 0 ? noRows() : readShard({ plan, slice, path: this.#path });
  }

  /** undefined: ask for the next group. */
  next(): ShardRow | undefined {
    return this.#group[this.#at++];
  }

  /** Its first row; undefined at the end. */
  async nextGroup(): Promise<ShardRow | undefined> {
    try {
      const next = await this.#groups.next();
      this.#group = next.done === true ? [] : next.value;
    } catch (error) {
      if (!(error instanceof ShardTrouble)) throw error;
      throw new AppError(
        "BATCH_UNFINISHED",
        `merging the batch: slice ${this.#slice} is not whole: ${error.message}`,
        {
          cause: error,
        },
      );
    }
    this.#at = 1;
    return this.#group[0];
  }

  async close(): Promise<void> {
    await this.#groups.return();
  }

  mismatch(row: number): AppError {
    return new AppError(
      "BATCH_INPUT_CHANGED",
      `merging the batch: row ${row + 1} of the input is not the next row of ${this.#path}`,
    );
  }
}

async function* noRows(): AsyncGenerator<readonly ShardRow[], void> {}

function unfinishedError(unfinished: readonly number[], slices: number, folder: string): AppError {
  const shown = unfinished.slice(0, 20).join(", ");
  const more = unfinished.length > 20 ? ` and ${unfinished.length - 20} more` : "";
  const which =
    unfinished.length === 1 ? `slice ${shown} of ${slices} is` : `slices ${shown}${more} of ${slices} are`;
  return new AppError("BATCH_UNFINISHED", `merging the batch: ${which} not done in ${folder}`, {
    facts: { unfinished: unfinished.join(",") },
  });
}

/** The merge reads these to the end, so its output must not take the place of one. */
async function refuseOwnFiles({ input, output }: MergeRequest): Promise<void> {
  const [from, to] = await Promise.all(
    [input, output].map((path) => realpath(path).catch(() => resolve(path))),
  );
  if (from === to)
    throw new AppError(
      "PREDICT_INPUT_IS_OUTPUT",
      `cannot write the predictions over their own inputs: ${input}`,
    );
}

function noteFailures(chunk: AnsweredChunk, rowsBefore: number, failures: FailedInput[]): void {
  for (const { index, reason } of chunk.failures ?? []) {
    if (failures.length >= failuresShown) return;
    const input = chunk.inputs[index] ?? "";
    const shown = input.length > 80 ? `${input.slice(0, 77)}...` : input;
    failures.push({ row: rowsBefore + index + 1, input: shown, reason });
  }
}

function progressOf(counts: MutableCounts) {
  return { kind: "progress", counts: { ...counts }, bytesAnswered: 0, bytesTotal: undefined } as const;
}
