/** Between a row and the text that is its value in a Redis hash: a JSON array of CSV cells, then Memoir's mark. */
import type { Cell, PredictionRow, PredictionScope } from "../../../task/index.ts";
import { cellOf, cellText, misfit, positionsByName } from "./cells.ts";
import { hasNullBit, type Mark, markText, nullBits, readMark } from "./mark.ts";

/** How a stored text was understood. `row` has no provenance yet: the mark names its origin. */
export type Reading =
  | { readonly kind: "ours"; readonly row: PredictionRow; readonly mark: Mark }
  /** Written by Ersilia: its release is unknown. */
  | { readonly kind: "ersilia"; readonly row: PredictionRow }
  /** Another scope's, too old, an empty result of a failure, or unmarked where that is not accepted. */
  | { readonly kind: "unusable"; readonly expired: boolean }
  | { readonly kind: "damaged" };

export interface RowReaderOptions {
  readonly scope: PredictionScope;
  readonly tag: string;
  /** Names of the cells of unmarked rows; undefined = unmarked rows are not used. */
  readonly header: readonly string[] | undefined;
  /** Marked rows stored before this are too old; 0 = no limit. */
  readonly oldestSeconds: number;
}

const mostCachedMarks = 1000;
const unusable: Reading = { kind: "unusable", expired: false };
const expired: Reading = { kind: "unusable", expired: true };
const damaged: Reading = { kind: "damaged" };

export function createRowReader(options: RowReaderOptions): (input: string, text: string) => Reading {
  const { scope, tag, oldestSeconds } = options;
  const types = scope.columns.map((column) => column.type);
  const inOrder = types.map((_, at) => at);
  const byHeader = options.header === undefined ? undefined : positionsByName(options.header, scope.columns);
  // Rows of one batch have equal marks.
  const marks = new Map<string, Mark | undefined>();

  function markOf(blanks: string): Mark | undefined {
    if (blanks === "") return undefined;
    if (marks.has(blanks)) return marks.get(blanks);
    if (marks.size >= mostCachedMarks) marks.clear();
    const mark = readMark(blanks);
    marks.set(blanks, mark);
    return mark;
  }

  function valuesOf(cells: readonly unknown[], positions: readonly number[], nulls: Buffer | undefined) {
    if (cells.length !== positions.length) return undefined;
    if (nulls !== undefined && nulls.length !== Math.ceil(positions.length / 8)) return undefined;
    const values: Cell[] = [];
    for (let at = 0; at < positions.length; at++) {
      const type = types[at] ?? "string";
      const value = hasNullBit(nulls, at) ? null : cellOf(cells[positions[at] ?? at], type);
      if (value === misfit) return undefined;
      values.push(value);
    }
    return values;
  }

  return (input, text) => {
    const end = text.lastIndexOf("]") + 1;
    const mark = markOf(text.slice(end));
    if (mark === undefined && byHeader === undefined) return unusable;
    if (mark !== undefined && mark.scope !== tag) return unusable;
    if (mark === undefined ? oldestSeconds > 0 : mark.storedAtSeconds < oldestSeconds)
      return mark === undefined ? unusable : expired;
    const cells = cellsOf(text.slice(0, end));
    if (cells === undefined) return damaged;
    if (mark === undefined && cells.every((cell) => cell === "" || cell === null)) return unusable;
    const values = valuesOf(cells, mark === undefined ? (byHeader ?? inOrder) : inOrder, mark?.nulls);
    if (values === undefined) return mark === undefined ? unusable : damaged;
    return mark === undefined
      ? { kind: "ersilia", row: { input, values } }
      : { kind: "ours", row: { input, values }, mark };
  };
}

/** The text to store for a row. */
export function storedText(
  row: PredictionRow,
  scope: PredictionScope,
  mark: { readonly tag: string; readonly origin: string | undefined; readonly storedAtSeconds: number },
): string {
  const { columns } = scope;
  const cells = columns.map((column, at) => cellText(row.values[at] ?? null, column.type));
  const nulls = nullBits(columns.length, (at) => row.values[at] === null && columns[at]?.type === "string");
  const { tag, origin, storedAtSeconds } = mark;
  return JSON.stringify(cells) + markText({ scope: tag, origin, storedAtSeconds, nulls });
}

function cellsOf(json: string): readonly unknown[] | undefined {
  // One cell without escapes is the common case, and cutting it out is quicker than parsing.
  if (json.startsWith('["') && json.indexOf('"', 2) === json.length - 2 && !json.includes("\\"))
    return [json.slice(2, -2)];
  try {
    const cells: unknown = JSON.parse(json);
    return Array.isArray(cells) ? cells : undefined;
  } catch {
    return undefined;
  }
}
