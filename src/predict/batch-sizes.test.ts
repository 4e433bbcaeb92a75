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
    const size = sizes.cut({ left, freeLanes: 1 });
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

const nextOf = (sizes: BatchSizes) => sizes.cut({ left: 1_000_000, freeLanes: 1 });

/** Starts and the time that all take, with so many lanes. */
function timeOf(rows: number, model: { startMs: number; rowMs: number }, lanes: number) {
  const sizes = new BatchSizes({ columns: 1, starts: "per-batch", lanes });
  const busy: { until: number; rows: number; ms: number }[] = [];
  let now = 0;
  let starts = 0;
  for (let left = rows; left > 0 || busy.length > 0; ) {
    if (left > 0 && busy.length < lanes) {
      const size = sizes.cut({ left, freeLanes: lanes - busy.length });
      const ms = model.startMs + model.rowMs * size;
      busy.push({ until: now + ms, rows: size, ms });
      starts++;
      left -= size;
      continue;
    }
    busy.sort((a, b) => a.until - b.until);
    const first = busy.shift();
    if (first === undefined) break;
    now = first.until;
    sizes.took(first);
  }
  return { starts, ms: now };
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

  it("is a share for each lane, so that few programs start and all end at about the same time", () => {
    const model = { startMs: 150, rowMs: 0.06 };
    expect(timeOf(1000, model, 2)).toEqual({ starts: 1, ms: 210 });
    const two = timeOf(10_000, model, 2);
    expect(two).toEqual({ starts: 2, ms: 450 });
    expect(timeOf(10_000, model, 4)).toEqual({ starts: 4, ms: 300 });
    const many = timeOf(100_000, model, 2);
    expect(many.ms).toBeLessThan(0.67 * (150 + 6000));
  });

  it("stays small where rows take the time, so that an interruption loses little", () => {
    const sizes = sizesOf(5000, { startMs: 100, rowMs: 300 });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  });

  it("shrinks when a batch takes too long", () => {
    const sizes = new BatchSizes({ columns: 1 });
    sizes.took({ rows: 100, ms: 120_000 });
    expect(nextOf(sizes)).toBe(100);
    sizes.took({ rows: 50, ms: 60_000 });
    sizes.took({ rows: 100, ms: 120_000 });
    expect(nextOf(sizes)).toBeLessThan(100);
  });

  it("shrinks when rows fail and have to be found", () => {
    const sizes = new BatchSizes({ columns: 1 });
    for (let i = 0; i < 4; i++) sizes.took({ rows: nextOf(sizes), ms: 1500 + 0.3 * nextOf(sizes) });
    const before = nextOf(sizes);
    sizes.took({ rows: before, ms: 30 * 1500 });
    expect(nextOf(sizes)).toBeLessThan(before);
  });

  it("is what the user says", () => {
    const sizes = new BatchSizes({ columns: 1, fixed: 7 });
    sizes.took({ rows: 7, ms: 1 });
    expect(nextOf(sizes)).toBe(7);
  });

  it("never exceeds what the memory holds, and is never nothing", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000_000 }),
        fc.array(fc.tuple(fc.nat({ max: 20_000 }), fc.nat({ max: 1e7 }))),
        (columns, batches) => {
          const sizes = new BatchSizes({ columns });
          for (const [rows, ms] of batches) {
            sizes.took({ rows: Math.min(rows, nextOf(sizes)), ms });
            expect(nextOf(sizes)).toBeGreaterThanOrEqual(1);
            expect(nextOf(sizes) * columns).toBeLessThanOrEqual(Math.max(columns, 1_000_000));
            expect(nextOf(sizes)).toBeLessThanOrEqual(20_000);
          }
        },
      ),
    );
  });
});
