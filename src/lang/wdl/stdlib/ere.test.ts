import { describe, expect, it } from "vitest";
import { compileEre } from "./ere.ts";

function found(pattern: string, text: string): string | undefined {
  const match = compileEre(pattern).find(text, 0);
  return match && text.slice(match.start, match.end);
}

describe("POSIX extended regular expressions", () => {
  it.each([
    ["[[:digit:]]+", "ab12c", "12"],
    ["[[:alpha:]_]+", "12ab_c", "ab_c"],
    ["[^[:space:]]+", "  word next", "word"],
    ["[]a]+", "x]a]", "]a]"],
    ["[^]a]+", "]ax]", "x"],
    ["a{2,3}", "aaaa", "aaa"],
    ["a{,2}b", "aab", "aab"],
    ["x{y}", "x{y}", "x{y}"],
    ["\\.bam$", "a.bam", ".bam"],
    ["(ab|cd)+", "xcdabz", "cdab"],
    ["\\<cat\\>", "concat cat", "cat"],
    ["[a-c]*", "abcd", "abc"],
    ["\\d+", "x42", "42"],
    ["(?i)BAM", "a.bam", "bam"],
    ["[:alpha:]+", "12ab", "ab"],
    ["[\\w.]+", "-a.b-", "a.b"],
  ])("%s finds in %j", (pattern, text, expected) => {
    expect(found(pattern, text)).toBe(expected);
  });

  it("takes the longest of the leftmost matches, whatever the order of the alternatives is", () => {
    expect(found("a|ab", "xab")).toBe("ab");
    expect(found("fast|fastq(\\.gz)?", "r.fastq.gz")).toBe("fastq.gz");
  });

  it("looks at the whole text where the pattern asks for its end", () => {
    expect(found("(a|ab)$", "abc ab")).toBe("ab");
  });

  it("ends a match that would take for ever", () => {
    expect(() => found("^(a+)+$", `${"a".repeat(60)}b`)).toThrow(/was not done within 2000 ms/);
  });

  it("says what is wrong with a pattern", () => {
    expect(() => compileEre("(a")).toThrow(/"\(a" is not a regular expression/);
    expect(() => compileEre("[a")).toThrow(/not closed/);
    expect(() => compileEre("[[:letters:]]")).toThrow(/character class "letters"/);
  });
});
