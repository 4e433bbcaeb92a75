/**
 * Takes the input column out of a CSV or TSV text that arrives in blocks (RFC 4180: quoted cells may hold separators,
 * doubled quotes and line breaks; LF, CRLF and CR end a line). Lines of nothing but blanks are not rows. Every row must
 * have as many cells as the first line.
 */
import { AppError } from "../../kernel/index.ts";
import { isBlankLine, takeRecord } from "./csv-record.ts";
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
      const record = takeRecord(text, at, this.#options.separator, last);
      if (record.kind === "malformed") throw this.#malformed(record.words);
      if (record.kind === "incomplete") {
        this.#pending = text.slice(at);
        if (this.#pending.length > longestCellBytes) throw this.#tooLarge();
        return;
      }
      if (record.cells.some((cell) => cell.length > longestCellBytes)) throw this.#tooLarge();
      if (!isBlankLine(record)) {
        if (this.#column < 0) this.#takeHeader(record.cells, rows);
        else if (record.cells.length !== this.#width) throw this.#ragged(record.cells.length);
        else rows.push(record.cells[this.#column] ?? "");
      }
      this.#line += record.lines;
      at = record.end;
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
