import { describe, expect, test } from "vitest";
import type { Column, ColumnType } from "../task/index.ts";
import { checkRowCount, placesOf, predictionOf } from "./answer-table.ts";

const columns: readonly Column[] = [
  { name: "a", type: "float" },
  { name: "b", type: "string" },
];

describe("columns", () => {
  test("are found by name, in any order, next to columns that name the row", () => {
    expect(placesOf(columns, ["b", "a"], "test")).toEqual([1, 0]);
    expect(placesOf(columns, ["key", "input", "b", "SMILES", "a "], "test")).toEqual([4, 2]);
  });

  test.each([
    [["a"], /missing b/],
    [["a", "b", "c"], /unknown c/],
    [["a", "b", "a"], /a twice/],
    [[], /missing a, b/],
  ])("%j are refused", (header, words) => {
    expect(() => placesOf(columns, header, "test")).toThrow(words);
  });
});

test("more or fewer rows than inputs are refused", () => {
  expect(() => checkRowCount(3, 2, "test")).toThrow("got 2 rows for 3 inputs");
  expect(() => checkRowCount(2, 3, "test")).toThrow("got 3 rows for 2 inputs");
});

describe("cells", () => {
  const cell = (type: ColumnType, answer: unknown) => {
    const both = predictionOf(
      [
        { name: "x", type },
        { name: "other", type: "float" },
      ],
      [answer, 1],
    );
    return both.kind === "computed" ? both.values[0] : both.reason;
  };

  test.each([
    ["float", "46.069", 46.069],
    ["float", "-1e-5", -1e-5],
    ["float", " .5 ", 0.5],
    ["float", "44.096999999999994", 44.096999999999994],
    ["float", "nan", null],
    ["float", "-inf", null],
    ["float", "", null],
    ["float", "None", null],
    ["float", Number.NaN, null],
    ["float", true, 1],
    ["integer", "3", 3],
    ["integer", "3.0", 3],
    ["integer", 7, 7],
    ["integer", "False", 0],
    ["string", "1e5", "1e5"],
    ["string", "nan", "nan"],
    ["string", "", null],
    ["string", 5, "5"],
    ["string", null, null],
  ] as const)("%s column: %j is read as %j", (type, answer, value) => {
    expect(cell(type, answer)).toBe(value);
  });

  test.each([
    ["float", "high"],
    ["float", "0x10"],
    ["float", "1,5"],
    ["float", ["1"]],
    ["integer", "3.5"],
    ["integer", "9007199254740993"],
    ["string", {}],
  ] as const)("%s column: %j fails the row and says so", (type, answer) => {
    expect(cell(type, answer)).toMatch(/column x: expected/);
  });

  test("a row without any value is a failure, so that it is never stored", () => {
    expect(predictionOf(columns, ["nan", ""]).kind).toBe("failed");
    expect(predictionOf(columns, ["nan", "text"])).toEqual({ kind: "computed", values: [null, "text"] });
  });
});
