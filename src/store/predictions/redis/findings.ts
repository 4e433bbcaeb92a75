/** What a look-up has found so far, and which origins must still be fetched for it. */
import type { PredictionRow, Provenance } from "../../../task/index.ts";
import type { RowReader } from "./stored-row.ts";

/** What was found for a list of inputs, by place in the list. */
export interface Findings {
  readonly rows: (PredictionRow | undefined)[];
  /** Places of rows that Ersilia wrote. */
  readonly ersilia: Set<number>;
  /** Origins that were not known, and the places of the rows that lack them. */
  readonly lacking: Map<string, number[]>;
}

export function emptyFindings(inputs: number): Findings {
  return { rows: new Array(inputs).fill(undefined), ersilia: new Set(), lacking: new Map() };
}

/** Notes the row that `reader` has just read. */
export function keep(found: Findings, place: number, row: PredictionRow, reader: RowReader): void {
  found.rows[place] = row;
  if (reader.kind === "ersilia") found.ersilia.add(place);
  if (reader.unknownOrigin === undefined) return;
  const places = found.lacking.get(reader.unknownOrigin);
  if (places === undefined) found.lacking.set(reader.unknownOrigin, [place]);
  else places.push(place);
}

/** The provenance that a note under `memoir:<model>:origins` describes; undefined when it is missing or damaged. */
export function readProvenance(text: string | null | undefined): Provenance | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? Object.freeze(value) : undefined;
  } catch {
    return undefined;
  }
}
