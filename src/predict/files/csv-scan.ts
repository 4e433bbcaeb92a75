/**
 * Takes the input column out of a CSV or TSV text that arrives in blocks (RFC 4180: quoted cells may hold separators,
 * doubled quotes and line breaks; LF, CRLF and CR end a line). Lines of nothing but blanks are not rows. Every row must
 * have as many cells as the first line.
 */
import { AppError } from "../../kernel/index.ts";
import { decideHeader, type HeaderWish } from "./header.ts";
import { longestCellBytes } from "./text-blocks.ts";

export interface CsvScanOptions extends HeaderWish {
  readonly separator: "," | "\t";
  /** The file as the user knows it, for messages. */
  readonly name: string;
}

export class CsvScanner {
  readonly #options: CsvScanOptions;
  #pending = "";
  /** Line of the start of what is scanned next, counted from 1. */
  #line = 1;
  #width = 0;
  #column = -1;
  #note: string | undefined;

  constructor(options: CsvScanOptions) {
    this.#options = options;
  }

  /** What was guessed about the header; known after the first row. */
  get note(): string | undefined {
    return this.#note;
  }

  get sawHeader(): boolean {
    return this.#column >= 0;
  }

  /** Appends the inputs of all records that are complete to `rows`. */
  feed(block: string, last: boolean, rows: string[]): void {
    const text = this.#pending === "" ? block : this.#pending + block;
    this.#pending = "";
    if (text.includes('"')) this.#scanQuoted(text, last, rows);
    else this.#scanPlain(text, rows);
  }

  #scanPlain(text: string, rows: string[]): void {
    const lines = (text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text).split("\n");
    // Blocks end with a line break: what split leaves behind it is not a line.
    if (lines[lines.length - 1] === "") lines.pop();
    const oneColumn = !text.includes(this.#options.separator);
    for (const line of lines) {
      if (line === "" || (line.charCodeAt(0) <= 32 && line.trim() === "")) {
        // A tab is a separator of a TSV file, so a line of tabs is a row there.
        if (!line.includes(this.#options.separator)) {
          this.#line++;
          continue;
        }
      }
      if (this.#column < 0) this.#takeHeader(line.split(this.#options.separator), rows);
      else if (oneColumn && this.#width === 1) rows.push(line);
      else rows.push(this.#cellOf(line));
      if (line.length > longestCellBytes) throw this.#tooLarge();
      this.#line++;
    }
  }

  #cellOf(line: string): string {
    const { separator } = this.#options;
    let start = 0;
    let cells = 0;
    let found = "";
    for (;;) {
      const end = line.indexOf(separator, start);
      if (cells === this.#column) found = line.slice(start, end < 0 ? undefined : end);
      cells++;
      if (end < 0) break;
      start = end + 1;
    }
    if (cells !== this.#width) throw this.#ragged(cells);
    return found;
  }

  #scanQuoted(text: string, last: boolean, rows: string[]): void {
    let at = 0;
    while (at < text.length) {
      const record = this.#record(text, at, last);
      if (record === undefined) {
        this.#pending = text.slice(at);
        if (this.#pending.length > longestCellBytes) throw this.#tooLarge();
        return;
      }
      const only = record.cells.length === 1 ? record.cells[0] : undefined;
      const blank = only !== undefined && !record.quoted && only.trim() === "";
      if (!blank) {
        if (this.#column < 0) this.#takeHeader(record.cells, rows);
        else if (record.cells.length !== this.#width) throw this.#ragged(record.cells.length);
        else rows.push(record.cells[this.#column] ?? "");
      }
      this.#line += record.lines;
      at = record.end;
    }
  }

  /** One record from `at`, or undefined when its end is not in the text yet. */
  #record(
    text: string,
    at: number,
    last: boolean,
  ): { cells: string[]; end: number; lines: number; quoted: boolean } | undefined {
    const { separator } = this.#options;
    const cells: string[] = [];
    let lines = 0;
    let quoted = false;
    let position = at;
    for (;;) {
      let cell: string;
      if (text.charCodeAt(position) === 34) {
        quoted = true;
        const taken = takeQuoted(text, position);
        if (taken === undefined) {
          if (last) throw this.#malformed("a quoted cell is never closed");
          return undefined;
        }
        cell = taken.cell;
        lines += taken.lines;
        position = taken.end;
        const next = text[position];
        if (next !== undefined && next !== separator && next !== "\n" && next !== "\r")
          throw this.#malformed(
            `text follows a closing quote: ${JSON.stringify(text.slice(position, position + 12))}`,
          );
      } else {
        const end = endOfPlainCell(text, position, separator);
        cell = text.slice(position, end);
        position = end;
      }
      cells.push(cell);
      if (cell.length > longestCellBytes) throw this.#tooLarge();
      const stop = text[position];
      if (stop === separator) {
        position++;
        continue;
      }
      if (stop === undefined) return last ? { cells, end: position, lines: lines + 1, quoted } : undefined;
      position += stop === "\r" && text[position + 1] === "\n" ? 2 : 1;
      return { cells, end: position, lines: lines + 1, quoted };
    }
  }

  #takeHeader(cells: readonly string[], rows: string[]): void {
    const decision = decideHeader(cells, this.#options, this.#options.name);
    this.#width = cells.length;
    this.#column = decision.column;
    this.#note = decision.note;
    if (decision.firstLineIsRow) rows.push(cells[decision.column] ?? "");
  }

  #ragged(cells: number): AppError {
    return this.#malformed(`got ${cells} cells, expected ${this.#width} as in the first line`);
  }

  #malformed(words: string): AppError {
    return new AppError(
      "PREDICT_INPUT_MALFORMED",
      `cannot read ${this.#options.name}, line ${this.#line}: ${words}`,
    );
  }

  #tooLarge(): AppError {
    return new AppError(
      "PREDICT_INPUT_CELL_TOO_LARGE",
      `cannot read ${this.#options.name}, line ${this.#line}: a cell is longer than ${longestCellBytes >> 20} MiB`,
    );
  }
}

function takeQuoted(text: string, at: number): { cell: string; end: number; lines: number } | undefined {
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
    return { cell: doubled ? raw.replaceAll('""', '"') : raw, end: quote + 1, lines: countBreaks(raw) };
  }
}

function endOfPlainCell(text: string, at: number, separator: string): number {
  for (let i = at; i < text.length; i++) {
    const c = text[i];
    if (c === separator || c === "\n" || c === "\r") return i;
  }
  return text.length;
}

function countBreaks(text: string): number {
  let count = 0;
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) count++;
  return count;
}
