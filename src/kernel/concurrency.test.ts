import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { mapAhead, mapPaced } from "./concurrency.ts";

describe("mapAhead", () => {
  async function* numbers(count: number) {
    for (let at = 0; at < count; at++) yield at;
  }
  const collect = async <T>(items: AsyncIterable<T>) => {
    const all: T[] = [];
    for await (const item of items) all.push(item);
    return all;
  };

  it("answers in the items' order, with the limit under way at the same time and never more", async () => {
    let waiting: (() => void)[] = [];
    let most = 0;
    const work = async (item: number) => {
      await new Promise<void>((done) => {
        waiting.push(done);
        most = Math.max(most, waiting.length);
        // The last one first.
        if (waiting.length === 3) {
          for (const go of waiting.toReversed()) go();
          waiting = [];
        }
      });
      return item * 10;
    };
    expect(await collect(mapAhead(numbers(9), 3, work))).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80]);
    expect(most).toBe(3);
  });

  it("throws what the first piece of work throws, in its turn, and leaves nothing under way", async () => {
    let underWay = 0;
    const work = async (item: number) => {
      underWay++;
      await Promise.resolve();
      underWay--;
      if (item > 1) throw new Error(`item ${item}`);
      return item;
    };
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of mapAhead(numbers(20), 5, work)) seen.push(item);
    })();
    await expect(reading).rejects.toThrow("item 2");
    expect([seen, underWay]).toEqual([[0, 1], 0]);
  });

  it("a reader that stops waits for what is under way", async () => {
    let underWay = 0;
    const work = async (item: number) => {
      underWay++;
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      underWay--;
      return item;
    };
    for await (const item of mapAhead(numbers(20), 5, work)) if (item === 3) break;
    expect(underWay).toBe(0);
    expect(await collect(mapAhead(numbers(0), 5, work))).toEqual([]);
  });
});

describe("mapPaced", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const pace = { young: 2, youngMs: 50, most: 5 };
  const items = Array.from({ length: 9 }, (_, i) => i);

  /** Work that ends when the test says so. */
  function held() {
    const ends = new Map<number, () => void>();
    const work = (item: number) =>
      new Promise<number>((resolve) => {
        ends.set(item, () => {
          ends.delete(item);
          resolve(item * 10);
        });
      });
    return { work, ends, underWay: () => [...ends.keys()] };
  }

  it("starts what is next when something ends in its first moments", async () => {
    const { work, ends, underWay } = held();
    const all = mapPaced(items, pace, work);
    await vi.advanceTimersByTimeAsync(0);
    expect(underWay()).toEqual([0, 1]);
    ends.get(0)?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(underWay()).toEqual([1, 2]);
    while (ends.size > 0) {
      for (const end of [...ends.values()]) end();
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(await all).toEqual(items.map((item) => item * 10));
  });

  it("items that take long do not prevent others from starting, up to the limit", async () => {
    const { work, ends, underWay } = held();
    const all = mapPaced(items, pace, work);
    await vi.advanceTimersByTimeAsync(50);
    expect(underWay()).toEqual([0, 1, 2, 3]);
    await vi.advanceTimersByTimeAsync(500);
    expect(underWay()).toEqual([0, 1, 2, 3, 4]);
    while (ends.size > 0) {
      for (const end of [...ends.values()]) end();
      await vi.advanceTimersByTimeAsync(0);
    }
    await all;
  });

  it("throws what is thrown first", async () => {
    const failing = mapPaced(items, pace, async (item) => {
      if (item === 3) throw new Error("three");
    });
    await expect(failing).rejects.toThrow("three");
    expect(vi.getTimerCount()).toBe(0);
  });
});
