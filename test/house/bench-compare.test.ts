import { describe, expect, it } from "vitest";
import { compareRow, comparisonLine } from "../../scripts/compare-rows.mjs";

const seconds = { bench: "a task", ratio: 2, ours: 1, peer: 2, unit: "s" };
const rows = { bench: "a scan", ratio: 0.5, ours: 500, peer: 1_000, unit: "rows/s" };

describe("a measured row against the recorded one", () => {
  it("is slower when its time against the peer grew by more than a tenth, whichever way its ratio is written", () => {
    expect(compareRow({ ...seconds, ours: 1.2, ratio: 1.67 }, seconds).isSlower).toBe(true);
    expect(compareRow({ ...seconds, ours: 1.2, ratio: 0.6 }, { ...seconds, ratio: 0.5 }).isSlower).toBe(true);
    expect(compareRow({ ...seconds, ours: 1.09 }, seconds).isSlower).toBe(false);
    expect(compareRow({ ...seconds, ours: 0.5 }, seconds).isSlower).toBe(false);
  });

  it("is not slower when the whole machine is: the peer became slower with it", () => {
    expect(compareRow({ ...seconds, ours: 4, peer: 8 }, seconds).isSlower).toBe(false);
  });

  it("is slower when a rate fell", () => {
    expect(compareRow({ ...rows, ours: 400, ratio: 0.4 }, rows).isSlower).toBe(true);
    expect(compareRow({ ...rows, ours: 700, ratio: 0.7 }, rows).isSlower).toBe(false);
  });

  it("says in words what cannot be compared", () => {
    expect(comparisonLine(seconds, undefined)).toBe("new     a task: 2");
    expect(comparisonLine({ bench: "a task" }, seconds)).toContain("no figures to compare");
    expect(comparisonLine({ ...seconds, ours: 1.2, ratio: 1.67 }, seconds)).toBe(
      "SLOWER  a task: 1.67, recorded 2 (dearer by 20 %)",
    );
  });
});
