/** Writes answered rows as text. One row format per output format; all of them append, so an output can be resumed. */
import { unreachable } from "../../kernel/index.ts";
import type { Column } from "../../task/index.ts";
import type { AnsweredChunk } from "./answers.ts";
import { delimitedFormat } from "./delimited-format.ts";
import type { OutputFormat } from "./format.ts";
import { jsonFormat } from "./json-format.ts";
import { stagedFormat } from "./staged-format.ts";

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

export function rowFormatFor(format: OutputFormat, options: RowFormatOptions): RowFormat {
  switch (format) {
    case "csv":
      return delimitedFormat(",", options);
    case "tsv":
      return delimitedFormat("\t", options);
    case "json":
      return jsonFormat(options);
    case "hdf5":
      return stagedFormat();
    default:
      return unreachable(format);
  }
}
