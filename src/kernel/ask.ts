/**
 * An Ask travels with every request that may wait: who may cancel it, and until when it may take. Every asynchronous
 * function that waits takes one as its last argument and checks it after each long wait.
 */

import { Patience } from "./circuit-breaker.ts";
import { defined } from "./defined.ts";
import { AppError } from "./errors.ts";

export interface Ask {
  readonly signal: AbortSignal;
  /** Epoch milliseconds after which the answer is no longer wanted; undefined = no limit. */
  readonly deadlineAt?: number;
}

/** An Ask that nothing cancels: for tests, and for closing things after the user's Ask has ended. */
export function freshAsk(): Ask {
  return { signal: new AbortController().signal };
}

/**
 * A child Ask that also ends after `timeoutMs`. Call `done()` when the work has ended so that the timer is freed.
 * The signal's reason is a DOMException named TimeoutError when time ran out.
 */
export function withTimeout(ask: Ask, timeoutMs: number): { ask: Ask; done: () => void } {
  const controller = new AbortController();
  const onAbort = () => controller.abort(ask.signal.reason);
  if (ask.signal.aborted) onAbort();
  else ask.signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(
    () => controller.abort(new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError")),
    timeoutMs,
  );
  const deadlineAt = Math.min(ask.deadlineAt ?? Number.POSITIVE_INFINITY, Date.now() + timeoutMs);
  return {
    ask: { signal: controller.signal, deadlineAt },
    done: () => {
      clearTimeout(timer);
      ask.signal.removeEventListener("abort", onAbort);
    },
  };
}

/**
 * As `withTimeout`, for limits whose running out is held against the other side: time in which this process got no
 * processor does not count, and what arrived meanwhile is read before the limit is called over.
 */
export function withPatience(ask: Ask, limitMs: number): { ask: Ask; done: () => void } {
  const controller = new AbortController();
  const onAbort = () => controller.abort(ask.signal.reason);
  if (ask.signal.aborted) onAbort();
  else ask.signal.addEventListener("abort", onAbort, { once: true });
  const patience = new Patience(limitMs, performance.now());
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  const over = () => {
    if (!ended) controller.abort(new DOMException(`no answer within ${limitMs} ms`, "TimeoutError"));
  };
  const wait = () => {
    timer = setTimeout(() => {
      if (patience.tick(performance.now()) === "waiting") wait();
      // Timers are served before sockets: the answer may be there.
      else setImmediate(() => setImmediate(over));
    }, patience.sliceMs);
  };
  wait();
  return {
    // No `deadlineAt`: an hour on the clock may be a second here.
    ask: {
      signal: controller.signal,
      ...defined({ deadlineAt: ask.deadlineAt }),
    },
    done: () => {
      ended = true;
      clearTimeout(timer);
      ask.signal.removeEventListener("abort", onAbort);
    },
  };
}

/** Throws RUN_INTERRUPTED (with the signal's reason as cause) when the Ask was cancelled. */
export function checkAsk(ask: Ask, doing: string): void {
  if (!ask.signal.aborted) return;
  if (ask.signal.reason instanceof AppError) throw ask.signal.reason;
  throw new AppError("RUN_INTERRUPTED", `interrupted while ${doing}`, { cause: ask.signal.reason });
}

/** Waits `ms`; returns early, without throwing, when the Ask is cancelled. */
export function pause(ms: number, ask: Ask): Promise<void> {
  return new Promise((resolve) => {
    if (ask.signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      ask.signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    ask.signal.addEventListener("abort", end, { once: true });
  });
}
