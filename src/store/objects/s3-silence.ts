/**
 * A server that takes requests and never answers costs each of them all of its time-outs. So after one that was given
 * up, requests fail at once until a probe is answered. A refused or a reset connection costs nothing, so it is asked
 * again each time.
 */
import { AppError, CircuitBreaker, firedLate, type Permit } from "../../kernel/index.ts";
import { type S3Failure, saidSomething } from "./s3-errors.ts";

/** With the usual longest rest of 30 s the first one takes 2 s. */
const restsToLongest = 15;

export class Silence {
  readonly #breaker: CircuitBreaker;
  readonly #loop = new LoopWatch();

  constructor(restMs: number) {
    this.#breaker = new CircuitBreaker({
      firstRestMs: restMs / restsToLongest,
      longestRestMs: restMs,
    });
  }

  /** Whether requests may be made without their own permit. */
  isUnbroken(): boolean {
    return this.#breaker.state(performance.now()) === "closed";
  }

  /** @throws AppError STORE_UNREACHABLE while the server is not used. */
  enter(doing: string): PendingAnswer {
    const now = performance.now();
    const permit = this.#breaker.enter(now);
    if (permit !== undefined) return new PendingAnswer(permit, this.#loop);
    const seconds = Math.max(1, Math.ceil(this.#breaker.restMs(now) / 1000));
    throw new AppError(
      "STORE_UNREACHABLE",
      `${doing}: the server did not answer a moment ago, the next try is in ${seconds} s`,
    );
  }
}

/** One request under way. Ends with one of the three reports. */
export class PendingAnswer {
  readonly #permit: Permit;
  readonly #loop: LoopWatch;
  readonly #startedAt = performance.now();
  readonly #lateBefore: number;

  constructor(permit: Permit, loop: LoopWatch) {
    this.#permit = permit;
    this.#loop = loop;
    this.#lateBefore = loop.begin();
  }

  /** It decides whether others may ask again. */
  get isProbe(): boolean {
    return this.#permit.isProbe;
  }

  /** All the time that it was given has passed. */
  silent(): void {
    this.#loop.end();
    this.#permit.failed(performance.now());
  }

  came(): void {
    this.#loop.end();
    this.#permit.answered();
  }

  /** The request was interrupted. */
  dropped(): void {
    this.#loop.end();
    this.#permit.inconclusive();
  }

  failed(failure: S3Failure): void {
    const lateMs = this.#loop.end() - this.#lateBefore;
    if (saidSomething(failure)) {
      this.#permit.answered();
      return;
    }
    const now = performance.now();
    const tookMs = now - this.#startedAt;
    const timedOut = failure.code === "TimeoutError" || failure.code === "ETIMEDOUT";
    // The SDK's timers are not ours to ask, so the event loop's own lateness is what they may have been late by.
    if (timedOut && !firedLate({ plannedMs: tookMs - lateMs, tookMs })) this.#permit.failed(now);
    else this.#permit.inconclusive();
  }
}

const watchEveryMs = 200;

/** By how much the event loop was late while requests were under way, in ms; has a timer only then. */
class LoopWatch {
  #under = 0;
  #lateMs = 0;
  #lastAt = 0;
  #timer: NodeJS.Timeout | undefined;

  begin(): number {
    if (this.#under++ === 0) {
      this.#lastAt = performance.now();
      this.#timer = setInterval(() => this.#look(), watchEveryMs);
      this.#timer.unref();
    }
    return this.#lateMs;
  }

  end(): number {
    this.#look();
    if (--this.#under === 0) clearInterval(this.#timer);
    return this.#lateMs;
  }

  #look(): void {
    const now = performance.now();
    this.#lateMs += Math.max(0, now - this.#lastAt - watchEveryMs);
    this.#lastAt = now;
  }
}
