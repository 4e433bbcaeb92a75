/** Between a row and the text that is its value in a Redis hash: a JSON array of CSV cells, then Memoir's mark. */
import type { Cell, ColumnType, PredictionRow, PredictionScope, Provenance } from "../../../task/index.ts";
import { CellBytes } from "./cell-bytes.ts";
import { cellOf, cellText, misfit, positionsByName } from "./cells.ts";
import { hasNullBit, type Mark, markText, nullBits, readMark } from "./mark.ts";

/**
 * What a stored text is. `ours` and `ersilia` are rows; Ersilia's have no known release. `unusable`: another scope's,
 * an empty result of a failure, or unmarked where that is not accepted. `expired`: ours, but too old.
 */
export type TextKind = "ours" | "ersilia" | "unusable" | "expired" | "damaged";

export interface RowReaderOptions {
  readonly scope: PredictionScope;
  readonly tag: string;
  /** Names of the cells of unmarked rows; undefined = unmarked rows are not used. */
  readonly header: readonly string[] | undefined;
  /** Marked rows stored before this are too old; 0 = no limit. */
  readonly oldestSeconds: number;
  /** Origins by tag, as far as they are known. */
  readonly origins: ReadonlyMap<string, Provenance>;
}

const mostCachedMarks = 1000;

/** Reads texts one after the other; the fields describe the one read last. */
export class RowReader {
  kind: TextKind = "unusable";
  /** Tag of an origin that is not known yet: the row was answered without its provenance. */
  unknownOrigin: string | undefined = undefined;

  readonly #options: RowReaderOptions;
  readonly #types: readonly ColumnType[];
  readonly #inOrder: readonly number[];
  readonly #byHeader: readonly number[] | undefined;
  readonly #marks = new Map<string, Mark>();
  #lastMark: Mark | undefined;
  #lastBlanks = Buffer.alloc(0);
  readonly #cells = new CellBytes();

  constructor(options: RowReaderOptions) {
    this.#options = options;
    const { columns } = options.scope;
    this.#types = columns.map((column) => column.type);
    this.#inOrder = columns.map((_, at) => at);
    this.#byHeader = options.header === undefined ? undefined : positionsByName(options.header, columns);
  }

  /** The row, or undefined for every kind of text that is not a usable row. */
  read(input: string, text: string): PredictionRow | undefined {
    this.unknownOrigin = undefined;
    const end = text.lastIndexOf("]") + 1;
    const mark = end === text.length ? undefined : this.#markOf(text.slice(end));
    if (mark === undefined) return this.#readUnmarked(input, text.slice(0, end));
    if (!this.#isUsable(mark)) return undefined;
    this.kind = "damaged";
    return this.#marked(input, this.#valuesOf(cellsOf(text.slice(0, end)), this.#inOrder, mark.nulls), mark);
  }

  /** The same for the bytes of a text, several times as fast for simple rows with the mark of the row before. */
  readBytes(input: string, bytes: Buffer): PredictionRow | undefined {
    const mark = this.#lastMark;
    if (mark === undefined || mark.nulls !== undefined) return this.read(input, bytes.toString());
    const values = this.#cells.read(bytes, this.#types);
    if (values === undefined || !this.#endsWithLastMark(bytes, this.#cells.end))
      return this.read(input, bytes.toString());
    this.unknownOrigin = undefined;
    return this.#isUsable(mark) ? this.#marked(input, values, mark) : undefined;
  }

  #endsWithLastMark(bytes: Buffer, from: number): boolean {
    const blanks = this.#lastBlanks;
    if (bytes.length - from !== blanks.length) return false;
    for (let at = 0; at < blanks.length; at++) if (bytes[from + at] !== blanks[at]) return false;
    return true;
  }

  #isUsable(mark: Mark): boolean {
    const { tag, oldestSeconds } = this.#options;
    this.kind = mark.scope === tag ? "expired" : "unusable";
    return mark.scope === tag && mark.storedAtSeconds >= oldestSeconds;
  }

  #marked(input: string, values: readonly Cell[] | undefined, mark: Mark): PredictionRow | undefined {
    if (values === undefined) return undefined;
    this.kind = "ours";
    if (mark.origin === undefined) return { input, values };
    const provenance = this.#options.origins.get(mark.origin);
    if (provenance !== undefined) return { input, values, provenance };
    this.unknownOrigin = mark.origin;
    return { input, values };
  }

  #readUnmarked(input: string, text: string): PredictionRow | undefined {
    this.kind = "unusable";
    // Nobody knows the age of these rows.
    if (this.#byHeader === undefined || this.#options.oldestSeconds > 0) return undefined;
    const cells = cellsOf(text);
    if (cells === undefined) this.kind = "damaged";
    if (cells === undefined || cells.every((cell) => cell === "" || cell === null)) return undefined;
    const values = this.#valuesOf(cells, this.#byHeader, undefined);
    if (values === undefined) return undefined;
    this.kind = "ersilia";
    return { input, values };
  }

  #valuesOf(
    cells: readonly unknown[] | undefined,
    positions: readonly number[],
    nulls: Buffer | undefined,
  ): readonly Cell[] | undefined {
    if (cells === undefined || cells.length !== positions.length) return undefined;
    if (nulls !== undefined && nulls.length !== Math.ceil(positions.length / 8)) return undefined;
    const values = new Array<Cell>(positions.length);
    for (let at = 0; at < values.length; at++) {
      const value = hasNullBit(nulls, at)
        ? null
        : cellOf(cells[positions[at] ?? at], this.#types[at] ?? "string");
      if (value === misfit) return undefined;
      values[at] = value;
    }
    return values;
  }

  #markOf(blanks: string): Mark | undefined {
    const mark = this.#marks.get(blanks) ?? readMark(blanks);
    if (mark === undefined) return undefined;
    if (this.#marks.size >= mostCachedMarks) this.#marks.clear();
    this.#marks.set(blanks, mark);
    this.#lastMark = mark;
    this.#lastBlanks = Buffer.from(blanks, "latin1");
    return mark;
  }
}

/** Makes the texts of rows that are stored together. */
export function createRowWriter(
  scope: PredictionScope,
  tag: string,
  storedAtSeconds: number,
): (row: PredictionRow, origin: string | undefined) => string {
  const types = scope.columns.map((column) => column.type);
  const markOf = (origin: string | undefined, nulls: Buffer | undefined) =>
    markText({ scope: tag, origin, storedAtSeconds, nulls });
  // Without nulls the mark depends on the origin only, and rows of a batch share it.
  let last = { origin: undefined as string | undefined, text: markOf(undefined, undefined) };
  return (row, origin) => {
    const cells = types.map((type, at) => cellText(row.values[at] ?? null, type));
    const nulls = nullBits(types.length, (at) => row.values[at] === null && types[at] === "string");
    if (nulls !== undefined) return JSON.stringify(cells) + markOf(origin, nulls);
    if (last.origin !== origin) last = { origin, text: markOf(origin, undefined) };
    return JSON.stringify(cells) + last.text;
  };
}

function cellsOf(json: string): readonly unknown[] | undefined {
  try {
    const cells: unknown = JSON.parse(json);
    return Array.isArray(cells) ? cells : undefined;
  } catch {
    return undefined;
  }
}
