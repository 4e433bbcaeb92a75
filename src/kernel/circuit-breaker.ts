/**
 * The one way to stop using something that does not answer: a store, a tier, a server. No I/O and no clock; the time
 * comes from outside (milliseconds of any clock that only goes forward, e.g. `performance.now()`).
 *
 *   closed     everybody passes. After `opensAfter` failures in a row it opens.
 *   open       nobody passes, for a rest that grows with every failed probe, up to `longestRestMs`.
 *   half-open  the rest is over: one caller passes as a probe, the others are still turned away. Its answer closes the
 *              breaker, its failure opens it again.
 *
 * There is no "for ever": after each rest a probe is let through, so what comes back is used again within the same run.
 *
 * Every permit ends with one of three reports. Only evidence about the other side counts:
 *
 *   answered      it said something, were it an error of one request. Closes the breaker.
 *   failed        it was silent for all of the time that it was given, or it refused everybody.
 *   inconclusive  nothing is known: the caller was interrupted, the name of this one object was refused, one of Memoir's files
 *                 could not be read, or the time ran out because *this* process got no processor.
 *
 * How a caller knows the last one: a timer that fires long after its planned time was not served in time, and neither
 * was the answer that may be waiting in a socket. `Patience` counts only the time during which the event loop ran, so
 * that a limit which it calls over is evidence; `withPatience` is the timer made of it. Who has only the start and the
 * end of a wait (a time-out inside a library) compares them with `firedLate`.
 *
 * @example
 * const permit = breaker.enter(performance.now());
 * if (permit === undefined) throw resting;
 * try {
 *   const answer = await ask();
 *   permit.answered();
 *   return answer;
 * } catch (error) {
 *   if (isSilence(error)) permit.failed(performance.now());
 *   else permit.inconclusive();
 *   throw error;
 * }
 */
export interface CircuitBreakerOptions {
  /** Failures in a row, without an answer between them, that open it. Default 1. */
  readonly opensAfter?: number;
  /** The first rest, in ms; every failed probe doubles it. */
  readonly firstRestMs: number;
  readonly longestRestMs: number;
}

export type BreakerState = "closed" | "open" | "half-open";

/** Leave to ask once. The first report counts, later ones are ignored. */
export interface Permit {
  /** The only caller that passes now: what it learns decides. */
  readonly isProbe: boolean;
  answered(): void;
  failed(nowMs: number): void;
  inconclusive(): void;
}

export class CircuitBreaker {
  readonly #opensAfter: number;
  readonly #firstRestMs: number;
  readonly #longestRestMs: number;
  #failures = 0;
  #restMs: number;
  /** undefined = closed. */
  #restsUntil: number | undefined;
  /** The probe under way, and when it is taken for lost. */
  #probe: { readonly lostAt: number } | undefined;

  constructor(options: CircuitBreakerOptions) {
    this.#opensAfter = options.opensAfter ?? 1;
    this.#firstRestMs = options.firstRestMs;
    this.#longestRestMs = options.longestRestMs;
    this.#restMs = options.firstRestMs;
  }

  state(nowMs: number): BreakerState {
    if (this.#restsUntil === undefined) return "closed";
    return nowMs < this.#restsUntil ? "open" : "half-open";
  }

  /** Milliseconds until a probe is let through; 0 when somebody may pass now. */
  restMs(nowMs: number): number {
    return this.#restsUntil === undefined ? 0 : Math.max(0, this.#restsUntil - nowMs);
  }

  /** undefined = do not use it now. */
  enter(nowMs: number): Permit | undefined {
    const state = this.state(nowMs);
    if (state === "closed") return this.#permit(undefined);
    if (state === "open") return undefined;
    if (this.#probe !== undefined && nowMs < this.#probe.lostAt) return undefined;
    // A probe whose caller never reports must not keep the breaker open.
    this.#probe = { lostAt: nowMs + this.#longestRestMs };
    return this.#permit(this.#probe);
  }

  #permit(probe: { readonly lostAt: number } | undefined): Permit {
    let reported = false;
    const once = (report: () => void) => {
      if (reported) return;
      reported = true;
      report();
    };
    return {
      isProbe: probe !== undefined,
      answered: () => once(() => this.#close()),
      failed: (nowMs) => once(() => this.#failed(probe, nowMs)),
      inconclusive: () =>
        once(() => {
          if (probe !== undefined && probe === this.#probe) this.#probe = undefined;
        }),
    };
  }

  #close(): void {
    this.#failures = 0;
    this.#restMs = this.#firstRestMs;
    this.#restsUntil = undefined;
    this.#probe = undefined;
  }

  #failed(probe: { readonly lostAt: number } | undefined, nowMs: number): void {
    if (this.#restsUntil === undefined) {
      if (++this.#failures < this.#opensAfter) return;
      this.#restsUntil = nowMs + this.#restMs;
      return;
    }
    // Many were under way when it opened: their failures are the same one.
    if (probe === undefined || probe !== this.#probe) return;
    this.#probe = undefined;
    this.#restMs = Math.min(this.#longestRestMs, this.#restMs * 2);
    this.#restsUntil = nowMs + this.#restMs;
  }
}

/** How late a timer may fire on a machine that is merely in use. */
const latenessAllowed = (plannedMs: number) => Math.max(250, plannedMs * 0.25);

/** Whether a timer fired so late that what it waited for may be there, unread, because this process got no processor. */
export function firedLate(wait: { readonly plannedMs: number; readonly tookMs: number }): boolean {
  return wait.tookMs - wait.plannedMs > latenessAllowed(wait.plannedMs);
}

/** Parts in which a limit is waited for; a part that took much longer than planned counts as planned. */
const slices = 10;

/**
 * A limit on waiting that counts only the time in which this process ran. The owner calls `tick` every `sliceMs`; a gap
 * between two ticks counts for at most a little more than a slice.
 */
export class Patience {
  readonly sliceMs: number;
  #leftMs: number;
  #lastMs: number;

  constructor(limitMs: number, nowMs: number) {
    this.sliceMs = Math.max(1, limitMs / slices);
    this.#leftMs = limitMs;
    this.#lastMs = nowMs;
  }

  /** `over`: the other side has had all of its time. */
  tick(nowMs: number): "waiting" | "over" {
    this.#leftMs -= Math.min(nowMs - this.#lastMs, this.sliceMs * 1.5);
    this.#lastMs = nowMs;
    return this.#leftMs > 0 ? "waiting" : "over";
  }
}
