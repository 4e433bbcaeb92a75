import { describe, expect, it } from "vitest";
import { MemoryAttemptFiles, taskWork } from "../../../task/index.ts";
import { globBelow, segmentPattern } from "./glob.ts";

const files = new MemoryAttemptFiles(
  Object.fromEntries(
    ["b.txt", "a.txt", ".hidden.txt", "B.txt", "sub/c.txt", "sub/inner/d.txt", "a[1].txt"].map((name) => [
      name,
      "",
    ]),
  ),
);

describe("globBelow", () => {
  it.each([
    ["*.txt", ["B.txt", "a.txt", "a[1].txt", "b.txt"]],
    [".*.txt", [".hidden.txt"]],
    ["*/*.txt", ["sub/c.txt"]],
    ["*", ["B.txt", "a.txt", "a[1].txt", "b.txt", "sub"]],
    ["sub/inner", ["sub/inner"]],
    ["[ab].txt", ["a.txt", "b.txt"]],
    ["[!a-z].txt", ["B.txt"]],
    ["?.txt", ["B.txt", "a.txt", "b.txt"]],
    ["a\\[1\\].txt", ["a[1].txt"]],
    ["none*", []],
    ["missing.txt", []],
    ["*/", ["sub"]],
    ["sub/", ["sub"]],
    ["sub/*/", ["sub/inner"]],
    ["a.txt/", []],
    [".", ["."]],
    ["./a.txt", ["a.txt"]],
  ])("%s", async (pattern, found) => {
    expect(await globBelow(files, taskWork, pattern)).toEqual(found);
  });
});

describe("segmentPattern", () => {
  it.each([
    ["a+b(c).txt", "a+b(c).txt", true],
    ["a+b(c).txt", "aab(c).txt", false],
    ["[", "[", true],
    ["[]a]", "]", true],
    ["[a-]", "-", true],
    ["x-*", "x-1", true],
  ])("%s against %s", (pattern, name, matches) => {
    expect(segmentPattern(pattern).test(name)).toBe(matches);
  });
});
