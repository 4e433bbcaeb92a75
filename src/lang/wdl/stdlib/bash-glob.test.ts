import { describe, expect, it } from "vitest";
import { expandBraces, expandGlob, type GlobSearch } from "./bash-glob.ts";

function tree(...paths: readonly string[]): GlobSearch {
  const kindOf = (path: string) =>
    paths.includes(path)
      ? "file"
      : paths.some((each) => each.startsWith(`${path}/`))
        ? "directory"
        : undefined;
  return {
    stat: kindOf,
    list: (folder) => {
      const prefix = folder === "" ? "" : `${folder}/`;
      const names = new Set(
        paths
          .filter((path) => path.startsWith(prefix))
          .map((path) => path.slice(prefix.length).split("/")[0] ?? ""),
      );
      return [...names].map((name) => ({ name, kind: kindOf(prefix + name) ?? "file" }));
    },
  };
}

describe("globs as Bash expands them", () => {
  const files = tree(
    "b.txt",
    "a.txt",
    "B.txt",
    ".hidden.txt",
    "d/x.txt",
    "d/y.csv",
    "e/x.txt",
    "a1",
    "a2",
    "a10",
    "é.txt",
  );

  it.each([
    ["*.txt", ["B.txt", "a.txt", "b.txt", "é.txt"]],
    [".*.txt", [".hidden.txt"]],
    ["a?", ["a1", "a2"]],
    ["a[0-9]*", ["a1", "a10", "a2"]],
    ["[!a]*.txt", ["B.txt", "b.txt", "é.txt"]],
    ["[[:upper:]].txt", ["B.txt"]],
    ["*/x.txt", ["d/x.txt", "e/x.txt"]],
    ["d/*", ["d/x.txt", "d/y.csv"]],
    ["d", []],
    ["*", ["B.txt", "a.txt", "a1", "a10", "a2", "b.txt", "é.txt"]],
    ["{b,a}.txt", ["b.txt", "a.txt"]],
    ["a{2..1}", ["a2", "a1"]],
    ["none*", []],
    ["b.txt", ["b.txt"]],
    ["b\\.txt", ["b.txt"]],
    ["missing.txt", []],
    ["**/x.txt", ["d/x.txt", "e/x.txt"]],
  ])("%s", async (pattern, expected) => {
    expect(await expandGlob(pattern, files)).toEqual(expected);
  });

  it.each([
    ["a{b,c}d{e,f}", ["abde", "abdf", "acde", "acdf"]],
    ["{a,b{1,2}}", ["a", "b1", "b2"]],
    ["{01..03}", ["01", "02", "03"]],
    ["{c..a..2}", ["c", "a"]],
    ["{a}", ["{a}"]],
    ["{a", ["{a"]],
    ["\\{a,b}", ["\\{a,b}"]],
    ["x{,y}", ["x", "xy"]],
  ])("braces of %s", (pattern, expected) => {
    expect(expandBraces(pattern)).toEqual(expected);
  });
});
