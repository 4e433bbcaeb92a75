import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { mapPaced } from "./concurrency.ts";

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
