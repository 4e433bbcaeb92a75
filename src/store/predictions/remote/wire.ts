/**
 * Rows and scopes as JSON, the same for the server and its client. JSON has no NaN, no infinities, and parsers lose the
 * sign of -0: these four are objects. Everything that arrives is checked against the columns before it is a row.
 */
import type { Cell, Column, PredictionRow, PredictionScope, Provenance } from "../../../task/index.ts";

export type WireCell = number | string | null | { readonly float: SpecialFloat };
type SpecialFloat = "nan" | "inf" | "-inf" | "-0";

export interface WireRow {
  readonly input: string;
  readonly values: readonly WireCell[];
  readonly provenance?: Provenance;
  readonly canonical?: string;
}

export interface WireScope {
  readonly release: string;
  readonly columns: readonly { readonly name: string; readonly type: Column["type"] }[];
}

const specials: Readonly<Record<SpecialFloat, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  "-0": -0,
};

export function scopeToWire({ release, columns }: PredictionScope): WireScope {
  return { release, columns: columns.map(({ name, type }) => ({ name, type })) };
}

export function rowToWire(row: PredictionRow): WireRow {
  const { input, values, provenance, canonical } = row;
  return {
    input,
    values: values.map(cellToWire),
    ...(provenance === undefined ? {} : { provenance }),
    ...(canonical === undefined ? {} : { canonical }),
  };
}

export function cellToWire(cell: Cell): WireCell {
  if (typeof cell !== "number" || (Number.isFinite(cell) && !Object.is(cell, -0))) return cell;
  const [name] = Object.entries(specials).find(([, value]) => Object.is(value, cell)) ?? ["nan"];
  return { float: name as SpecialFloat };
}

/** undefined for what is not a whole row of these columns. */
export function rowFromWire(columns: readonly Column[], value: unknown): PredictionRow | undefined {
  if (!isRecord(value) || typeof value["input"] !== "string" || !Array.isArray(value["values"]))
    return undefined;
  const { input, canonical } = value;
  const wire: readonly unknown[] = value["values"];
  if (wire.length !== columns.length) return undefined;
  const values: Cell[] = [];
  for (const [at, column] of columns.entries()) {
    const cell = cellFromWire(column, wire[at]);
    if (cell === undefined) return undefined;
    values.push(cell);
  }
  if (canonical !== undefined && typeof canonical !== "string") return undefined;
  const provenance = provenanceFromWire(value["provenance"]);
  if (provenance === "malformed") return undefined;
  return {
    input,
    values,
    ...(provenance === undefined ? {} : { provenance }),
    ...(canonical === undefined ? {} : { canonical }),
  };
}

export function cellFromWire({ type }: Column, value: unknown): Cell | undefined {
  if (value === null) return null;
  if (type === "string") return typeof value === "string" ? value : undefined;
  if (type === "integer") return Number.isSafeInteger(value) ? (value as number) : undefined;
  if (typeof value === "number") return value;
  const name = isRecord(value) ? value["float"] : undefined;
  return typeof name === "string" && Object.hasOwn(specials, name)
    ? specials[name as SpecialFloat]
    : undefined;
}

export function provenanceFromWire(value: unknown): Provenance | undefined | "malformed" {
  if (value === undefined) return undefined;
  if (!isRecord(value)) return "malformed";
  const known = ["computedAt", "runner", "toolkit"] as const;
  const texts = known.flatMap((name) => (value[name] === undefined ? [] : [[name, value[name]] as const]));
  if (texts.some(([, text]) => typeof text !== "string")) return "malformed";
  return Object.fromEntries(texts) as Provenance;
}

/** undefined for what is not a release with columns. */
export function scopeFromWire(value: unknown): WireScope | undefined {
  if (!isRecord(value) || !Array.isArray(value["columns"])) return undefined;
  const { release } = value;
  if (typeof release !== "string" || release === "" || /\p{Surrogate}/u.test(release)) return undefined;
  const columns: { name: string; type: Column["type"] }[] = [];
  for (const column of value["columns"] as readonly unknown[]) {
    if (!isRecord(column) || typeof column["name"] !== "string") return undefined;
    const { name, type } = column;
    if (type !== "float" && type !== "integer" && type !== "string") return undefined;
    columns.push({ name, type });
  }
  return columns.length === 0 ? undefined : { release, columns };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
