import { describe, expect, it } from "vitest";
import { evaluateText, runText } from "../run/testing/run-text.ts";

describe("operators", () => {
  it("calculate with whole numbers of 64 bits, and with Floats when one is there", async () => {
    expect(
      await evaluateText({
        "Int a": "7 / 2",
        "Int b": "-7 / 2",
        "Int c": "-7 % 3",
        "Float d": "7 / 2.0",
        "Int e": "2 ** 10",
        "Int f": "-9223372036854775808 + 1 - 1 + 0",
        "Float g": "2 ** 0.5",
        "Int h": "2 + 3 * 4 ** 2",
        "Boolean i": "1 < 1.5 && !(2 >= 3) || false",
        "Boolean j": '"a" < "b"',
      }),
    ).toEqual({
      a: 3,
      b: -3,
      c: -1,
      d: 3.5,
      e: 1024,
      f: Number(-9223372036854775808n),
      g: Math.SQRT2,
      h: 50,
      i: true,
      j: true,
    });
  });

  it.each([
    ["Int x", "1 / 0", /division by zero/],
    ["Int x", "9223372036854775807 + 1", /does not fit a 64-bit Int/],
    ["Int x", "10 ** 400", /does not fit a 64-bit Int/],
    ["Int x", "2 ** -1", /exponent of an Int must not be negative/],
    ["Int x", "[1, 2][2]", /index 2 is outside an array of 2 items/],
    ["Int x", '{"a": 1}["b"]', /no key String "b"; it has String "a"/],
    ["Int x", "(object {a: 1}).b", /no member "b"/],
    ["Map[String, Int] x", '{"a": 1, sub("b", "b", "a"): 2}', /the key String "a" comes twice/],
  ])("%s = %s fails with a sentence", async (declaration, expression, message) => {
    await expect(evaluateText({ [declaration]: expression })).rejects.toThrow(message);
  });

  it("do not look at the right side when the left one decides", async () => {
    expect(
      await evaluateText({ "Boolean a": "true || 1 / 0 == 1", "Boolean b": "false && 1 / 0 == 1" }),
    ).toEqual({
      a: true,
      b: false,
    });
  });
});

describe("literals", () => {
  it("take the type that is common to their items", async () => {
    expect(
      await evaluateText({
        "String a": '"~{sep(",", [1, 2.0])}"',
        "String b": '"~{(if true then 1 else 2.5)}"',
        "Map[String, Float] c": '{"a": 1, "b": 2.5}',
        "Array[Int?] d": "[1, None]",
        "Pair[Int, String] e": '(1, "x")',
        "Int f": "(1, 2).right",
      }),
    ).toEqual({
      a: "1.000000,2.000000",
      b: "1.000000",
      c: { a: 1, b: 2.5 },
      d: [1, null],
      e: { left: 1, right: "x" },
      f: 2,
    });
  });

  it("of structs have the members' types", async () => {
    expect(
      await evaluateText(
        { "P p": 'P { name: "Ann", weight: 70 }', "String w": '"~{P { name: "Bob", weight: 1 }.weight}"' },
        { body: "struct P { String name Float weight String? note }" },
      ),
    ).toEqual({ p: { name: "Ann", weight: 70, note: null }, w: "1.000000" });
  });
});

describe("placeholders", () => {
  it("render primitives, leave None empty, and make + with None empty", async () => {
    expect(
      await evaluateText(
        {
          "String a": '"~{1} ~{1.5} ~{true} ~{nothing}|"',
          "String b": '"cmd ~{"--n " + nothing}|~{"--s " + some}"',
          "String c": '"~{select_first([nothing])}|"',
          "String d": "'nested ~{\"in ~{'deep'}\"}'",
          "String e": "<<<\n  first\n    second ~{1 + 1}\n>>>",
        },
        { body: 'Int? nothing = None\nString? some = "x"' },
      ),
    ).toEqual({
      a: "1 1.500000 true |",
      b: "cmd |--s x",
      c: "|",
      d: "nested in deep",
      e: "first\n  second 2",
    });
  });

  it("know the options sep, default, true and false", async () => {
    expect(
      await evaluateText(
        {
          "String a": "\"~{sep=', ' [1, 2]}\"",
          "String b": "\"~{default='none' nothing}\"",
          "String c": "\"~{true='yes' false='no' flag}\"",
        },
        { version: "1.1", body: "Int? nothing = None\nBoolean flag = false" },
      ),
    ).toEqual({ a: "1, 2", b: "none", c: "no" });
  });

  it("before 1.2 an expression that fails on None is an error", async () => {
    await expect(
      evaluateText(
        { "String c": '"~{select_first([nothing])}|"' },
        { version: "1.1", body: "Int? nothing = None" },
      ),
    ).rejects.toThrow(/select_first\(\) found no value/);
  });
});

it("a failure points at the expression that failed", async () => {
  const text =
    "version 1.1\nworkflow w {\n  Array[Int] xs = [1]\n  output {\n    Int x = 1 + xs[3]\n  }\n}\n";
  const { result } = await runText({ documents: { "main.wdl": text } });
  const failure = result.kind === "failed" ? result.failures[0] : undefined;
  const diagnostic = failure?.kind === "evaluation" ? failure.diagnostic : undefined;
  expect(diagnostic && text.slice(diagnostic.span.start, diagnostic.span.end)).toBe("xs[3]");
});
