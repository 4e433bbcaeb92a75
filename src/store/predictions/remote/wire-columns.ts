/**
 * The answer to a look-up of many inputs, column by column: a third of the work of rows for both sides. It repeats no
 * inputs; a digest of them proves which question it answers.
 */

import { sha256 } from "../../../hash/index.ts";
import type { Cell, Column, PredictionRow, PredictionScope, Provenance } from "../../../task/index.ts";
import { cellFromWire, cellToWire, isRecord, provenanceFromWire, type WireCell } from "./wire.ts";

/** Of a request that wants such an answer: `"answer": "columns"`. */
export const columnsAnswer = "columns";

export interface WireColumns {
  /** SHA-256 of the inputs as a JSON list. */
  readonly inputsDigest: string;
  /** Places of the inputs that are stored, in their order; `all` where none is missing. */
  readonly found: "all" | readonly number[];
  /** One list for each column, with a value for each place. */
  readonly values: readonly (readonly WireCell[])[];
  /** Each different one once, and which of them each place has; -1 = none. */
  readonly provenance?: { readonly list: readonly Provenance[]; readonly of: readonly number[] };
  readonly canonical?: readonly (string | null)[];
}

/** The inputs of a question are the largest part of it: they become text once, for the body and for the digest. */
export function columnsQuestion(
  about: object,
  inputs: readonly string[],
): { readonly body: string; readonly inputsDigest: string } {
  const text = JSON.stringify(inputs);
  const rest = JSON.stringify({ answer: columnsAnswer, ...about });
  return { body: `{"inputs":${text},${rest.slice(1)}`, inputsDigest: sha256(text) };
}

export function columnsToWire(
  { columns }: Pick<PredictionScope, "columns">,
  inputs: readonly string[],
  rows: readonly (PredictionRow | undefined)[],
): WireColumns {
  const found: number[] = [];
  const there: PredictionRow[] = [];
  for (const [at, row] of rows.entries())
    if (row !== undefined) {
      found.push(at);
      there.push(row);
    }
  const provenance = provenanceToWire(there);
  const hasCanonical = there.some(({ canonical }) => canonical !== undefined);
  return {
    inputsDigest: sha256(JSON.stringify(inputs)),
    found: found.length === inputs.length ? "all" : found,
    values: columns.map((_, column) => there.map(({ values }) => cellToWire(values[column] ?? null))),
    ...(provenance === undefined ? {} : { provenance }),
    ...(hasCanonical ? { canonical: there.map(({ canonical }) => canonical ?? null) } : {}),
  };
}

function provenanceToWire(rows: readonly PredictionRow[]): WireColumns["provenance"] {
  const list: Provenance[] = [];
  const known = new Map<string, number>();
  const of = rows.map(({ provenance }) => {
    if (provenance === undefined) return -1;
    const { computedAt, runner, toolkit } = provenance;
    const key = JSON.stringify([computedAt, runner, toolkit]);
    const at = known.get(key) ?? list.length;
    if (at === list.length) {
      known.set(key, at);
      list.push(provenance);
    }
    return at;
  });
  return list.length === 0 ? undefined : { list, of };
}

/** A row or undefined for each input; undefined for anything but a whole answer to exactly this question. */
export function columnsFromWire(
  columns: readonly Column[],
  { inputs, inputsDigest }: { readonly inputs: readonly string[]; readonly inputsDigest: string },
  value: unknown,
): readonly (PredictionRow | undefined)[] | undefined {
  if (!isRecord(value) || value["inputsDigest"] !== inputsDigest) return undefined;
  const found = placesOf(value["found"], inputs.length);
  const lists: unknown = value["values"];
  if (found === undefined || !Array.isArray(lists) || lists.length !== columns.length) return undefined;
  const cells: (readonly Cell[])[] = [];
  for (const [at, column] of columns.entries()) {
    const read = cellsOf(column, lists[at], found.length);
    if (read === undefined) return undefined;
    cells.push(read);
  }
  const provenance = provenancesOf(value["provenance"], found.length);
  const canonical = textsOf(value["canonical"], found.length);
  if (provenance === undefined || canonical === undefined) return undefined;
  const rows: (PredictionRow | undefined)[] = new Array(inputs.length).fill(undefined);
  for (const [place, at] of found.entries()) {
    const [one, text] = [provenance[place], canonical[place]];
    rows[at] = {
      input: inputs[at] ?? "",
      values: cells.map((column) => column[place] ?? null),
      ...(one === undefined ? {} : { provenance: one }),
      ...(text === undefined || text === null ? {} : { canonical: text }),
    };
  }
  return rows;
}

/** Rising places below the number of inputs. */
function placesOf(found: unknown, inputs: number): readonly number[] | undefined {
  if (found === "all") return Array.from({ length: inputs }, (_, at) => at);
  if (!Array.isArray(found)) return undefined;
  let last = -1;
  for (const at of found as readonly unknown[]) {
    if (!Number.isSafeInteger(at) || (at as number) <= last || (at as number) >= inputs) return undefined;
    last = at as number;
  }
  return found as readonly number[];
}

function cellsOf(column: Column, list: unknown, length: number): readonly Cell[] | undefined {
  if (!Array.isArray(list) || list.length !== length) return undefined;
  const cells: Cell[] = [];
  for (const wire of list as readonly unknown[]) {
    const cell = cellFromWire(column, wire);
    if (cell === undefined) return undefined;
    cells.push(cell);
  }
  return cells;
}

function provenancesOf(value: unknown, length: number): readonly (Provenance | undefined)[] | undefined {
  if (value === undefined) return [];
  if (!isRecord(value)) return undefined;
  const { list, of } = value;
  if (!Array.isArray(list) || !Array.isArray(of) || of.length !== length) return undefined;
  const known = list.map(provenanceFromWire);
  if (known.some((each) => each === "malformed" || each === undefined)) return undefined;
  const isPlace = (at: unknown) =>
    Number.isSafeInteger(at) && (at as number) >= -1 && (at as number) < known.length;
  if (!of.every(isPlace)) return undefined;
  return (of as readonly number[]).map((at) => known[at] as Provenance | undefined);
}

function textsOf(value: unknown, length: number): readonly (string | null)[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length !== length) return undefined;
  return value.every((each) => each === null || typeof each === "string") ? value : undefined;
}
