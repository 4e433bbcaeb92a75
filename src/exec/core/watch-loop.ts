/**
 * Waits for what runs elsewhere by looking at all of it again and again, as long as there is any. The pause between two looks
 * grows while nothing changes. A look decides itself what has ended.
 */
import { type Ask, pause } from "../../kernel/index.ts";

export interface WatchLoopOptions<Item> {
  /** Milliseconds between two looks while something changes; grows tenfold while nothing does. */
  readonly pollMs: number;
  /** Whether anything was different from the time before. */
  readonly look: (items: readonly Item[], ask: Ask) => Promise<boolean>;
  /** Shortens a pause, for what is due before it is over. */
  readonly pauseOf?: (waitMs: number) => number;
}

interface Waiter<Outcome> {
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

export class WatchLoop<Item extends object, Outcome> {
  readonly #options: WatchLoopOptions<Item>;
  readonly #waiters = new Map<Item, Waiter<Outcome>>();
  readonly #closing = new AbortController();
  /** Ends in the same moment as the last look: what is added later begins another loop. */
  #isLooking = false;
  #looking: Promise<void> | undefined;
  #wake = new AbortController();

  constructor(options: WatchLoopOptions<Item>) {
    this.#options = options;
  }

  /** The next look comes at once. */
  add(item: Item): Promise<Outcome> {
    const outcome = new Promise<Outcome>((resolve, reject) => {
      this.#waiters.set(item, { resolve, reject });
    });
    if (!this.#isLooking) {
      this.#isLooking = true;
      this.#looking = this.#run();
    }
    this.wake();
    return outcome;
  }

  has(item: Item): boolean {
    return this.#waiters.has(item);
  }

  get items(): readonly Item[] {
    return [...this.#waiters.keys()];
  }

  settle(item: Item, outcome: Outcome): void {
    this.#take(item)?.resolve(outcome);
  }

  fail(item: Item, error: unknown): void {
    this.#take(item)?.reject(error);
  }

  #take(item: Item): Waiter<Outcome> | undefined {
    const waiter = this.#waiters.get(item);
    this.#waiters.delete(item);
    return waiter;
  }

  wake(): void {
    this.#wake.abort();
  }

  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async close(reason: unknown): Promise<void> {
    for (const item of this.items) this.fail(item, reason);
    this.#closing.abort();
    this.wake();
    await this.#looking;
  }

  async #run(): Promise<void> {
    const { pollMs, look, pauseOf = (waitMs) => waitMs } = this.#options;
    try {
      await undefined; // a look may add what it finds
      let waitMs = pollMs;
      while (this.#waiters.size > 0 && !this.isClosing) {
        this.#wake = new AbortController();
        const { signal } = this.#wake;
        // What is added during a look is not part of it: what the look asks for may be older.
        const hasChanged = await look(this.items, { signal: this.#closing.signal });
        waitMs = hasChanged ? pollMs : Math.min(waitMs * 1.3, 10 * pollMs);
        if (this.#waiters.size > 0) await pause(pauseOf(waitMs), { signal }).catch(() => {});
        if (signal.aborted) waitMs = pollMs;
      }
    } catch (error) {
      for (const item of this.items) this.fail(item, error);
    } finally {
      this.#isLooking = false;
    }
  }
}
