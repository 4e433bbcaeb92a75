/** Rows as values, for a program that takes them as they are answered, in place of text for a file. */
import type { Cell, Column } from "../task/index.ts";
import { type AnsweredChunk, statuses } from "./files/answers.ts";
import type { RowFormat } from "./files/row-format.ts";
import type { OutputRows } from "./output-rows.ts";

export interface PredictedRow {
  readonly input: string;
  /** How the row was answered. */
  readonly status: (typeof statuses)[number];
  /** By column, in the model's order; undefined = missing or failed. */
  readonly values: Readonly<Record<string, Cell>> | undefined;
}

/** Answers when it has room for more. */
export type RowSink = (rows: readonly PredictedRow[]) => Promise<void>;

export function sinkOutput(
  sink: RowSink,
  columns: readonly Column[],
): { readonly format: RowFormat; readonly output: OutputRows } {
  let rows: readonly PredictedRow[] = [];
  const none = async () => {};
  return {
    format: {
      begin: () => "",
      rows: (chunk) => {
        rows = rowsOf(chunk, columns);
        return "";
      },
      end: () => "",
    },
    output: {
      path: "rows",
      resumable: undefined,
      restart: none,
      write: async () => {
        const taken = rows;
        rows = [];
        if (taken.length > 0) await sink(taken);
      },
      checkpoint: none,
      finish: none,
      abandon: none,
    },
  };
}

function rowsOf(chunk: AnsweredChunk, columns: readonly Column[]): readonly PredictedRow[] {
  return chunk.inputs.map((input, i) => {
    const cells = chunk.values[i];
    const named = cells && Object.fromEntries(columns.map(({ name }, c) => [name, cells[c] ?? null]));
    return { input, status: statuses[chunk.status[i] ?? 0] ?? "missing", values: named };
  });
}
