/** The row format of each output format. */
import { unreachable } from "../../kernel/index.ts";
import { delimitedFormat } from "./delimited-format.ts";
import type { OutputFormat } from "./format.ts";
import { jsonFormat } from "./json-format.ts";
import type { RowFormat, RowFormatOptions } from "./row-format.ts";
import { stagedFormat } from "./staged-format.ts";

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
