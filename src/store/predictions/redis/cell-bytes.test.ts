import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ColumnType } from "../../../task/index.ts";
import { CellBytes } from "./cell-bytes.ts";
import { cellOf } from "./cells.ts";

const numberText = fc.oneof(
  fc.double().map(String),
  fc.integer().map(String),
  fc.tuple(fc.integer(), fc.nat()).map(([whole, fraction]) => `${whole}.${fraction}`),
  fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.nat({ max: 25 })).map(([digits, places]) => {
    const text = String(digits).padStart(places + 1, "0");
    return `${text.slice(0, text.length - places)}.${text.slice(text.length - places)}`;
  }),
  fc.stringMatching(/^[-+.0-9eEx ]{0,8}$/),
);

describe("cells read from bytes", () => {
  const reader = new CellBytes();

  it("are what the general reader makes of them, or are left to it", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.oneof(numberText, fc.string()),
            fc.constantFrom<ColumnType>("float", "integer", "string"),
          ),
          {
            minLength: 1,
            maxLength: 5,
          },
        ),
        (cells) => {
          const json = JSON.stringify(cells.map(([text]) => text));
          const types = cells.map(([, type]) => type);
          const values = reader.read(Buffer.from(`${json}   `), types);
          if (values === undefined) return;
          expect(values).toStrictEqual(cells.map(([text, type]) => cellOf(text, type)));
          expect(reader.end).toBe(json.length);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("are never left to the general reader when they are plain", () => {
    const plain = ["46.069", "-0.0", "137.14199999999997", "", "1e-07", "nan", "0"];
    expect(
      reader.read(
        Buffer.from(JSON.stringify(plain)),
        plain.map(() => "float"),
      ),
    ).toStrictEqual([46.069, -0, 137.14199999999997, null, 1e-7, Number.NaN, 0]);
    expect(reader.read(Buffer.from('["12","a b","-3.0"]'), ["integer", "string", "integer"])).toEqual([
      12,
      "a b",
      -3,
    ]);
  });

  it.each([
    '["1"',
    '["1",',
    '["1","2"]',
    "[1]",
    "{}",
    "",
    "[]",
    '["a\\u0041"]',
    '["é"]',
    '["1" ]',
    '["\u0000"]',
    '["\n"]',
  ])("%s is not one plain cell", (json) => {
    expect(reader.read(Buffer.from(json), ["string"])).toBeUndefined();
  });
});
