/**
 * Has missing rows computed: in batches, several at a time, each distinct input once although several chunks may miss
 * it at the same time. Failures are remembered for the rest of the run (never stored), so that a bad molecule that
 * is in a file a thousand times is tried once.
 */
import {
  AppError,
  type Ask,
  defined,
  isAppError,
  messageOf,
  Semaphore,
  withTimeout,
} from "../kernel/index.ts";
import type { Runner } from "../models/index.ts";
import type { Column, Prediction } from "../task/index.ts";
import { BatchSizes } from "./batch-sizes.ts";
import { checkedPredictions } from "./checked-predictions.ts";

export interface ComputerOptions {
  readonly runner: Runner;
  readonly columns: readonly Column[];
  /** Inputs handed to the model at once; undefined = as many as suit it. */
  readonly batchSize: number | undefined;
  /** Batches at the same time. */
  readonly parallel: number;
  /** ms that a first, large batch may take; for tests. Default: as `BatchSizes` decides. */
  readonly trialMs?: number;
  /** Equal inputs share one computation; `separate` for models whose answers vary. */
  readonly equalInputs: "share" | "separate";
  readonly opening: () => void;
  /** Called once per batch, to record it. */
  readonly computed: (inputs: readonly string[], predictions: readonly Prediction[]) => void;
}

/** A computation under way: the answers of one `compute`, complete when `done` resolves. */
interface Flight {
  readonly call: { readonly answers: Prediction[]; done: Promise<void> };
  readonly index: number;
}

/** Inputs with their place among the answers. */
interface Part {
  readonly inputs: readonly string[];
  readonly place: number;
}

/** What the batches of one `compute` have in common. */
interface Work {
  readonly ask: Ask;
  /** Gets the predictions of each part that was computed at once, with the place of its first. */
  readonly done: (predictions: readonly Prediction[], place: number) => void;
  failed: boolean;
}

const mostFailuresRemembered = 100_000;

export class Computer {
  readonly #options: ComputerOptions;
  readonly #lanes: Semaphore;
  readonly #sizes: BatchSizes;
  readonly #cutting = new Semaphore(1);
  #busyLanes = 0;
  readonly #flights = new Map<string, Flight>();
  readonly #failures = new Map<string, Prediction>();
  #opened: Promise<void> | undefined;

  constructor(options: ComputerOptions) {
    this.#options = options;
    this.#lanes = new Semaphore(options.parallel);
    const { columns, batchSize, runner, parallel } = options;
    this.#sizes = new BatchSizes({
      columns: columns.length,
      lanes: parallel,
      starts: runner.startsPerBatch === true ? "per-batch" : "once",
      ...defined({ fixed: batchSize, trialMs: options.trialMs }),
    });
  }

  /** One prediction per input, in the inputs' order; `progress` hears each batch. Throws when the runner broke. */
  async compute(
    inputs: readonly string[],
    ask: Ask,
    progress: (predictions: readonly Prediction[]) => void,
  ): Promise<readonly Prediction[]> {
    const share = this.#options.equalInputs === "share";
    const answers = new Array<Prediction | Flight>(inputs.length);
    const own: { input: string; at: number }[] = [];
    inputs.forEach((input, at) => {
      const known = share ? (this.#failures.get(input) ?? this.#flights.get(input)) : undefined;
      if (known === undefined) own.push({ input, at });
      else answers[at] = known;
    });
    const call: Flight["call"] = { answers: new Array<Prediction>(own.length), done: Promise.resolve() };
    own.forEach(({ input, at }, index) => {
      const flight = { call, index };
      answers[at] = flight;
      if (share) this.#flights.set(input, flight);
    });
    call.done = this.#runAll(
      own.map(({ input }) => input),
      call.answers,
      ask,
      progress,
    );
    call.done.catch(() => undefined); // Awaited below; another call may fail first.
    const predictions = new Array<Prediction>(inputs.length);
    let awaited: Flight["call"] | undefined;
    for (let i = 0; i < answers.length; i++) {
      const answer = answers[i] as Prediction | Flight;
      if ("call" in answer && answer.call !== awaited) {
        awaited = answer.call;
        await awaited.done;
      }
      predictions[i] = "call" in answer ? (answer.call.answers[answer.index] as Prediction) : answer;
    }
    return predictions;
  }

  /** Forgets computations that are recorded, or finished for good, so that memory stays bounded. */
  release(inputs: readonly string[]): void {
    for (const input of inputs) this.#flights.delete(input);
  }

  async close(): Promise<void> {
    if (this.#opened === undefined) return;
    await this.#opened.catch(() => undefined);
    await this.#options.runner.close();
  }

  /** Cuts the next batch when there is room for it, so that its size is what the batches before have taught. */
  async #runAll(
    inputs: readonly string[],
    answers: Prediction[],
    ask: Ask,
    progress: (predictions: readonly Prediction[]) => void,
  ): Promise<void> {
    const work: Work = {
      ask,
      failed: false,
      done: (predictions, place) => {
        predictions.forEach((prediction, i) => {
          answers[place + i] = prediction;
        });
        progress(predictions);
      },
    };
    // One chunk after the other: what is written first is computed first.
    const turn = await this.#cutting.acquire();
    const running = await this.#cut({ inputs, place: 0 }, work);
    turn();
    await Promise.all(running);
  }

  /** Starts batches of a part as lanes become free; returns when the last one was started. */
  async #cut({ inputs, place }: Part, work: Work): Promise<readonly Promise<void>[]> {
    const running: Promise<void>[] = [];
    for (let from = 0; from < inputs.length && !work.failed; ) {
      const free = await this.#lanes.acquire();
      if (work.failed) {
        free();
        break;
      }
      const { parallel } = this.#options;
      const freeLanes = parallel - this.#busyLanes++;
      const rows = this.#sizes.cut({ left: inputs.length - from, freeLanes });
      const part = { inputs: inputs.slice(from, from + rows), place: place + from };
      from += rows;
      const batch = this.#runBatch(part, work, () => {
        this.#busyLanes--;
        free();
      });
      batch.catch(() => {
        work.failed = true;
      });
      running.push(batch);
    }
    return running;
  }

  /** `free` gives the lane back. */
  async #runBatch(part: Part, work: Work, free: () => void): Promise<void> {
    let isDone: boolean;
    try {
      isDone = await this.#tried(part, work);
    } finally {
      free();
    }
    if (!isDone) await Promise.all(await this.#cut(part, work));
  }

  /** False: it was a trial, which took too long. */
  async #tried({ inputs, place }: Part, { ask, done }: Work): Promise<boolean> {
    const limitMs = this.#sizes.trialMs(inputs.length);
    if (limitMs === undefined) {
      done(await this.#predict(inputs, ask), place);
      return true;
    }
    // Opening the model does not count; its failure is thrown below.
    await this.#open(ask).catch(() => undefined);
    const trial = withTimeout(ask, limitMs);
    const { signal } = trial.ask;
    try {
      done(await this.#predict(inputs, { ...ask, signal }), place);
      return true;
    } catch (error) {
      if (!signal.aborted || ask.signal.aborted) throw error;
    } finally {
      trial.done();
    }
    this.#sizes.gaveUp();
    return false;
  }

  async #predict(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    const stop = () =>
      new AppError("RUN_INTERRUPTED", "interrupted while computing", { cause: ask.signal.reason });
    if (ask.signal.aborted) throw stop();
    try {
      await this.#open(ask);
      const startedAt = performance.now();
      const predictions = await this.#options.runner.predict(inputs, ask);
      this.#sizes.took({ rows: inputs.length, ms: performance.now() - startedAt });
      const checked = checkedPredictions(inputs, predictions, this.#options.columns);
      this.#remember(inputs, checked);
      this.#options.computed(inputs, checked);
      return checked;
    } catch (error) {
      if (ask.signal.aborted) throw stop();
      if (isAppError(error)) throw error;
      throw new AppError("PREDICT_RUNNER_BROKE", `the model could not be run: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  #open(ask: Ask): Promise<void> {
    if (this.#opened === undefined) {
      this.#options.opening();
      this.#opened = this.#options.runner.open(ask);
    }
    return this.#opened;
  }

  #remember(inputs: readonly string[], predictions: readonly Prediction[]): void {
    predictions.forEach((prediction, i) => {
      if (prediction.kind !== "failed" || this.#failures.size >= mostFailuresRemembered) return;
      // A copy: a substring would keep the whole block that it was read from in memory.
      this.#failures.set(Buffer.from(inputs[i] ?? "").toString(), prediction);
    });
  }
}
