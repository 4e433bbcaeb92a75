import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { globBelow, segmentPattern } from "./glob.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-glob-"));
  await mkdir(join(folder, "sub/inner"), { recursive: true });
  for (const name of ["b.txt", "a.txt", ".hidden.txt", "B.txt", "sub/c.txt", "sub/inner/d.txt", "a[1].txt"])
    await writeFile(join(folder, name), "");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

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
    expect(await globBelow(folder, pattern)).toEqual(found);
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
