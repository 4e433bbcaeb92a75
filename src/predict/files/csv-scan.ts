/**
 * Takes the input column out of a CSV or TSV text that arrives in blocks (RFC 4180: quoted cells may hold separators,
 * doubled quotes and line breaks; LF, CRLF and CR end a line). Lines of nothing but blanks are not rows. Every row must
 * have as many cells as the first line.
 */
import { isBlankLine, type Separator, takeRecord } from "../../csv/index.ts";
import { AppError } from "../../kernel/index.ts";
import { decideHeader, type HeaderOptions } from "./header.ts";
import { chooseSeparator, refuseUnseparated, sampleRecords, withoutEdges } from "./separator-choice.ts";
import { longestCellBytes } from "./text-blocks.ts";

export interface CsvScanOptions extends HeaderOptions {
  /** Default: by the first lines. */
  readonly separator?: Separator;
  /** Where the first lines do not show another one. Default: a comma. */
  readonly fallback?: Separator;
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
  #separator: Separator | undefined;
  /** Characters of the next text that say how it is separated and are not a record. */
  #start = 0;
  /** The only cell of the first line, which was taken for a header. */
  #header: string | undefined;
  #checked = false;

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
    let text = this.#pending === "" ? block : this.#pending + block;
    this.#pending = "";
    const separator = this.#separatorOf(text, last);
    if (separator === undefined) {
      this.#pending = text;
      return;
    }
    if (this.#start > 0) {
      text = text.slice(this.#start);
      this.#start = 0;
      this.#line++;
    }
    const before = rows.length;
    if (separator === " " || text.includes('"')) this.#scanQuoted(text, last, rows, separator);
    else this.#scanPlain(text, rows, separator);
    this.#checkFirst(rows, before);
  }

  /** Once, by the first inputs: are they whole cells? What the user said about separators is not doubted. */
  #checkFirst(rows: readonly string[], before: number): void {
    if (this.#checked || this.#column < 0) return;
    this.#checked = true;
    if (this.#options.separator !== undefined) return;
    const header = this.#width === 1 && this.#header !== undefined ? [this.#header] : [];
    refuseUnseparated([...header, ...rows.slice(before, before + sampleRecords)], this.#options.name);
  }

  /** Decided by the first lines, once; undefined = more of them are needed. */
  #separatorOf(text: string, last: boolean): Separator | undefined {
    if (this.#separator !== undefined) return this.#separator;
    const { separator: asked, fallback = "," } = this.#options;
    if (asked !== undefined) {
      this.#separator = asked;
      return asked;
    }
    if (!last && text.length < decidedByCharacters && linesOf(text) < sampleRecords + 2) return undefined;
    const choice = chooseSeparator(text, last ? "last" : "more", { ...this.#options, fallback });
    this.#separator = choice.separator;
    this.#note = choice.note;
    this.#start = choice.start;
    return choice.separator;
  }

  #scanPlain(text: string, rows: string[], separator: Separator): void {
    const lines = (text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text).split("\n");
    // Blocks end with a line break: what split leaves behind it is not a line.
    if (lines[lines.length - 1] === "") lines.pop();
    const oneColumn = !text.includes(separator);
    for (const line of lines) {
      if (line === "" || (line.charCodeAt(0) <= 32 && line.trim() === "")) {
        // A tab is a separator of a TSV file, so a line of tabs is a row there.
        if (!line.includes(separator)) {
          this.#line++;
          continue;
        }
      }
      if (this.#column < 0) this.#takeHeader(line.split(separator), rows);
      else if (oneColumn && this.#width === 1) rows.push(line);
      else rows.push(this.#cellOf(line, separator));
      if (line.length > longestCellBytes) throw this.#tooLarge();
      this.#line++;
    }
  }

  #cellOf(line: string, separator: Separator): string {
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

  #scanQuoted(text: string, last: boolean, rows: string[], separator: Separator): void {
    let at = 0;
    while (at < text.length) {
      const record = takeRecord(text, at, { separator, last, strictness: "strict" });
      if (record.kind === "malformed") throw this.#malformed(record.words);
      if (record.kind === "incomplete") {
        this.#pending = text.slice(at);
        if (this.#pending.length > longestCellBytes) throw this.#tooLarge();
        return;
      }
      if (record.cells.some((cell) => cell.length > longestCellBytes)) throw this.#tooLarge();
      if (!isBlankLine(record)) {
        const cells = separator === " " ? withoutEdges(record.cells) : record.cells;
        if (this.#column < 0) this.#takeHeader(cells, rows);
        else if (cells.length !== this.#width) throw this.#ragged(cells.length);
        else rows.push(cells[this.#column] ?? "");
      }
      this.#line += record.lines;
      at = record.end;
    }
  }

  #takeHeader(cells: readonly string[], rows: string[]): void {
    const decision = decideHeader(cells, this.#options, this.#options.name);
    this.#width = cells.length;
    this.#column = decision.column;
    this.#note ??= decision.note;
    if (decision.firstLineIsRow) rows.push(cells[decision.column] ?? "");
    else if (cells.length === 1) this.#header = cells[0];
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

/** How far into a file its separator must have shown. */
const decidedByCharacters = 1 << 16;

/** Of the first lines; enough of them are enough. */
function linesOf(text: string): number {
  let lines = 0;
  for (const _ of text.matchAll(/\r\n|\n|\r/g)) if (++lines > sampleRecords + 2) break;
  return lines;
}
