/** Bounded and merged concurrency. State lives in the returned objects; nothing here is global. */

/** Runs `work` over `items`, at most `limit` at a time, and returns the results in the items' order. First throw wins. */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (!failed && next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index] as T, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}

/**
 * As `mapBounded`, over items that arrive one by one: results in the items' order, and up to `limit` pieces of work
 * are under way ahead of the reader. None is when the generator has ended.
 */
export async function* mapAhead<T, R>(
  items: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const underWay: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      // Reported when its turn comes.
      result.catch(() => {});
      underWay.push(result);
      const [oldest] = underWay;
      if (oldest === undefined || underWay.length < limit) continue;
      yield await oldest;
      underWay.shift();
    }
    for (const result of underWay) yield await result;
  } finally {
    await Promise.allSettled(underWay);
  }
}

export interface Pace {
  /** How many may be in their first moments at the same time. */
  readonly young: number;
  /** How long these moments are, in milliseconds. */
  readonly youngMs: number;
  /** How many may be under way in all. */
  readonly most: number;
}

/**
 * As `mapBounded`, for work of which much ends in moments and some takes long: what ends soon is done a few at a time,
 * so that thousands of half-done things do not fill the memory, and what takes long does not delay the start of others.
 */
export async function mapPaced<T, R>(
  items: readonly T[],
  pace: Pace,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const first = new Semaphore(pace.young);
  return mapBounded(items, pace.most, async (item, index) => {
    const release = await first.acquire();
    const timer = setTimeout(release, pace.youngMs);
    try {
      return await work(item, index);
    } finally {
      clearTimeout(timer);
      release();
    }
  });
}

/** A counting semaphore; waiters are served in order. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(permits: number) {
    this.#free = permits;
  }

  async acquire(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    };
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.acquire();
    try {
      return await work();
    } finally {
      release();
    }
  }
}

/** Calls with an equal key at the same time run once and share the outcome. */
export class SingleFlight<T> {
  readonly #flying = new Map<string, Promise<T>>();

  run(key: string, work: () => Promise<T>): Promise<T> {
    const flying = this.#flying.get(key);
    if (flying !== undefined) return flying;
    const started = work().finally(() => this.#flying.delete(key));
    this.#flying.set(key, started);
    return started;
  }
}
