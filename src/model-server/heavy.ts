/**
 * The binary answer of `output_type=heavy`: one line of JSON with columns, shape and type, then the values row by row as
 * little-endian 32-bit numbers.
 */
import type { Column } from "../task/index.ts";
import { numberOf, type OutputType, type Table } from "./orient.ts";

/** undefined where the values cannot be written as numbers of this type. */
export function heavyBytes({ columns, rows }: Table, type: OutputType): Uint8Array | undefined {
  if (type !== "float" && type !== "integer") return undefined;
  const head = {
    dims: columns.map(({ name }: Column) => name),
    shape: [rows.length, columns.length],
    dtype: type === "float" ? "<f4" : "<i4",
  };
  const line = Buffer.from(`${JSON.stringify(head)}\n`);
  const values = Buffer.alloc(4 * rows.length * columns.length);
  let at = 0;
  for (const row of rows)
    for (let column = 0; column < columns.length; column++, at += 4) {
      const cell = row?.[column] ?? null;
      const value = cell === null ? undefined : numberOf(cell);
      if (type === "float") values.writeFloatLE(value ?? Number.NaN, at);
      else if (value === undefined || !Number.isInteger(value) || Math.abs(value) > 0x7fffffff)
        return undefined;
      else values.writeInt32LE(value, at);
    }
  return Buffer.concat([line, values]);
}
