import { describe, expect, it } from "vitest";
import { ageMs, share, sizeBytes } from "./quantities.ts";

describe("quantities on the command line", () => {
  it.each([
    ["8G", 8 * 2 ** 30],
    ["512 MiB", 512 * 2 ** 20],
    ["1.5k", 1536],
    ["1000", 1000],
  ])("size %s is %i bytes", (text, bytes) => expect(sizeBytes(text, "--x")).toBe(bytes));

  it.each([
    ["30d", 30 * 86_400_000],
    ["12h", 43_200_000],
    ["90m", 5_400_000],
  ])("age %s is %i ms", (text, ms) => expect(ageMs(text, "--x")).toBe(ms));

  it.each([
    ["5%", 0.05],
    ["0.5", 0.5],
    ["100%", 1],
  ])("share %s is %d", (text, part) => expect(share(text, "--x")).toBe(part));

  it("are refused with what was expected", () => {
    for (const wrong of ["", "8X", "many"])
      expect(() => sizeBytes(wrong, "--max-memory")).toThrow(/--max-memory/);
    for (const wrong of ["", "5", "5y"]) expect(() => ageMs(wrong, "--older-than")).toThrow(/30d/);
    for (const wrong of ["", "101%", "2", "-1"]) expect(() => share(wrong, "--recheck")).toThrow(/5%/);
    expect(sizeBytes(undefined, "--x")).toBeUndefined();
  });
});
