/**
 * Rows as JSON lines `[input, status, values | null]`: the resumable stage of formats that cannot be appended to. The
 * finished stage is turned into the real file at the end.
 */
import type { Cell } from "../../task/index.ts";
import type { AnsweredChunk } from "./answers.ts";
import type { RowFormat } from "./row-format.ts";

export type StagedRow = readonly [input: string, status: number, values: readonly Cell[] | null];

export function stagedFormat(): RowFormat {
  return {
    begin: () => "",
    rows: (chunk: AnsweredChunk) =>
      chunk.inputs
        .map((input, i) => {
          const row: StagedRow = [input, chunk.status[i] ?? 0, chunk.values[i] ?? null];
          return `${JSON.stringify(row)}\n`;
        })
        .join(""),
    end: () => "",
  };
}
