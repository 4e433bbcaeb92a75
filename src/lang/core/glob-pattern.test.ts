import { describe, expect, it } from "vitest";
import { globPattern } from "./glob-pattern.ts";

const matching = (pattern: string, ...paths: string[]) =>
  paths.filter((path) => globPattern(pattern).matches(path));

describe("a pattern of files", () => {
  it.each([
    ["*.fa", ["a.fa", ".fa"], ["x/a.fa", "a.fasta"]],
    ["**.fa", ["a.fa", "x/a.fa", "x/y/.fa"], ["a.fb"]],
    ["**/a.fa", ["x/a.fa", "x/y/a.fa"], ["a.fa"]],
    ["?.fa", ["a.fa"], ["ab.fa", "/.fa"]],
    ["s_{1,2}.fq{,.gz}", ["s_1.fq", "s_2.fq.gz"], ["s_3.fq", "s_1.fq.bz2"]],
    ["s_[1-3].fq", ["s_1.fq", "s_3.fq"], ["s_4.fq"]],
    ["s_[!1-3].fq", ["s_4.fq"], ["s_1.fq", "s_/.fq"]],
    ["a\\*b", ["a*b"], ["axb"]],
    ["a+(b).$", ["a+(b).$"], ["aab.$"]],
    ["x/{a,b}/*.txt", ["x/a/1.txt"], ["x/c/1.txt"]],
    ["ein café/*", ["ein café/ü"], ["ein cafe/ü"]],
    ["a{b", ["a{b"], ["ab"]],
  ])("%s", (pattern, yes, no) => {
    expect(matching(pattern, ...yes, ...no)).toEqual(yes);
  });

  it("says in which folder to begin and how deep to look", () => {
    expect(globPattern("data/raw/*.fq")).toMatchObject({ fixed: ["data", "raw"], depth: 3 });
    expect(globPattern("data/**.fq")).toMatchObject({ fixed: ["data"], depth: undefined });
    expect(globPattern("plain.txt")).toMatchObject({ fixed: [], depth: 1 });
    expect(globPattern("x/.command*").namesHidden).toBe(true);
  });

  it("takes no longer for a pattern of many stars", () => {
    const pattern = `${"**a".repeat(50)}x`;
    expect(matching(pattern, "a".repeat(5_000))).toEqual([]);
  });
});
