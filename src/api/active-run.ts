/** A run in progress: its events as they happen, its result at the end, and a way to stop it. */
import { AppError, type Ask } from "../kernel/index.ts";
import { EventStream } from "./event-stream.ts";

/**
 * `await run` returns the result; `for await (const event of run.events)` follows it. It starts when the current task of
 * the event loop has ended, so that a program that reads the events at once misses none. `await using` cancels what has
 * not ended.
 */
export interface ActiveRun<Event, Result> extends PromiseLike<Result>, AsyncDisposable {
  /** Ends with the run, however it ends. Events before the first reading are not kept. */
  readonly events: AsyncIterable<Event>;
  readonly result: Promise<Result>;
  /** Asks the run to stop, and waits until it has; what is finished stays recorded. */
  cancel(reason?: unknown): Promise<void>;
}

export function startRun<Event, Result>(
  work: (emit: (event: Event) => void, ask: Ask) => Promise<Result>,
  signal: AbortSignal,
): ActiveRun<Event, Result> {
  const events = new EventStream<Event>();
  const stop = new AbortController();
  const ask = { signal: AbortSignal.any([signal, stop.signal]) };
  const result = new Promise<void>((resolve) => setImmediate(resolve))
    .then(() => work((event) => events.emit(event), ask))
    .finally(() => events.end());
  // A failure must not end a process that only follows the events.
  result.catch(() => {});
  const cancel = async (reason: unknown = new AppError("RUN_INTERRUPTED", "the run was cancelled")) => {
    stop.abort(reason);
    await result.catch(() => {});
  };
  return {
    events,
    result,
    cancel,
    // biome-ignore lint/suspicious/noThenProperty: a run is awaited for its result
    then: (done, failed) => result.then(done, failed),
    [Symbol.asyncDispose]: () => cancel(),
  };
}
