import { describe, expect, it } from "vitest";
import { evaluateText } from "../run/testing/run-text.ts";

describe("functions of numbers", () => {
  it("round halves up, floor and ceil to whole numbers", async () => {
    expect(
      await evaluateText({
        "Array[Int] rounded": "[round(1.49), round(1.5), round(-1.5), round(2)]",
        "Array[Int] floors": "[floor(1.9), floor(-1.1)]",
        "Array[Int] ceils": "[ceil(1.1), ceil(-1.9)]",
      }),
    ).toEqual({ rounded: [1, 2, -1, 2], floors: [1, -2], ceils: [2, -1] });
  });

  it("min and max give a Float when one side is one", async () => {
    expect(
      await evaluateText({
        "String least": '"~{min(1, 2)} ~{min(1, 2.0)}"',
        "String greatest": '"~{max(9007199254740993, 1)} ~{max(1, 0.5)}"',
      }),
    ).toEqual({ least: "1 1.000000", greatest: "9007199254740993 1.000000" });
  });

  it("fails where a Float is too large for an Int", async () => {
    await expect(evaluateText({ "Int x": "floor(1e300)" })).rejects.toThrow(/floor\(\) gives .* 64-bit Int/);
  });
});

describe("functions of texts", () => {
  it("find, matches, sub and split use regular expressions", async () => {
    expect(
      await evaluateText(
        {
          "String? found": 'find("hello", "l+")',
          "String? nothing": 'find("hello", "z")',
          "Boolean yes": 'matches("a.bam", "\\\\.bam$")',
          "String changed": 'sub("a.b.c", "\\\\.", "-")',
          "String grouped": 'sub("key=value", "([a-z]+)=([a-z]+)", "\\\\2:\\\\1")',
          "String empty": 'sub("abc", "x*", "-")',
          "Array[String] parts": 'split("a, b,c", ", *")',
          "Array[String] letters": 'split("abc", "")',
        },
        { version: "1.3" },
      ),
    ).toEqual({
      found: "ll",
      nothing: null,
      yes: true,
      changed: "a-b-c",
      grouped: "value:key",
      empty: "-a-b-c-",
      parts: ["a", "b", "c"],
      letters: ["a", "b", "c"],
    });
  });

  it("puts texts around and between the items of arrays", async () => {
    expect(
      await evaluateText({
        "Array[String] before": 'prefix("-i ", [1, 2])',
        "Array[String] after": 'suffix(".x", ["a"])',
        "Array[String] double": "quote([1.5, 2.0])",
        "Array[String] single": "squote([true])",
        "String joined": 'sep(", ", ["a", "b"])',
        "String empty": 'sep(", ", [])',
      }),
    ).toEqual({
      before: ["-i 1", "-i 2"],
      after: ["a.x"],
      double: ['"1.500000"', '"2.000000"'],
      single: ["'true'"],
      joined: "a, b",
      empty: "",
    });
  });

  it("takes names and suffixes of paths, and joins paths", async () => {
    expect(
      await evaluateText({
        "String name": 'basename("/data/a.bam")',
        "String stem": 'basename("/data/a.bam", ".bam")',
        "String other": 'basename("/data/a.bam", ".sam")',
        "String url": 'basename("https://host/x/a.txt?version=1")',
        "String path": 'join_paths("/usr", ["bin", "env"])',
      }),
    ).toEqual({ name: "a.bam", stem: "a", other: "a.bam", url: "a.txt", path: "/usr/bin/env" });
    await expect(evaluateText({ "String x": 'join_paths("/a", "/b")' })).rejects.toThrow(/absolute path \/b/);
  });
});
