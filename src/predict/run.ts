/**
 * A prediction run: read the inputs in chunks, answer each chunk, write the answers in the inputs' order. Two chunks are
 * answered at the same time, so that looking up continues while the model computes. Row count, order and duplicates are
 * the input's.
 */
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { digestOf } from "../hash/index.ts";
import { AppError, type Ask, checkAsk, defined, isAppError } from "../kernel/index.ts";
import type { PredictionScope } from "../task/index.ts";
import { type Answered, type AnswerParts, answerRows } from "./answer-rows.ts";
import { CanonicalMatch } from "./canonical-match.ts";
import { computedRows } from "./computed-rows.ts";
import { Computer } from "./computer.ts";
import { type MutableCounts, noCounts, sumOf } from "./events.ts";
import { extendedAsk } from "./extended-ask.ts";
import { converterFor } from "./files/converter.ts";
import { inputFormatOf, outputFormatOf } from "./files/format.ts";
import { type InputChunk, inputSizeBytes, isReadOnce, readInputs } from "./files/read-inputs.ts";
import { rowFormatFor } from "./files/row-formats.ts";
import { planOf } from "./mode.ts";
import { OrderedWriter } from "./ordered-writer.ts";
import type { OutputRows } from "./output-rows.ts";
import { type NotStored, Recorder } from "./recorder.ts";
import { InputDigest, ResumableOutput } from "./resumable-output.ts";
import { sinkOutput } from "./row-sink.ts";
import type { FailedInput, RunParts, RunRequest, RunResult } from "./run-request.ts";
import { rowsOfSlice } from "./slices.ts";
import { streamOutput } from "./stream-output.ts";
import { TierSlot } from "./tier-slot.ts";

/** Raised when the text of an output changes although the options do not, so that no old partial output is resumed. */
const outputVersion = 2;
const chunksAtOnce = 2;
const checkpointEveryMs = 1_000;
const failuresShown = 20;
/** How long recording may continue after an interruption. */
const recordForMs = 5_000;

/**
 * Runs a batch of predictions.
 * @throws PREDICT_*, FILE_*, DISK_FULL, STORE_* (only where nothing may be computed), MODEL_*, RUN_INTERRUPTED.
 */
export async function runPredictions(request: RunRequest, parts: RunParts, ask: Ask): Promise<RunResult> {
  return await new PredictionRun(request, parts).run(ask);
}

class PredictionRun {
  readonly #request: RunRequest;
  readonly #parts: RunParts;
  readonly #scope: PredictionScope;
  readonly #reusable: boolean;
  readonly #missing: string;
  readonly #warnings: string[] = [];
  readonly #failures: FailedInput[] = [];
  /** Counts of written rows and the bytes of the input that they take; then the chunks that are being answered. */
  #written = noCounts();
  #bytesWritten = 0;
  readonly #underWay = new Set<ChunkUnderWay>();
  #bytesTotal: number | undefined;
  /** The chunks of an input that cannot be read a second time; their reading has begun. */
  #readOnce: Begun | undefined;
  #resumedRows = 0;
  /** Before all was done, because `stopAfter` said so. */
  #stopped = false;
  #notStored: readonly NotStored[] = [];

  constructor(request: RunRequest, parts: RunParts) {
    this.#request = request;
    this.#parts = parts;
    const { id, release, columns, reusable } = parts.model;
    this.#scope = { modelId: id, release, columns };
    this.#reusable = reusable.kind === "reusable";
    this.#missing = request.missing ?? planOf(request.mode).missing;
  }

  async run(ask: Ask): Promise<RunResult> {
    try {
      return await this.#run(ask);
    } finally {
      await this.#readOnce?.close();
    }
  }

  async #run(ask: Ask): Promise<RunResult> {
    const startedAt = performance.now();
    const request = this.#request;
    if (request.inputFormat === undefined && request.inputs === undefined) inputFormatOf(request.input);
    const sink = request.rows && sinkOutput(request.rows, this.#scope.columns);
    const format =
      sink === undefined && request.rowFormat === undefined
        ? (request.outputFormat ?? outputFormatOf(request.output))
        : "json";
    const streams = [request.inputStream, request.outputStream, request.inputs, request.rows];
    if (streams.every((each) => each === undefined) && (await isSameFile(request.input, request.output)))
      throw new AppError(
        "PREDICT_INPUT_IS_OUTPUT",
        `cannot write the predictions over their own inputs: ${request.input}`,
      );
    // The reader is asked first: a wrong input should be reported before the output's folder is touched.
    if (request.inputs !== undefined) {
      this.#readOnce = await begun(this.#sliced(chunksOf(request.inputs, this.#readRequest().chunkRows)));
    } else if (request.inputStream !== undefined || (await isReadOnce(request.input))) {
      this.#readOnce = await begun(this.#sliced(readInputs(this.#readRequest(), ask)));
    } else {
      const probe = readInputs({ ...this.#readRequest(), chunkRows: 1 }, ask);
      await probe.next();
      await probe.return();
      this.#bytesTotal = await inputSizeBytes(request.input);
    }

    const inner = new AbortController();
    const stop = () => inner.abort(ask.signal.reason);
    ask.signal.addEventListener("abort", stop, { once: true });
    const { stopAfter } = request;
    const timer =
      stopAfter?.kind !== "time"
        ? undefined
        : setTimeout(() => {
            this.#stopped = true;
            inner.abort(new Error("the run's time is over"));
          }, stopAfter.ms);
    const innerAsk: Ask = { ...ask, signal: inner.signal };
    const recording = extendedAsk(ask, recordForMs);
    const answering = this.#answerParts(recording.ask);
    const output: OutputRows =
      sink?.output ??
      (request.outputStream === undefined
        ? await ResumableOutput.open({ path: request.output, identity: this.#identity(format) })
        : streamOutput(request.output, request.outputStream));
    let finished = false;
    try {
      const options = {
        columns: this.#scope.columns,
        missing: this.#missing,
        statusColumn: request.statusColumn,
      };
      const rowFormat = sink?.format ?? request.rowFormat?.format ?? rowFormatFor(format, options);
      const writer = new OrderedWriter(output, rowFormat, this.#written);
      await answering.recorder.writeEarlier();
      await this.#answerAll(writer, output, answering, innerAsk).catch((error: unknown) => {
        if (!this.#stopped || ask.signal.aborted || !isAppError(error, "RUN_INTERRUPTED")) throw error;
      });
      clearTimeout(timer);
      await answering.recorder.settle("everything");
      // What was computed is recorded, what was written stays for the next run.
      if (this.#stopped) return await this.#endUnfinished(startedAt, answering);
      this.#notStored = await answering.recorder.close();
      checkAsk(ask, "finishing the output");
      await writer.finish(converterFor(format, this.#scope.columns, innerAsk));
      finished = true;
    } finally {
      clearTimeout(timer);
      inner.abort(new Error("the run has ended"));
      ask.signal.removeEventListener("abort", stop);
      if (!finished) await this.#keepWhatIsDone(answering, output);
      recording.done();
      await answering.computer?.close();
      await answering.canonical?.close();
    }
    return this.#result(startedAt);
  }

  async #endUnfinished(startedAt: number, answering: RunAnswerParts): Promise<RunResult> {
    this.#notStored = await answering.recorder.close();
    return this.#result(startedAt);
  }

  #sliced(chunks: AsyncGenerator<InputChunk, void>): AsyncGenerator<InputChunk, void> {
    const { slice, isWanted } = this.#request;
    const { chunkRows } = this.#readRequest();
    return slice === undefined ? chunks : rowsOfSlice(chunks, { slice, ...defined({ isWanted }) }, chunkRows);
  }

  /** Interrupted or broken: what was computed is recorded, what was written can be resumed. */
  async #keepWhatIsDone(answering: RunAnswerParts, output: OutputRows): Promise<void> {
    // The run's own error says more; a row that could not be recorded is computed again.
    await answering.recorder.settle("everything").catch(() => undefined);
    await answering.recorder.close().catch(() => undefined);
    await output.abandon();
  }

  async #answerAll(
    writer: OrderedWriter,
    output: OutputRows,
    answering: RunAnswerParts,
    ask: Ask,
  ): Promise<void> {
    const found = output.resumable;
    if (found !== undefined && this.#readOnce !== undefined) {
      // Whether these are the inputs of before shows only after they were read.
      await output.restart();
    } else if (found !== undefined) {
      Object.assign(this.#written, found.counts);
      writer.resumeAt(found.rows);
      this.#resumedRows = found.rows;
      if (await this.#pass(writer, { skip: found.rows, digest: found.inputDigest }, answering, ask)) return;
      this.#warn(`the interrupted run of ${output.path} had other inputs; starting again`);
      Object.assign(this.#written, noCounts());
      writer.resumeAt(0);
      this.#resumedRows = 0;
      this.#bytesWritten = 0;
      await output.restart();
    }
    await this.#pass(writer, undefined, answering, ask);
  }

  /** Reads, answers and writes everything after the `skip` rows. False = the skipped rows are not those of before. */
  async #pass(
    writer: OrderedWriter,
    resume: { readonly skip: number; readonly digest: string } | undefined,
    answering: RunAnswerParts,
    ask: Ask,
  ): Promise<boolean> {
    const digest = new InputDigest();
    const waiting: ChunkUnderWay[] = [];
    const computed: (readonly string[])[] = [];
    let skip = resume?.skip ?? 0;
    const { stopAfter } = this.#request;
    let left = stopAfter?.kind === "rows" ? stopAfter.rows : Number.POSITIVE_INFINITY;
    let verified = resume === undefined;
    let checkpointAt = Date.now() + checkpointEveryMs;

    const writeOldest = async () => {
      const oldest = waiting.shift();
      if (oldest === undefined) return;
      const answered = await oldest.answer;
      this.#underWay.delete(oldest);
      this.#noteFailures(answered, writer.rows);
      await writer.write(answered, digest);
      this.#bytesWritten = oldest.bytesTo;
      this.#progress();
      // Two chunks back: nothing that is still being answered can have missed these inputs before they were recorded.
      computed.push(answered.missed);
      for (const missed of computed.length > chunksAtOnce ? [computed.shift() ?? []] : []) {
        answering.computer?.release(missed);
        answering.canonical?.release(missed);
      }
      await answering.recorder.keepUp();
      if (Date.now() < checkpointAt) return;
      await answering.recorder.settle("local");
      await writer.checkpoint(digest);
      checkpointAt = Date.now() + checkpointEveryMs;
    };

    try {
      for await (const chunk of this.#readOnce?.chunks ??
        this.#sliced(readInputs(this.#readRequest(), ask))) {
        checkAsk(ask, "answering the inputs");
        if (chunk.note !== undefined) this.#warn(chunk.note);
        const skipped = Math.min(skip, chunk.inputs.length);
        skip -= skipped;
        if (skipped > 0) digest.add(chunk.inputs.slice(0, skipped));
        if (skipped > 0) this.#bytesWritten = chunk.bytesRead;
        if (skip > 0) continue;
        if (!verified) {
          if (digest.current() !== resume?.digest) return false;
          verified = true;
          this.#parts.emit({ kind: "resumed", rows: this.#resumedRows });
        }
        const to = skipped + left;
        const inputs =
          skipped === 0 && to >= chunk.inputs.length ? chunk.inputs : chunk.inputs.slice(skipped, to);
        if (skipped < chunk.inputs.length && left === 0) this.#stopped = true;
        if (this.#stopped) break;
        if (inputs.length === 0) continue;
        left -= inputs.length;
        const counts = noCounts();
        const rows = chunk.rows?.slice(skipped, to);
        const answer = answerRows(inputs, counts, answering, ask).then((answered) =>
          rows === undefined ? answered : { ...answered, rows },
        );
        answer.catch(() => undefined); // Awaited in turn; an earlier chunk's error comes first.
        const bytesFrom = waiting[waiting.length - 1]?.bytesTo ?? this.#bytesWritten;
        const underWay = { answer, counts, rows: inputs.length, bytesFrom, bytesTo: chunk.bytesRead };
        this.#underWay.add(underWay);
        waiting.push(underWay);
        if (waiting.length >= chunksAtOnce) await writeOldest();
        if (to < chunk.inputs.length) {
          this.#stopped = true;
          break;
        }
      }
      if (skip > 0) return false;
      while (waiting.length > 0) await writeOldest();
      if (this.#stopped) await writer.checkpoint(digest);
      return true;
    } catch (error) {
      if (verified) await writer.checkpoint(digest).catch(() => undefined); // The error that stopped us is the news.
      throw error;
    } finally {
      this.#underWay.clear();
    }
  }

  #readRequest() {
    // Wide models and models whose answers are not kept get smaller chunks: less memory, less to lose.
    const cells = Math.floor(1_000_000 / Math.max(1, this.#scope.columns.length));
    const plan = planOf(this.#request.mode);
    const most = !this.#reusable
      ? 4 * (this.#request.batchSize ?? 250)
      : plan.lookUp.includes("cloud")
        ? 100_000
        : 20_000;
    const chunkRows = Math.max(1, Math.min(most, Math.max(cells, this.#request.batchSize ?? 100)));
    const { inputStream: stream, inputFormat: format, input: path } = this.#request;
    return {
      ...this.#request,
      path,
      chunkRows,
      ...defined({ stream, format }),
    };
  }

  /** `ask`: for recording, which continues a little after an interruption. */
  #answerParts(ask: Ask): RunAnswerParts {
    const plan = planOf(this.#request.mode);
    const computes = plan.computes === "allowed" && this.#request.computes !== "never";
    const { model, runner, emit } = this.#parts;
    if (model.reusable.kind === "never")
      this.#warn(`answers of ${model.id} are never reused: ${model.reusable.reason}`);
    const places = !this.#reusable ? [] : plan.lookUp.map((source) => this.#place(source, computes));
    const { unsent } = this.#parts;
    const recorder = new Recorder({
      scope: this.#scope,
      places,
      ask,
      ...defined({ unsent }),
    });
    const canonical =
      this.#request.match === "canonical" && this.#reusable
        ? new CanonicalMatch(this.#parts.canonicalizer)
        : undefined;
    if (canonical !== undefined && !places.some((place) => place.tier.can.canonicalIndex))
      this.#warn("--match canonical finds nothing here: none of the caches keeps canonical forms");
    const equalInputs = this.#reusable ? "share" : "separate";
    const computer = !computes
      ? undefined
      : new Computer({
          runner,
          columns: model.columns,
          batchSize: this.#request.batchSize,
          parallel: this.#request.parallel ?? 1,
          equalInputs,
          opening: () => emit({ kind: "model-opening" }),
          computed: (inputs, predictions) =>
            recorder.add(computedRows(inputs, predictions, { runner, canonical }), "computed"),
        });
    return {
      scope: this.#scope,
      places,
      recorder,
      computer,
      canonical,
      nearest: this.#request.nearest === undefined ? undefined : this.#parts.nearest,
      batches: this.#parts.batches,
      equalInputs,
      moved: () => this.#progress(),
    };
  }

  #place(source: "local" | "cloud", computes: boolean): TierSlot {
    const tier = this.#parts[source];
    if (tier === undefined)
      throw new AppError(
        "PREDICT_TIER_NOT_CONFIGURED",
        `the mode ${this.#request.mode} needs a ${source} cache, and there is none`,
      );
    const trouble = computes ? "is-a-miss" : "ends-the-run";
    return new TierSlot({ source, tier, trouble, warn: (message) => this.#warn(message) });
  }

  #identity(format: string): string {
    const { mode, computes, statusColumn, match, slice, rowFormat } = this.#request;
    const columns = this.#scope.columns.map((column) => [column.name, column.type]);
    return digestOf({
      outputVersion,
      model: this.#scope.modelId,
      release: this.#scope.release,
      columns,
      mode,
      computes: computes ?? "as the mode says",
      missing: this.#missing,
      statusColumn,
      match,
      format,
      ...(slice === undefined ? {} : { slice: [slice.number, slice.of] }),
      ...defined({ nearest: this.#request.nearest }),
      ...(rowFormat === undefined ? {} : { rowFormat: rowFormat.identity }),
    });
  }

  #noteFailures(answered: Answered, rowsBefore: number): void {
    for (const { index, reason } of answered.failures) {
      if (this.#failures.length >= failuresShown) return;
      const input = answered.inputs[index] ?? "";
      const shown = input.length > 80 ? `${input.slice(0, 77)}...` : input;
      const row = answered.rows?.[index] ?? rowsBefore + index;
      this.#failures.push({ row: row + 1, input: shown, reason });
    }
  }

  #warn(message: string): void {
    if (this.#warnings.includes(message)) return;
    this.#warnings.push(message);
    this.#parts.emit({ kind: "warning", message });
  }

  #progress(): void {
    const counts = { ...this.#written };
    let bytesAnswered = this.#bytesWritten;
    for (const chunk of this.#underWay) {
      counts.reusedLocal += chunk.counts.reusedLocal;
      counts.reusedCloud += chunk.counts.reusedCloud;
      counts.computed += chunk.counts.computed;
      counts.failed += chunk.counts.failed;
      if (chunk.counts.nearest !== undefined) counts.nearest = (counts.nearest ?? 0) + chunk.counts.nearest;
      bytesAnswered += ((chunk.bytesTo - chunk.bytesFrom) * sumOf(chunk.counts)) / chunk.rows;
    }
    this.#parts.emit({ kind: "progress", counts, bytesAnswered, bytesTotal: this.#bytesTotal });
  }

  #result(startedAt: number): RunResult {
    const seconds = (performance.now() - startedAt) / 1000;
    const rows = sumOf(this.#written);
    return {
      model: this.#scope.modelId,
      release: this.#scope.release,
      mode: this.#request.mode,
      input: this.#request.input,
      output: this.#request.output,
      rows,
      counts: { ...this.#written },
      finished: !this.#stopped,
      resumedRows: this.#resumedRows,
      seconds: Math.round(seconds * 1000) / 1000,
      rowsPerSecond: Math.round((rows - this.#resumedRows) / Math.max(seconds, 0.001)),
      failures: this.#failures,
      notStored: this.#notStored,
      warnings: this.#warnings,
    };
  }
}

interface RunAnswerParts extends AnswerParts {
  readonly recorder: Recorder;
  readonly computer: Computer | undefined;
}

export interface Begun {
  readonly chunks: AsyncIterable<InputChunk>;
  close(): Promise<void>;
}

/** Reads as far as the first chunk, so that what is wrong with the input shows at once. */
export async function begun(chunks: AsyncGenerator<InputChunk, void>): Promise<Begun> {
  const close = async () => void (await chunks.return());
  const first = await chunks.next();
  const all = async function* () {
    if (first.done !== true) yield first.value;
    yield* chunks;
  };
  return { chunks: all(), close };
}

interface ChunkUnderWay {
  readonly answer: Promise<Answered>;
  readonly counts: MutableCounts;
  readonly rows: number;
  /** The stretch of the input that its rows take. */
  readonly bytesFrom: number;
  readonly bytesTo: number;
}

/** Who hands inputs over one by one waits for answers: chunks stay small. */
const handedOverRows = 1_000;

async function* chunksOf(
  inputs: AsyncIterable<string> | Iterable<string>,
  chunkRows: number,
): AsyncGenerator<InputChunk, void> {
  let rows: string[] = [];
  for await (const input of inputs) {
    rows.push(input);
    if (rows.length < Math.min(chunkRows, handedOverRows)) continue;
    yield { inputs: rows, bytesRead: 0 };
    rows = [];
  }
  if (rows.length > 0) yield { inputs: rows, bytesRead: 0 };
}

/** Outputs are written where a link leads to, so links count as what they lead to. */
export async function isSameFile(input: string, output: string): Promise<boolean> {
  const [from, to] = await Promise.all(
    [input, output].map((path) => realpath(path).catch(() => resolve(path))),
  );
  return from === to;
}
