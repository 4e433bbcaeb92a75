import { describe, expect, it } from "vitest";
import type { Column, PredictionRow } from "../../../task/index.ts";
import { columnsFromWire, columnsQuestion, columnsToWire } from "./wire-columns.ts";

const columns: readonly Column[] = [
  { name: "weight", type: "float" },
  { name: "label", type: "string" },
  { name: "count", type: "integer" },
];
const inputs = ["C", "CC", "nowhere", "CCC", 'a "quoted" µ'];
const provenance = { computedAt: "2026-11-30T08:00:00.000Z", runner: "builtin" };
const rows: readonly (PredictionRow | undefined)[] = [
  { input: "C", values: [Number.NaN, "a", 1], provenance },
  { input: "CC", values: [-0, null, null], canonical: "CC" },
  undefined,
  { input: "CCC", values: [Number.NEGATIVE_INFINITY, "", -7], provenance },
  { input: 'a "quoted" µ', values: [1e300, "b", 0], provenance: { toolkit: "rdkit" } },
];
const sent = (value: object) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
const question = (asked: readonly string[]) => ({ inputs: asked, ...columnsQuestion({}, asked) });
const wire = () => sent(columnsToWire({ columns }, inputs, rows));

describe("an answer by columns", () => {
  it("is every row as it was, with special floats, misses, and where each comes from", () => {
    expect(columnsFromWire(columns, question(inputs), wire())).toEqual(rows);
    expect(wire()["provenance"]).toMatchObject({ list: [provenance, { toolkit: "rdkit" }] });
    const [all] = [columnsToWire({ columns }, ["C"], [rows[0]])];
    expect(all?.found).toBe("all");
    expect(columnsFromWire(columns, question(["C"]), sent(all ?? {}))).toEqual([rows[0]]);
    expect(columnsFromWire(columns, question([]), sent(columnsToWire({ columns }, [], [])))).toEqual([]);
  });

  it("is asked for with every input, whatever characters it has, and all that is said about it", () => {
    const odd = [...inputs, "\ud800", "\u2028", '","inputs":["N"]'];
    const { body } = columnsQuestion({ release: "v1", columns }, odd);
    expect(JSON.parse(body)).toEqual({ inputs: odd, answer: "columns", release: "v1", columns });
  });

  it("to another question is none: other inputs, another order, one more", () => {
    for (const asked of [["CC", "C", "nowhere", "CCC", inputs[4] ?? ""], inputs.slice(1), [...inputs, "N"]])
      expect(columnsFromWire(columns, question(asked), wire())).toBeUndefined();
  });

  it.each([
    ["places that fall", { found: [1, 0, 3, 4] }],
    ["a place twice", { found: [0, 1, 1, 4] }],
    ["a place that no input has", { found: [0, 1, 3, 5] }],
    ["fewer places than values", { found: [0, 1, 3] }],
    ["all, where one is missing", { found: "all" }],
    ["a column less", { values: [[1, 2, 3, 4]] }],
    [
      "a short column",
      {
        values: [
          [1, 2, 3],
          ["", "", "", ""],
          [1, 2, 3, 4],
        ],
      },
    ],
    [
      "a value of another type",
      {
        values: [
          ["x", 2, 3, 4],
          ["", "", "", ""],
          [1, 2, 3, 4],
        ],
      },
    ],
    ["provenance that is not listed", { provenance: { list: [provenance], of: [0, -1, 0, 1] } }],
    ["provenance of fewer rows", { provenance: { list: [provenance], of: [0] } }],
    ["a canonical form that is not a text", { canonical: [null, 1, null, null] }],
    ["no digest", { inputsDigest: undefined }],
  ])("with %s is none", (_, change) => {
    expect(columnsFromWire(columns, question(inputs), { ...wire(), ...change })).toBeUndefined();
  });
});
