/**
 * CSV as models read and write it (RFC 4180): quotes double inside quotes, CRLF or LF, an optional BOM. Small on
 * purpose: it reads one batch of one model at a time.
 */
import { AppError } from "../kernel/index.ts";

/** One line, without its end. */
export function csvLine(cells: readonly string[]): string {
  return cells.map(csvCell).join(",");
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) || text.startsWith(" ") || text.endsWith(" ")
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}

/**
 * All records of a text; lines with nothing in them are skipped.
 * @throws AppError MODEL_OUTPUT_MISMATCH for a quote that is never closed.
 */
export function parseCsv(text: string, name: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const endRecord = () => {
    records.push(record);
    record = [];
  };
  while (at < text.length) {
    const blank = record.length === 0 ? blankLine(text, at) : 0;
    if (blank > 0) {
      at += blank;
      continue;
    }
    const cell = text[at] === '"' ? quotedCell(text, at, name) : plainCell(text, at);
    record.push(cell.text);
    at = cell.end;
    if (text[at] === ",") {
      at++;
      if (at === text.length) record.push("");
      continue;
    }
    if (text[at] === "\r") at++;
    if (text[at] === "\n") at++;
    endRecord();
  }
  if (record.length > 0) endRecord();
  return records;
}

/** Length of an empty line's end at `at`; a line of `""` is a record with one empty cell and not blank. */
function blankLine(text: string, at: number): number {
  if (text[at] === "\n") return 1;
  if (text[at] !== "\r") return 0;
  return text[at + 1] === "\n" ? 2 : 1;
}

interface CellAt {
  readonly text: string;
  readonly end: number;
}

const plainEnd = /[,\r\n]/g;

function plainCell(text: string, start: number): CellAt {
  plainEnd.lastIndex = start;
  const end = plainEnd.exec(text)?.index ?? text.length;
  return { text: text.slice(start, end), end };
}

function quotedCell(text: string, start: number, name: string): CellAt {
  let at = start + 1;
  let content = "";
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0)
      throw new AppError(
        "MODEL_OUTPUT_MISMATCH",
        `reading ${name}: a quote at character ${start} never ends`,
      );
    content += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      // What follows a closing quote up to the comma belongs to the cell; careless writers produce it.
      const rest = plainCell(text, quote + 1);
      return { text: content + rest.text, end: rest.end };
    }
    content += '"';
    at = quote + 2;
  }
}
