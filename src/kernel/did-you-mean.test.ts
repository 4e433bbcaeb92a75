import { describe, expect, it } from "vitest";
import { didYouMean } from "./diagnostics.ts";

describe("did you mean", () => {
  it("names the nearest candidate", () => {
    expect(didYouMean("thread", ["reads", "threads", "x"])).toBe("threads");
    expect(didYouMean("thraeds", ["threads"])).toBe("threads");
    expect(didYouMean("q", ["threads"])).toBeUndefined();
  });

  it("compares no names of a megabyte, and not a million names", () => {
    const long = "a".repeat(1024 * 1024);
    expect(didYouMean(long, [`${long.slice(1)}b`])).toBeUndefined();
    expect(didYouMean("threads", [long, "thread"])).toBe("thread");
    function* many() {
      for (let n = 0; n < 1e9; n++) yield "abcdefg";
    }
    expect(didYouMean("threads", many())).toBeUndefined();
  });
});
