import fc from "fast-check";
import { expect, it } from "vitest";
import type { Cell, Column } from "../../../task/index.ts";
import { packValues, unpackValues } from "./packed-values.ts";

const column = fc.oneof(
  fc.tuple(fc.constant("float" as const), fc.option(fc.double())),
  fc.tuple(fc.constant("integer" as const), fc.option(fc.maxSafeInteger())),
  fc.tuple(fc.constant("integer" as const), fc.option(fc.integer({ min: -200, max: 200 }))),
  fc.tuple(fc.constant("integer" as const), fc.option(fc.nat(1))),
  fc.tuple(fc.constant("string" as const), fc.option(fc.string({ unit: "grapheme" }))),
);

it("every row comes back exactly, and no shorter or longer bytes are a row", () => {
  fc.assert(
    fc.property(fc.array(column, { minLength: 1, maxLength: 40 }), (cells) => {
      const columns: Column[] = cells.map(([type], at) => ({ name: `c${at}`, type }));
      const values: Cell[] = cells.map(([, value]) => (Object.is(value, -0) ? 0 : value));
      const packed = packValues(columns, values);
      expect(unpackValues(columns, packed)).toEqual(values);
      const longer = Buffer.concat([packed.values, Buffer.alloc(1)]);
      expect(unpackValues(columns, { ...packed, values: longer })).toBeUndefined();
      const shorter = packed.values.subarray(0, -1);
      expect(unpackValues(columns, { ...packed, values: shorter })).toBeUndefined();
    }),
  );
});

it("a fingerprint of 2,048 bits takes 258 bytes", () => {
  const columns: Column[] = Array.from({ length: 2048 }, (_, at) => ({ name: `b${at}`, type: "integer" }));
  const bits = columns.map((_, at) => (at % 5 === 0 ? 1 : 0));
  const packed = packValues(columns, bits);
  expect(packed.values).toHaveLength(258);
  expect(unpackValues(columns, packed)).toEqual(bits);
});
