/** Predictions for inputs that a program passes: rows are returned as soon as they are available, in order. */
import type { Ask } from "../kernel/index.ts";
import type { PredictEvent, PredictedRow, RowSink, RunResult } from "../predict/index.ts";
import { EventStream } from "./event-stream.ts";

/** Starts when its rows are first read, and waits for its reader. Leaving the loop stops it. */
export interface PredictedRows extends AsyncIterable<PredictedRow> {
  /** Events of the run; ends with it. */
  readonly events: AsyncIterable<PredictEvent>;
  /** The counts, once all rows have been read. */
  readonly result: Promise<RunResult>;
}

export type PredictWork = (
  sink: RowSink,
  emit: (event: PredictEvent) => void,
  ask: Ask,
) => Promise<RunResult>;

export function predictedRows(work: PredictWork, signal: AbortSignal): PredictedRows {
  const events = new EventStream<PredictEvent>();
  const { promise: result, resolve, reject } = deferred<RunResult>();
  result.catch(() => {});
  async function* rows(): AsyncGenerator<PredictedRow, void> {
    const stop = new AbortController();
    const handed = new Handover<readonly PredictedRow[]>();
    const ask = { signal: AbortSignal.any([signal, stop.signal]) };
    const ended = work(
      (chunk) => handed.put(chunk),
      (event) => events.emit(event),
      ask,
    )
      .then(resolve, (error: unknown) => {
        reject(error);
        throw error;
      })
      .finally(() => {
        events.end();
        handed.end();
      });
    ended.catch(() => {});
    try {
      for (let chunk = await handed.take(); chunk !== undefined; chunk = await handed.take()) yield* chunk;
      await ended;
    } finally {
      stop.abort(new Error("nobody reads the rows any more"));
      handed.end();
      await ended.catch(() => {});
    }
  }
  const only = rows();
  return { events, result, [Symbol.asyncIterator]: () => only };
}

/** Passes one value at a time from a producer to a consumer; the producer waits until it is taken. */
class Handover<T> {
  #offered: { readonly value: T; readonly taken: () => void } | undefined;
  #taker: ((value: T | undefined) => void) | undefined;
  #ended = false;

  put(value: T): Promise<void> {
    if (this.#ended) return Promise.resolve();
    if (this.#taker !== undefined) {
      this.#taker(value);
      this.#taker = undefined;
      return Promise.resolve();
    }
    return new Promise((taken) => {
      this.#offered = { value, taken };
    });
  }

  /** undefined = no more values follow. */
  take(): Promise<T | undefined> {
    const offered = this.#offered;
    if (offered !== undefined) {
      this.#offered = undefined;
      offered.taken();
      return Promise.resolve(offered.value);
    }
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((taker) => {
      this.#taker = taker;
    });
  }

  end(): void {
    this.#ended = true;
    this.#taker?.(undefined);
    this.#taker = undefined;
    this.#offered?.taken();
  }
}

function deferred<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
