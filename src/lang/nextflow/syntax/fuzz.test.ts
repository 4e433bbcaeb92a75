import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shown } from "../eval/testing/evaluate-text.ts";
import { parseConfig } from "./config.ts";
import { parseScript } from "./script.ts";
import { brokenText, strangeText } from "./testing/strange.ts";

const words = [
  "process",
  "workflow",
  "input:",
  "output:",
  "script:",
  "take:",
  "emit:",
  "include",
  "from",
  "def ",
  "if ",
  "else",
  "for ",
  "return ",
  "x",
  "Foo",
  "1",
  "1.5",
  "0x",
  "'a'",
  '"$x ${',
  "}",
  '"""',
  "'''",
  "/",
  "$/",
  "{",
  "(",
  ")",
  "[",
  "]",
  ":",
  ",",
  "->",
  "=",
  "?",
  "?.",
  "*.",
  "..",
  "in ",
  "as ",
  "|",
  "<",
  ">",
  ">>",
  "\n",
  " ",
  ";",
  "@",
  "\\",
  "//",
  "/*",
  "withName:",
  "profiles",
  "..",
  "é",
];
const text = fc.string({ unit: fc.constantFrom(...words), maxLength: 60 });

describe("whatever the text", () => {
  test("a script ends in a tree or in diagnostics within it", () => {
    fc.assert(
      fc.property(text, (source) => {
        for (const { span } of parseScript({ name: "x.nf", text: source }).diagnostics) {
          expect(span.start).toBeLessThanOrEqual(source.length);
          expect(span.end).toBeGreaterThanOrEqual(span.start);
        }
      }),
      { numRuns: 2000 },
    );
  });
  test("so does a configuration", () => {
    fc.assert(
      fc.property(text, (source) => {
        parseConfig({ name: "x.config", text: source });
      }),
      { numRuns: 2000 },
    );
  });
  test("a pipeline with a few mistakes ends in a tree or in diagnostics within it", () => {
    fc.assert(
      fc.property(brokenText, (source) => {
        expect(strangeText(source)).toBeUndefined();
      }),
      { seed: 25_10, numRuns: 2000 },
    );
  });
  test("an expression ends in a value or in words", () => {
    const parts = [
      "1",
      "2.5",
      "'a'",
      "[1, 2]",
      "[a: 1]",
      "null",
      "true",
      "+",
      "-",
      "*",
      "/",
      "%",
      "**",
      "==",
      "<=>",
      "?:",
      " in ",
      " as int",
      ".size()",
      "[0]",
      "[-1]",
      ".join('')",
      "(",
      ")",
      "{ it }",
      "!",
      "..",
      "=~ /a/",
    ];
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...parts), maxLength: 8 }), (source) => {
        expect(typeof shown(source)).toBe("string");
      }),
      { numRuns: 3000 },
    );
  });
});
