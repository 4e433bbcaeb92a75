/**
 * Predictions as JSON in the five orientations of ersilia-pack. Floating point numbers keep their point (`1.0`), by which
 * clients in Python distinguish them from integers. As there, inputs are names in `index` and `columns`: equal inputs are
 * one entry.
 */
import { floatText } from "../kernel/index.ts";
import type { Cell, Column } from "../task/index.ts";

export const orientations = ["records", "columns", "values", "split", "index"] as const;
export type Orientation = (typeof orientations)[number];

/** What the card says that all values are; `string` also where it names several types. */
export type OutputType = "float" | "integer" | "string" | "as-written";

export interface Table {
  readonly columns: readonly Column[];
  readonly index: readonly string[];
  /** A row of another length than `columns` has no further values; undefined = no values at all. */
  readonly rows: readonly (readonly Cell[] | undefined)[];
}

export function orientedJson({ columns, index, rows }: Table, orient: Orientation, type: OutputType): string {
  const names = columns.map(({ name }) => name);
  const cells = rows.map((row) =>
    columns.map((column, at) => cellJson(row?.[at] ?? null, column.type, type)),
  );
  const record = (row: readonly string[]) =>
    objectJson(new Map(names.map((name, at) => [name, row[at] ?? "null"])));
  switch (orient) {
    case "records":
      return listJson(cells.map(record));
    case "values":
      return listJson(cells.map(listJson));
    case "split":
      return `{"columns":${JSON.stringify(names)},"index":${JSON.stringify(index)},"data":${listJson(cells.map(listJson))}}`;
    case "index":
      return objectJson(new Map(cells.map((row, at) => [index[at] ?? "", record(row)])));
    case "columns":
      return objectJson(
        new Map(
          names.map((name, column) => [
            name,
            objectJson(new Map(cells.map((row, at) => [index[at] ?? "", row[column] ?? "null"]))),
          ]),
        ),
      );
  }
}

/** What the card's `Output Type` means for values. */
export function outputTypeOf(declared: unknown): OutputType {
  const types = Array.isArray(declared) ? declared : [declared];
  if (types.length > 1) return "string";
  const [only] = types;
  const name = typeof only === "string" ? only.toLowerCase() : "";
  return name === "float" || name === "integer" || name === "string" ? name : "as-written";
}

function cellJson(cell: Cell, columnType: Column["type"], type: OutputType): string {
  if (cell === null || cell === "") return "null";
  switch (type) {
    case "float": {
      const value = numberOf(cell);
      return value === undefined ? "null" : floatText(value);
    }
    case "integer": {
      const value = numberOf(cell);
      return value === undefined ? "null" : String(BigInt(Math.trunc(value)));
    }
    default:
      if (typeof cell === "string") return JSON.stringify(cell);
      return JSON.stringify(columnType === "float" ? floatText(cell) : String(cell));
  }
}

/** undefined = no number, or none that JSON can hold. */
export function numberOf(cell: Exclude<Cell, null>): number | undefined {
  const isNumber = typeof cell === "number" || /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(cell);
  const value = isNumber ? Number(cell) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

function listJson(items: readonly string[]): string {
  return `[${items.join(",")}]`;
}

function objectJson(members: ReadonlyMap<string, string>): string {
  return `{${[...members].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
}
