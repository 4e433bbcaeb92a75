import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Cell, ColumnType, PredictionScope } from "../../../task/index.ts";
import { scopeOf } from "../tier-contract.ts";
import { cellOf, cellText, misfit, positionsByName } from "./cells.ts";
import { markLength, readMark } from "./mark.ts";
import { createRowWriter, RowReader, type RowReaderOptions } from "./stored-row.ts";

const float: fc.Arbitrary<Cell> = fc.option(fc.double());
const integer: fc.Arbitrary<Cell> = fc.option(fc.maxSafeInteger());
const text: fc.Arbitrary<Cell> = fc.option(fc.oneof(fc.string(), fc.string({ unit: "grapheme" })));
const cellsByType: Readonly<Record<ColumnType, fc.Arbitrary<Cell>>> = { float, integer, string: text };

const anyCase = fc
  .array(fc.constantFrom<ColumnType>("float", "integer", "string"), { minLength: 1, maxLength: 12 })
  .chain((types) =>
    fc.record({
      types: fc.constant(types),
      values: fc.tuple(...types.map((type) => cellsByType[type])),
      input: fc.string(),
      storedAtSeconds: fc.integer({ min: 0, max: 0xffffffff }),
      origin: fc.option(fc.constantFrom("0123abcd", "00000001"), { nil: undefined }),
    }),
  );

function scopeWith(types: readonly ColumnType[]): PredictionScope {
  return scopeOf({ columns: types.map((type, at) => ({ name: `c${at}`, type })) });
}

const tag = "0102030405";

function readerOf(scope: PredictionScope, changes: Partial<RowReaderOptions> = {}): RowReader {
  return new RowReader({ scope, tag, header: undefined, oldestSeconds: 0, origins: new Map(), ...changes });
}

describe("a row's text in Redis", () => {
  it("gives the row back, and is JSON that any reader takes", () => {
    fc.assert(
      fc.property(anyCase, ({ types, values, input, storedAtSeconds, origin }) => {
        const scope = scopeWith(types);
        const stored = createRowWriter(scope, tag, storedAtSeconds)({ input, values }, origin);
        const cells: unknown = JSON.parse(stored);
        expect(
          Array.isArray(cells) && cells.length === types.length && cells.every((c) => typeof c === "string"),
        ).toBe(true);
        const reader = readerOf(scope);
        const row = reader.read(input, stored);
        const wanted = values.map((value, at) =>
          types[at] === "integer" && Object.is(value, -0) ? 0 : value,
        );
        expect(row).toStrictEqual({ input, values: wanted });
        expect([reader.kind, reader.unknownOrigin]).toEqual(["ours", origin]);
        const origins = new Map([[origin ?? "", { runner: "script" }]]);
        expect(readerOf(scope, { origins }).read(input, stored)?.provenance?.runner).toBe(
          origin === undefined ? undefined : "script",
        );
        for (const [changes, kind] of [
          [{ tag: "ffffffffff", header: ["x"] }, "unusable"],
          [{ oldestSeconds: storedAtSeconds + 1 }, "expired"],
        ] as const) {
          const other = readerOf(scope, changes);
          expect(other.read(input, stored)).toBeUndefined();
          expect(other.kind).toBe(kind);
        }
      }),
    );
  });

  it("is read from bytes as it is from texts, damaged or not", () => {
    fc.assert(
      fc.property(
        anyCase,
        fc.nat(),
        fc.nat({ max: 255 }),
        ({ types, values, input, storedAtSeconds, origin }, where, byte) => {
          const scope = scopeWith(types);
          const stored = Buffer.from(createRowWriter(scope, tag, storedAtSeconds)({ input, values }, origin));
          const damaged = Buffer.from(stored);
          damaged[where % damaged.length] = byte;
          const [fast, slow] = [readerOf(scope), readerOf(scope)];
          for (const bytes of [stored, stored, damaged, stored]) {
            const row = fast.readBytes(input, bytes);
            expect(row).toStrictEqual(slow.read(input, bytes.toString()));
            expect([fast.kind, fast.unknownOrigin]).toEqual([slow.kind, slow.unknownOrigin]);
          }
        },
      ),
    );
  });

  it("is never read as a wrong row when it is cut anywhere", () => {
    fc.assert(
      fc.property(anyCase, fc.nat(), ({ types, values, input, storedAtSeconds, origin }, cut) => {
        const scope = scopeWith(types);
        const stored = createRowWriter(scope, tag, storedAtSeconds)({ input, values }, origin);
        expect(readerOf(scope).read(input, stored.slice(0, cut % stored.length))).toBeUndefined();
      }),
    );
  });

  it("has a mark that is nothing when a character of it is not blank", () => {
    expect(readMark("x".repeat(markLength))).toBeUndefined();
    expect(readMark(" ".repeat(markLength - 1))).toBeUndefined();
    expect(readMark("\n")).toBeUndefined();
  });
});

describe("a cell", () => {
  it.each<[string, ColumnType, Cell | typeof misfit]>([
    ["46.069", "float", 46.069],
    ["46.0", "float", 46],
    ["1e-07", "float", 1e-7],
    ["0e0", "float", 0],
    ["-0.0", "float", -0],
    ["nan", "float", Number.NaN],
    ["NaN", "float", Number.NaN],
    ["-inf", "float", Number.NEGATIVE_INFINITY],
    ["Infinity", "float", Number.POSITIVE_INFINITY],
    ["", "float", null],
    [" ", "float", misfit],
    [" 1", "float", misfit],
    ["1 ", "float", misfit],
    ["0x1f", "float", misfit],
    ["0b1", "float", misfit],
    ["None", "float", misfit],
    ["1", "integer", 1],
    ["1.0", "integer", 1],
    ["-0.0", "integer", 0],
    ["1.5", "integer", misfit],
    ["nan", "integer", misfit],
    ["9007199254740991", "integer", 9007199254740991],
    ["9007199254740993", "integer", misfit],
    ["", "string", ""],
    ["1e5", "string", "1e5"],
    ["nan", "string", "nan"],
  ])("%j in a column of type %s is %s", (stored, type, value) => {
    expect(cellOf(stored, type)).toStrictEqual(value);
  });

  it("is written as a Python program writes it into a CSV file", () => {
    const texts = [46.069, 46, -0, 1e-7, 1e21, Number.NaN, Number.NEGATIVE_INFINITY, null];
    expect(texts.map((value) => cellText(value, "float"))).toEqual([
      "46.069",
      "46.0",
      "-0.0",
      "1e-07",
      "1e+21",
      "nan",
      "-inf",
      "",
    ]);
    expect([46, null].map((value) => cellText(value, "integer"))).toEqual(["46", ""]);
  });

  it("is found by its column's name, never by luck of position", () => {
    const { columns } = scopeOf();
    expect(positionsByName(["weight", "rings", "label"], columns)).toEqual([0, 1, 2]);
    expect(positionsByName(["label", "weight", "rings"], columns)).toEqual([1, 2, 0]);
    for (const header of [["weight", "rings"], ["weight", "rings", "rings"], ["a", "b", "c"], []])
      expect(positionsByName(header, columns)).toBeUndefined();
  });
});
