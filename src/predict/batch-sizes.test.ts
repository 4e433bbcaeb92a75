import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BatchSizes, type BatchSizesOptions } from "./batch-sizes.ts";

/** Sizes of the batches of `rows` rows for a model that starts for so long and takes so long for a row. */
function sizesOf(
  rows: number,
  model: { startMs: number; rowMs: number },
  options: BatchSizesOptions = { columns: 1 },
): number[] {
  const sizes = new BatchSizes(options);
  const taken: number[] = [];
  for (let left = rows; left > 0; ) {
    const size = Math.min(left, sizes.next);
    taken.push(size);
    const limitMs = sizes.trialMs(size);
    if (limitMs !== undefined && model.startMs + model.rowMs * size > limitMs) {
      sizes.gaveUp();
      continue;
    }
    left -= size;
    sizes.took({ rows: size, ms: model.startMs + model.rowMs * size });
  }
  return taken;
}

describe("the size of batches", () => {
  it("grows while starting takes most of a batch's time", () => {
    expect(sizesOf(1000, { startMs: 1500, rowMs: 0.3 })).toEqual([100, 900]);
    expect(sizesOf(20_000, { startMs: 1500, rowMs: 0.3 })).toHaveLength(4);
  });

  it("is large from the first on where a program starts for each, and small where that takes too long", () => {
    const options = { columns: 1, starts: "per-batch" } as const;
    expect(sizesOf(1000, { startMs: 1500, rowMs: 0.3 }, options)).toEqual([1000]);
    expect(sizesOf(10_000, { startMs: 1500, rowMs: 0.3 }, options)).toEqual([1000, 9000]);
    expect(sizesOf(1000, { startMs: 1500, rowMs: 0.3 }, { ...options, columns: 5000 })).toEqual([
      200, 200, 200, 200, 200,
    ]);
    const slow = sizesOf(1000, { startMs: 1500, rowMs: 300 }, options);
    expect(slow.slice(0, 2)).toEqual([1000, 100]);
    expect(Math.max(...slow.slice(1))).toBeLessThanOrEqual(100);
    expect(sizesOf(300, { startMs: 1500, rowMs: 300 }, { ...options, fixed: 150 })).toEqual([150, 150]);
  });

  it("stays small where rows take the time, so that an interruption loses little", () => {
    const sizes = sizesOf(5000, { startMs: 100, rowMs: 300 });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  });

  it("shrinks when a batch takes too long", () => {
    const sizes = new BatchSizes({ columns: 1 });
    sizes.took({ rows: 100, ms: 120_000 });
    expect(sizes.next).toBe(100);
    sizes.took({ rows: 50, ms: 60_000 });
    sizes.took({ rows: 100, ms: 120_000 });
    expect(sizes.next).toBeLessThan(100);
  });

  it("shrinks when rows fail and have to be found", () => {
    const sizes = new BatchSizes({ columns: 1 });
    for (let i = 0; i < 4; i++) sizes.took({ rows: sizes.next, ms: 1500 + 0.3 * sizes.next });
    const before = sizes.next;
    sizes.took({ rows: before, ms: 30 * 1500 });
    expect(sizes.next).toBeLessThan(before);
  });

  it("is what the user says", () => {
    const sizes = new BatchSizes({ columns: 1, fixed: 7 });
    sizes.took({ rows: 7, ms: 1 });
    expect(sizes.next).toBe(7);
  });

  it("never exceeds what the memory holds, and is never nothing", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000_000 }),
        fc.array(fc.tuple(fc.nat({ max: 20_000 }), fc.nat({ max: 1e7 }))),
        (columns, batches) => {
          const sizes = new BatchSizes({ columns });
          for (const [rows, ms] of batches) {
            sizes.took({ rows: Math.min(rows, sizes.next), ms });
            expect(sizes.next).toBeGreaterThanOrEqual(1);
            expect(sizes.next * columns).toBeLessThanOrEqual(Math.max(columns, 1_000_000));
            expect(sizes.next).toBeLessThanOrEqual(10_000);
          }
        },
      ),
    );
  });
});
