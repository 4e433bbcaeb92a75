/**
 * Takes the input column out of a CSV or TSV text that arrives in blocks (RFC 4180: quoted cells may hold separators,
 * doubled quotes and line breaks; LF, CRLF and CR end a line). Lines of nothing but blanks are not rows. Every row must
 * have as many cells as the first line.
 */
import { guessSeparator, isBlankLine, type Separator, separatorNames, takeRecord } from "../../csv/index.ts";
import { AppError } from "../../kernel/index.ts";
import { decideHeader, type HeaderWish, isInputHeader } from "./header.ts";
import { looksLikeMolecule } from "./molecule-look.ts";
import { longestCellBytes } from "./text-blocks.ts";

export interface CsvScanOptions extends HeaderWish {
  /** Default: a comma, unless the first two lines show another one. */
  readonly separator?: Separator;
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
    const separator = this.#separatorOf(text);
    if (separator === " " || text.includes('"')) this.#scanQuoted(text, last, rows, separator);
    else this.#scanPlain(text, rows, separator);
  }

  /** Decided by the first lines, once. */
  #separatorOf(text: string): Separator {
    if (this.#separator !== undefined) return this.#separator;
    const asked = this.#options.separator;
    const [first, second] = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "");
    if (asked !== undefined || first === undefined) {
      if (first !== undefined) this.#separator = asked ?? ",";
      return asked ?? ",";
    }
    const guess = guessSeparator(first, second) ?? ",";
    this.#separator = guess === "," || !this.#isTable(first, second, guess) ? "," : guess;
    return this.#separator;
  }

  /**
   * Whether the lines are a table of that separator, which SMILES never hold. One whose header names the inputs is read;
   * any other must be told apart by the user.
   */
  #isTable(first: string, second: string | undefined, separator: Separator): boolean {
    const { name, column, header } = this.#options;
    const pieces = (line: string) => line.trim().split(separator === " " ? /[ \t]+/ : separator);
    const names = pieces(first);
    const called = Object.keys(separatorNames).find((key) => separatorNames[key] === separator) ?? "";
    if (column !== undefined || (header !== "absent" && names.some(isInputHeader))) {
      this.#note = `${name} is read with ${called} as its delimiter (${first.trim().slice(0, 40)}); --delimiter says otherwise`;
      return true;
    }
    // Words with blanks between them may be one text each; a molecule followed by a blank is not.
    const molecules = [...names.slice(0, 1), ...pieces(second ?? "").slice(0, 1)].some(looksLikeMolecule);
    if (separator === " " && !molecules) return false;
    throw new AppError(
      "PREDICT_INPUT_COLUMNS_UNCLEAR",
      `cannot read ${name}: line 1 looks ${called}-separated (${first.trim().slice(0, 60)}), and no column is called smiles or input; name the column with --column, save the file with commas, or say --delimiter ${called} or --delimiter comma`,
    );
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

/** Blanks at the ends of a line separate nothing. */
function withoutEdges(cells: readonly string[]): readonly string[] {
  return cells.slice(cells[0] === "" ? 1 : 0, cells.at(-1) === "" ? -1 : undefined);
}
