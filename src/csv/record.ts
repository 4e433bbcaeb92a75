/** One record of a delimited text: RFC 4180, with LF, CRLF or CR at its end. */
import type { Separator } from "./separator.ts";

export type RecordTaken =
  | {
      readonly kind: "record";
      readonly cells: readonly string[];
      /** Where the next record starts. */
      readonly end: number;
      /** Lines that the record spans. */
      readonly lines: number;
      /** Which cells stood in quotes: there an empty cell is an empty text, and `"None"` the word itself. */
      readonly quoted: ReadonlySet<number>;
    }
  /** The end of the record is not in the text yet. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed"; readonly words: string };

export interface RecordOptions {
  readonly separator: Separator;
  /** No more text follows, so the end of the text ends the record. */
  readonly last: boolean;
  /**
   * `strict`: text behind a closing quote is an error. `tolerant`: it belongs to the cell, as careless writers mean it.
   * A quote that is never closed is an error in both.
   */
  readonly strictness: "strict" | "tolerant";
}

/** A record with no quotes in it, which nearly all are. */
const noneQuoted: ReadonlySet<number> = new Set();

export function takeRecord(text: string, at: number, options: RecordOptions): RecordTaken {
  const { separator, last, strictness } = options;
  const cells: string[] = [];
  let breaks = 0;
  let quoted: Set<number> | undefined;
  let position = at;
  for (;;) {
    if (text.charCodeAt(position) === 34) {
      quoted ??= new Set();
      quoted.add(cells.length);
      const cell = takeQuotedCell(text, position);
      if (cell === undefined)
        return last ? { kind: "malformed", words: "a quoted cell is never closed" } : { kind: "incomplete" };
      const next = text[cell.end];
      breaks += cell.breaks;
      position = cell.end;
      if (next !== undefined && next !== separator && !isEnd(next, separator)) {
        if (strictness === "strict") {
          const rest = JSON.stringify(text.slice(cell.end, cell.end + 12));
          return { kind: "malformed", words: `text follows a closing quote: ${rest}` };
        }
        position = endOfPlainCell(text, cell.end, separator);
      }
      cells.push(cell.text + text.slice(cell.end, position));
    } else {
      const end = endOfPlainCell(text, position, separator);
      cells.push(text.slice(position, end));
      position = end;
    }
    const stop = text[position];
    if (stop === separator || (separator === " " && stop === "\t")) {
      position = afterSeparator(text, position, separator);
      continue;
    }
    if (stop === undefined && !last) return { kind: "incomplete" };
    const width = stop === undefined ? 0 : stop === "\r" && text[position + 1] === "\n" ? 2 : 1;
    return { kind: "record", cells, end: position + width, lines: breaks + 1, quoted: quoted ?? noneQuoted };
  }
}

/** Whether a record is an empty line: one unquoted cell of nothing but blanks. */
export function isBlankLine(record: {
  readonly cells: readonly string[];
  readonly quoted: ReadonlySet<number>;
}): boolean {
  return record.cells.length === 1 && record.quoted.size === 0 && (record.cells[0] ?? "").trim() === "";
}

function takeQuotedCell(text: string, at: number): { text: string; end: number; breaks: number } | undefined {
  let from = at + 1;
  let doubled = false;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return undefined;
    if (text.charCodeAt(quote + 1) === 34) {
      doubled = true;
      from = quote + 2;
      continue;
    }
    const raw = text.slice(at + 1, quote);
    return { text: doubled ? raw.replaceAll('""', '"') : raw, end: quote + 1, breaks: countBreaks(raw) };
  }
}

function endOfPlainCell(text: string, at: number, separator: Separator): number {
  for (let i = at; i < text.length; i++) {
    const c = text[i];
    if (c === separator || c === "\n" || c === "\r" || (separator === " " && c === "\t")) return i;
  }
  return text.length;
}

function isEnd(char: string, separator: Separator): boolean {
  return char === "\n" || char === "\r" || (separator === " " && char === "\t");
}

/** Where the cell after a separator begins: blanks in a row are one. */
function afterSeparator(text: string, at: number, separator: Separator): number {
  let next = at + 1;
  if (separator === " ") while (text[next] === " " || text[next] === "\t") next++;
  return next;
}

function countBreaks(text: string): number {
  let count = 0;
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) count++;
  return count;
}
