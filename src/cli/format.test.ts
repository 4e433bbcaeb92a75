import { describe, expect, it } from "vitest";
import { count, duration, plural } from "./format.ts";

describe("words for people", () => {
  it.each([
    [0, "0.0 s"],
    [9.94, "9.9 s"],
    [9.96, "10 s"],
    [12.4, "12 s"],
    [59.4, "59 s"],
    [59.6, "1 min 0 s"],
    [119.6, "2 min 0 s"],
    [185, "3 min 5 s"],
    [3599.7, "1 h 0 min"],
    [7_800, "2 h 10 min"],
    [7_199.9, "2 h 0 min"],
  ])("%d seconds are %s", (seconds, text) => expect(duration(seconds)).toBe(text));

  it("counts have separators and the right form of the noun", () => {
    expect(count(1_234_567)).toBe("1,234,567");
    expect([plural(1, "row"), plural(2, "row"), plural(0, "entry", "entries")]).toEqual([
      "1 row",
      "2 rows",
      "0 entries",
    ]);
  });
});
