/**
 * A prediction run with several models: the input is read once, every model answers each input as a separate run would
 * (the same look-ups, batches and recording, through the same opened tiers), and the answers become one table.
 *
 * A model that is ahead waits for the others, so memory holds a few chunks, however far apart their speeds are. Nothing
 * of the table is kept after an interruption: what was computed is in the caches, so the same run again looks it up.
 */
import { digestOf } from "../hash/index.ts";
import { AppError, type Ask, checkAsk, defined } from "../kernel/index.ts";
import { type MutableCounts, noCounts, type PredictEventSink, type RunCounts } from "./events.ts";
import { statusCode, statuses } from "./files/answers.ts";
import { converterFor } from "./files/converter.ts";
import { inputFormatOf, outputFormatOf } from "./files/format.ts";
import { joinedColumns, type ManyModelsFormat, manyModelsFormat } from "./files/many-models-format.ts";
import { type InputChunk, readInputs } from "./files/read-inputs.ts";
import { planOf } from "./mode.ts";
import type { OutputRows } from "./output-rows.ts";
import { ResumableOutput } from "./resumable-output.ts";
import type { PredictedRow } from "./row-sink.ts";
import { begun, isSameFile, runPredictions } from "./run.ts";
import type { RunParts, RunRequest, RunResult } from "./run-request.ts";
import { streamOutput } from "./stream-output.ts";

export type ManyModelsRequest = Omit<
  RunRequest,
  "inputs" | "rows" | "slice" | "isWanted" | "stopAfter" | "rowFormat" | "nearest"
>;

export interface ManyModelsResult {
  readonly input: string;
  readonly output: string;
  readonly rows: number;
  readonly seconds: number;
  /** In the order in which they were named. */
  readonly models: readonly RunResult[];
}

/** Rows of one model that may wait for the other models. */
const mostWaitingRows = 4_000;
const chunkRows = 1_000;

/** @throws what a run with one model throws */
export async function runManyModels(
  request: ManyModelsRequest,
  parts: readonly RunParts[],
  emit: PredictEventSink,
  ask: Ask,
): Promise<ManyModelsResult> {
  const startedAt = performance.now();
  if (request.inputFormat === undefined) inputFormatOf(request.input);
  const format = request.outputFormat ?? outputFormatOf(request.output);
  const isStreamed = request.inputStream !== undefined || request.outputStream !== undefined;
  if (!isStreamed && (await isSameFile(request.input, request.output)))
    throw new AppError(
      "PREDICT_INPUT_IS_OUTPUT",
      `cannot write the predictions over their own inputs: ${request.input}`,
    );
  const models = parts.map(({ model }) => ({ model: model.id, columns: model.columns }));
  // A wrong input is reported before the output's folder is touched.
  const reading = await begun(readInputs(readRequestOf(request), ask));
  try {
    const output = await openOutput(request);
    let finished = false;
    try {
      const missing = request.missing ?? planOf(request.mode).missing;
      const { statusColumn } = request;
      const table = new JoinedTable(output, manyModelsFormat(format, { models, missing, statusColumn }), {
        models,
      });
      const results = await runAll(
        request,
        { parts, table, inputs: new SharedInputs(reading.chunks, emit), emit },
        ask,
      );
      checkAsk(ask, "finishing the output");
      await table.end(converterFor(format, joinedColumns(models), ask));
      finished = true;
      return {
        input: request.input,
        output: request.output,
        rows: table.rows,
        seconds: Math.round(performance.now() - startedAt) / 1000,
        models: results,
      };
    } finally {
      if (!finished) await output.abandon();
    }
  } finally {
    await reading.close();
  }
}

function readRequestOf(request: ManyModelsRequest) {
  const { input: path, inputStream: stream, inputFormat: format } = request;
  return { ...request, path, chunkRows, ...defined({ stream, format }) };
}

async function openOutput({ output, outputStream }: ManyModelsRequest): Promise<OutputRows> {
  if (outputStream !== undefined) return streamOutput(output, outputStream);
  // No checkpoint is ever written, so nothing is resumed; the identity only has to differ from a run's.
  return await ResumableOutput.open({ path: output, identity: digestOf({ models: output, at: Date.now() }) });
}

/** One run per model. The first that breaks ends all, and its error is the answer. */
async function runAll(
  request: ManyModelsRequest,
  {
    parts,
    table,
    inputs,
    emit,
  }: {
    readonly parts: readonly RunParts[];
    readonly table: JoinedTable;
    readonly inputs: SharedInputs;
    readonly emit: PredictEventSink;
  },
  ask: Ask,
): Promise<readonly RunResult[]> {
  const inner = new AbortController();
  const signal = AbortSignal.any([ask.signal, inner.signal]);
  const innerAsk: Ask = { ...ask, signal };
  const counts = parts.map((): RunCounts => noCounts());
  let broken: { readonly error: unknown } | undefined;
  const { inputStream: _in, outputStream: _out, outputFormat: _format, ...shared } = request;
  const branches = parts.map(() => inputs.branch());
  const runs = parts.map(async (each, at) => {
    try {
      return await runPredictions(
        {
          ...shared,
          inputs: branches[at] ?? [],
          rows: (rows) => table.add(at, rows, signal),
        },
        { ...each, emit: eventsOf(each.model.id, (latest) => summed(at, latest), emit) },
        innerAsk,
      );
    } catch (error) {
      broken ??= { error };
      inner.abort(new AppError("RUN_INTERRUPTED", "another model of the same run broke"));
      throw error;
    }
  });
  const summed = (at: number, latest: RunCounts) => {
    counts[at] = latest;
    const sum = noCounts();
    for (const each of counts) addCounts(sum, each);
    emit({ kind: "progress", counts: sum, bytesAnswered: 0, bytesTotal: undefined });
  };
  const ended = await Promise.allSettled(runs);
  if (broken !== undefined) throw broken.error;
  return ended.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
}

function addCounts(sum: MutableCounts, more: RunCounts): void {
  sum.reusedLocal += more.reusedLocal;
  sum.reusedCloud += more.reusedCloud;
  sum.computed += more.computed;
  sum.failed += more.failed;
  sum.missing += more.missing;
}

/** Warnings say which model they are about; a warning about a shared cache is about all, and said once. */
function eventsOf(
  model: string,
  progress: (counts: RunCounts) => void,
  emit: PredictEventSink,
): PredictEventSink {
  return (event) => {
    if (event.kind === "progress") progress(event.counts);
    else if (event.kind === "warning" && !event.message.includes(model))
      emit({ kind: "warning", message: `${model}: ${event.message}` });
    else emit(event);
  };
}

/** One reader for several runs: a chunk is read when the first of them wants it, and waits for the others. */
class SharedInputs {
  readonly #source: AsyncIterator<InputChunk>;
  readonly #branches: (readonly string[])[][] = [];
  readonly #emit: PredictEventSink;
  #reading: Promise<void> | undefined;
  #ended = false;

  constructor(chunks: AsyncIterable<InputChunk>, emit: PredictEventSink) {
    this.#source = chunks[Symbol.asyncIterator]();
    this.#emit = emit;
  }

  /** Ask for all of them before the first is read. */
  branch(): AsyncIterable<string> {
    const mine: (readonly string[])[] = [];
    this.#branches.push(mine);
    return this.#inputsOf(mine);
  }

  async *#inputsOf(mine: (readonly string[])[]): AsyncGenerator<string, void> {
    while (true) {
      const chunk = mine.shift();
      if (chunk !== undefined) yield* chunk;
      else if (this.#ended) return;
      else await this.#read();
    }
  }

  #read(): Promise<void> {
    this.#reading ??= this.#source
      .next()
      .then(({ done, value }) => {
        if (done === true) this.#ended = true;
        else {
          if (value.note !== undefined) this.#emit({ kind: "warning", message: value.note });
          for (const branch of this.#branches) branch.push(value.inputs);
        }
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }
}

/** Rows of all models, joined in the order of the inputs and written as soon as every model has answered them. */
class JoinedTable {
  readonly #output: OutputRows;
  readonly #format: ManyModelsFormat;
  readonly #columns: readonly (readonly string[])[];
  readonly #waiting: PredictedRow[][];
  #writing: Promise<void> | undefined;
  #rows = 0;
  #begun = false;
  /** Called when rows have left. */
  readonly #moved = new Set<() => void>();

  constructor(
    output: OutputRows,
    format: ManyModelsFormat,
    { models }: { readonly models: readonly { readonly columns: readonly { readonly name: string }[] }[] },
  ) {
    this.#output = output;
    this.#format = format;
    this.#columns = models.map(({ columns }) => columns.map(({ name }) => name));
    this.#waiting = models.map(() => []);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Answers when there is room for more rows of this model. */
  async add(at: number, rows: readonly PredictedRow[], signal: AbortSignal): Promise<void> {
    const mine = this.#waiting[at] ?? [];
    for (const row of rows) mine.push(row);
    await this.#write();
    while (mine.length > mostWaitingRows) await this.#roomMade(signal);
  }

  async end(convert: ReturnType<typeof converterFor>): Promise<void> {
    await this.#write();
    await this.#begin();
    await this.#output.write(this.#format.end());
    await this.#output.finish(convert);
  }

  async #write(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    this.#writing = this.#writeReady().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #writeReady(): Promise<void> {
    const ready = Math.min(...this.#waiting.map((rows) => rows.length));
    if (ready === 0) return;
    const taken = this.#waiting.map((rows) => rows.splice(0, ready));
    const inputs = (taken[0] ?? []).map(({ input }) => input);
    const answers = taken.map((rows, m) => ({
      values: rows.map(
        ({ values }) => values && (this.#columns[m] ?? []).map((name) => values[name] ?? null),
      ),
      status: Uint8Array.from(rows, ({ status }) => Math.max(statusCode.missing, statuses.indexOf(status))),
    }));
    await this.#begin();
    await this.#output.write(this.#format.rows(inputs, answers, this.#rows));
    this.#rows += ready;
    for (const resume of [...this.#moved]) resume();
  }

  async #begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    await this.#output.write(this.#format.begin());
  }

  /** @throws the signal's reason: another model broke, and its rows will never come */
  async #roomMade(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        this.#moved.delete(done);
        signal.removeEventListener("abort", stopped);
        resolve();
      };
      const stopped = () => {
        this.#moved.delete(done);
        reject(signal.reason);
      };
      this.#moved.add(done);
      signal.addEventListener("abort", stopped, { once: true });
      if (signal.aborted) stopped();
    });
  }
}
