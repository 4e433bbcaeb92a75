/** All records of a text that is in memory as a whole. */
import { isBlankLine, takeRecord } from "./record.ts";
import type { Separator } from "./separator.ts";

export interface RecordsOptions {
  /** Default `,`. */
  readonly separator?: Separator;
  /** Default `tolerant`. */
  readonly strictness?: "strict" | "tolerant";
}

/** Lines with nothing in them are skipped; a byte order mark is dropped. */
export function parseRecords(
  text: string,
  options: RecordsOptions = {},
):
  | { readonly kind: "records"; readonly records: readonly (readonly string[])[] }
  | { readonly kind: "malformed"; readonly line: number; readonly words: string } {
  const { separator = ",", strictness = "tolerant" } = options;
  const records: (readonly string[])[] = [];
  let line = 1;
  for (let at = text.charCodeAt(0) === 0xfeff ? 1 : 0; at < text.length; ) {
    const record = takeRecord(text, at, { separator, strictness, last: true });
    if (record.kind === "malformed") return { kind: "malformed", line, words: record.words };
    if (record.kind === "incomplete") break;
    if (!isBlankLine(record)) records.push(record.cells);
    line += record.lines;
    at = record.end;
  }
  return { kind: "records", records };
}
