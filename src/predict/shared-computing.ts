/**
 * Computing for many askers at the same time: an input that several ask for is computed once, and what waits while the
 * model is busy is computed together in the next batch. An asker that goes away does not stop what others wait for;
 * inputs that nobody waits for any more are not computed.
 */
import { AppError, type Ask, checkAsk, isAppError, messageOf } from "../kernel/index.ts";
import type { Runner } from "../models/index.ts";
import type { Column, Prediction } from "../task/index.ts";
import { BatchSizes } from "./batch-sizes.ts";
import { checkedPredictions } from "./checked-predictions.ts";

export interface SharedComputingOptions {
  readonly runner: Runner;
  readonly columns: readonly Column[];
  /** Batches at the same time. */
  readonly parallel: number;
  /** Equal inputs share one computation; `separate` for models whose answers vary. */
  readonly equalInputs: "share" | "separate";
  /** Cancels what is being computed; that of an asker only ends its waiting. */
  readonly ask: Ask;
  /** Called once per batch with the rows that somebody wants recorded, before anybody gets them. */
  readonly computed: (inputs: readonly string[], predictions: readonly Prediction[]) => void;
}

interface Flight {
  readonly input: string;
  readonly done: Promise<Prediction>;
  readonly settle: (end: { readonly prediction: Prediction } | { readonly error: unknown }) => void;
  waiters: number;
  records: boolean;
  state: "waiting" | "computing" | "ended";
}

export class SharedComputing {
  readonly #options: SharedComputingOptions;
  readonly #sizes: BatchSizes;
  /** What is being computed, and what was until `release`. */
  readonly #flights = new Map<string, Flight>();
  readonly #queue: Flight[] = [];
  readonly #batches = new Set<Promise<void>>();
  #opening: Promise<void> | undefined;

  constructor(options: SharedComputingOptions) {
    this.#options = options;
    this.#sizes = new BatchSizes({ columns: options.columns.length });
  }

  /** Inputs that wait or are being computed. */
  get underWay(): number {
    let count = 0;
    for (const { state } of this.#flights.values()) if (state !== "ended") count++;
    return count;
  }

  /** One prediction per input, in their order. What is asked here is known to others as soon as this returns its promise. */
  async compute(
    inputs: readonly string[],
    how: { readonly records: boolean },
    ask: Ask,
  ): Promise<readonly Prediction[]> {
    const flights = inputs.map((input) => this.#flightOf(input, how.records));
    this.#start();
    try {
      return await orGone(Promise.all(flights.map(({ done }) => done)), ask);
    } finally {
      for (const flight of flights) flight.waiters--;
    }
  }

  /** Forgets computations that have ended: from now on the inputs are found in the caches, or computed again. */
  release(inputs: readonly string[]): void {
    for (const input of inputs) if (this.#flights.get(input)?.state === "ended") this.#flights.delete(input);
  }

  async close(): Promise<void> {
    while (this.#batches.size > 0) await Promise.all(this.#batches);
    await this.#opening?.catch(() => undefined);
    await this.#options.runner.close();
  }

  #flightOf(input: string, records: boolean): Flight {
    const share = this.#options.equalInputs === "share";
    const known = share ? this.#flights.get(input) : undefined;
    if (known !== undefined) {
      known.waiters++;
      known.records ||= records;
      return known;
    }
    const { done, resolve, reject } = deferred<Prediction>();
    done.catch(() => undefined);
    const flight: Flight = {
      ...{ input, done, records, waiters: 1, state: "waiting" },
      settle: (end) => {
        flight.state = "ended";
        // After trouble whoever asks next tries again; where everybody has left nobody will release it.
        const isOver = "error" in end || flight.waiters === 0;
        if (isOver && this.#flights.get(input) === flight) this.#flights.delete(input);
        if ("error" in end) reject(end.error);
        else resolve(end.prediction);
      },
    };
    if (share) this.#flights.set(input, flight);
    this.#queue.push(flight);
    return flight;
  }

  #start(): void {
    while (this.#queue.length > 0 && this.#batches.size < this.#options.parallel) {
      const batch: Flight[] = [];
      const rows = this.#sizes.cut({ left: this.#queue.length, freeLanes: 1 });
      const taken = this.#queue.splice(0, rows);
      for (const flight of taken) {
        if (flight.waiters > 0) batch.push(flight);
        else flight.settle({ error: new AppError("RUN_INTERRUPTED", "nobody waits for this prediction") });
      }
      if (batch.length === 0) continue;
      for (const flight of batch) flight.state = "computing";
      const running = this.#run(batch).finally(() => {
        this.#batches.delete(running);
        this.#start();
      });
      this.#batches.add(running);
    }
  }

  async #run(batch: readonly Flight[]): Promise<void> {
    const { runner, columns, ask } = this.#options;
    try {
      checkAsk(ask, "computing predictions");
      await this.#open();
      const inputs = batch.map(({ input }) => input);
      const startedAt = performance.now();
      const predictions = checkedPredictions(inputs, await runner.predict(inputs, ask), columns);
      this.#sizes.took({ rows: inputs.length, ms: performance.now() - startedAt });
      const kept = batch.flatMap(({ records }, at) => (records ? [at] : []));
      this.#options.computed(
        kept.map((at) => inputs[at] ?? ""),
        kept.map((at) => predictions[at] as Prediction),
      );
      batch.forEach((flight, at) => {
        flight.settle({ prediction: predictions[at] as Prediction });
      });
    } catch (cause) {
      const error = isAppError(cause)
        ? cause
        : new AppError("PREDICT_RUNNER_BROKE", `the model could not be run: ${messageOf(cause)}`, { cause });
      for (const flight of batch) flight.settle({ error });
    }
  }

  /** A model that could not be opened is opened again for the next batch. */
  async #open(): Promise<void> {
    this.#opening ??= this.#options.runner.open(this.#options.ask);
    try {
      await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }
}

/** Rejects as soon as the Ask is cancelled, whatever becomes of `work`. */
async function orGone<T>(work: Promise<T>, ask: Ask): Promise<T> {
  work.catch(() => undefined);
  const { done: gone, resolve: wake } = deferred<"gone">();
  const leave = () => wake("gone");
  ask.signal.addEventListener("abort", leave, { once: true });
  if (ask.signal.aborted) leave();
  try {
    const first = await Promise.race([work.then((value) => ({ value })), gone]);
    if (first !== "gone") return first.value;
  } finally {
    ask.signal.removeEventListener("abort", leave);
  }
  checkAsk(ask, "waiting for predictions");
  return work;
}

function deferred<T>(): {
  readonly done: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const done = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { done, resolve, reject };
}
