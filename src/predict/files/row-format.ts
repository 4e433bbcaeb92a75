/** Writes answered rows as text. One row format per output format; all of them append, so an output can be resumed. */
import type { Column } from "../../task/index.ts";
import type { AnsweredChunk } from "./answers.ts";

export interface RowFormat {
  /** What stands before the first row. */
  begin(): string;
  /** The rows of a chunk; `index` is the number of rows before it in the file. */
  rows(chunk: AnsweredChunk, index: number): string;
  /** What stands after the last row. */
  end(): string;
}

export interface RowFormatOptions {
  readonly columns: readonly Column[];
  /** What CSV and TSV say where a value is missing. JSON says null, HDF5 NaN or "". */
  readonly missing: string;
  readonly statusColumn: "with" | "without";
}
