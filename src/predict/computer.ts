/**
 * Has missing rows computed: in batches, several at a time, each distinct input once although several chunks may miss
 * it at the same time. Failures are remembered for the rest of the run (never stored), so that a bad molecule that
 * stands in a file a thousand times is tried once.
 */
import { AppError, type Ask, isAppError, messageOf, Semaphore } from "../kernel/index.ts";
import type { Runner } from "../models/index.ts";
import type { Column, Prediction } from "../task/index.ts";

export interface ComputerOptions {
  readonly runner: Runner;
  readonly columns: readonly Column[];
  /** Inputs handed to the model at once. */
  readonly batchSize: number;
  /** Batches at the same time. */
  readonly parallel: number;
  /** Equal inputs share one computation; `separate` for models whose answers vary. */
  readonly equalInputs: "share" | "separate";
  readonly opening: () => void;
  /** Called once per batch, to record it. */
  readonly computed: (inputs: readonly string[], predictions: readonly Prediction[]) => void;
}

interface Flight {
  readonly batch: Promise<readonly Prediction[]>;
  readonly index: number;
}

const mostFailuresRemembered = 100_000;

export class Computer {
  readonly #options: ComputerOptions;
  readonly #lanes: Semaphore;
  readonly #flights = new Map<string, Flight>();
  readonly #failures = new Map<string, Prediction>();
  #opened: Promise<void> | undefined;

  constructor(options: ComputerOptions) {
    this.#options = options;
    this.#lanes = new Semaphore(options.parallel);
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
    for (let from = 0; from < own.length; from += this.#options.batchSize) {
      const part = own.slice(from, from + this.#options.batchSize);
      const batch = this.#runBatch(
        part.map(({ input }) => input),
        ask,
      );
      // Awaited below; a sibling that fails first must not leave this one unheard.
      batch.then(progress, () => undefined);
      part.forEach(({ input, at }, index) => {
        const flight = { batch, index };
        answers[at] = flight;
        if (share) this.#flights.set(input, flight);
      });
    }
    const predictions = new Array<Prediction>(inputs.length);
    for (let i = 0; i < answers.length; i++) {
      const answer = answers[i] as Prediction | Flight;
      predictions[i] = "kind" in answer ? answer : ((await answer.batch)[answer.index] as Prediction);
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

  async #runBatch(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    return await this.#lanes.use(async () => {
      const stop = () =>
        new AppError("RUN_INTERRUPTED", "interrupted while computing", { cause: ask.signal.reason });
      if (ask.signal.aborted) throw stop();
      try {
        await this.#open(ask);
        const predictions = await this.#options.runner.predict(inputs, ask);
        const checked = this.#checked(inputs, predictions);
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
    });
  }

  #open(ask: Ask): Promise<void> {
    if (this.#opened === undefined) {
      this.#options.opening();
      this.#opened = this.#options.runner.open(ask);
    }
    return this.#opened;
  }

  /** Values are matched to rows by count: an answer of another size is refused, never cut to fit. */
  #checked(inputs: readonly string[], predictions: readonly Prediction[]): readonly Prediction[] {
    if (predictions.length !== inputs.length)
      throw new AppError(
        "PREDICT_RUNNER_BROKE",
        `the model answered ${predictions.length} rows for a batch of ${inputs.length}`,
      );
    const width = this.#options.columns.length;
    return predictions.map((prediction) => {
      if (prediction.kind !== "computed" || prediction.values.length === width) return prediction;
      return { kind: "failed", reason: `got ${prediction.values.length} values, expected ${width}` };
    });
  }

  #remember(inputs: readonly string[], predictions: readonly Prediction[]): void {
    predictions.forEach((prediction, i) => {
      if (prediction.kind !== "failed" || this.#failures.size >= mostFailuresRemembered) return;
      // A copy: a substring would keep the whole block that it was read from in memory.
      this.#failures.set(Buffer.from(inputs[i] ?? "").toString(), prediction);
    });
  }
}
