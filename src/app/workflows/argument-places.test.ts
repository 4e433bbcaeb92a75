import { describe, expect, it } from "vitest";
import { type Diagnostic, invariant, renderDiagnostic } from "../../kernel/index.ts";
import { placeArguments } from "./argument-places.ts";

/** What a terminal shows of a fault at this text of the inputs. */
function shown(
  values: Readonly<Record<string, unknown>>,
  words: readonly string[],
  at: string,
  file?: string,
) {
  const { inputs, placed } = placeArguments(
    { values, baseDir: "/" },
    { words, ...(file === undefined ? {} : { file }) },
  );
  const { source } = inputs;
  invariant(source !== undefined, "inputs from words have a text while they are checked");
  const start = source.text.indexOf(at);
  const diagnostic: Diagnostic = {
    code: "wrong",
    severity: "error",
    message: "no",
    source,
    span: { start, end: start + at.length },
  };
  return renderDiagnostic(placed(diagnostic)).split("\n");
}

describe("an error in an input that was given as an argument", () => {
  it("shows the argument and points at its value", () => {
    expect(shown({ a: 1n, n: "abc" }, ["a=1", "n=abc"], '"abc"')).toEqual([
      "command line:1:3: error: no [wrong]",
      "  1 | n=abc",
      "    |   ^^^",
    ]);
  });

  it("points at the name when that is wrong", () => {
    expect(shown({ many: 3 }, ["many=3"], '"many"')).toEqual([
      "command line:1:1: error: no [wrong]",
      "  1 | many=3",
      "    | ^^^^",
    ]);
  });

  it("shows where a missing one could be added", () => {
    expect(shown({ a: 1 }, ["a=1"], "{")[1]).toBe("  1 | a=1");
    expect(shown({}, [], "{")[1]).toBe("  1 | (no inputs)");
  });

  it("names the file when it is from there", () => {
    expect(shown({ a: 1, n: 2 }, ["a=1"], "2", "in.json").slice(0, 2)).toEqual([
      "in.json:1:1: error: no [wrong]",
      '  1 | "n": 2',
    ]);
  });
});

it("leaves the inputs of a file alone", () => {
  const inputs = { values: { a: 1 }, baseDir: "/", source: { name: "in.json", text: '{"a": 1}' } };
  expect(placeArguments(inputs, { words: [] }).inputs).toBe(inputs);
});
