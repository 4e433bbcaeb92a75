/** CSV (RFC 4180, LF) and TSV: `key,input,<columns>[,status]`; key = MD5 of the input as it was written. */
import { quotedWhere } from "../../csv/index.ts";
import { md5Hex } from "../../hash/index.ts";
import { floatText } from "../../kernel/index.ts";
import type { Cell, ColumnType } from "../../task/index.ts";
import { type AnsweredChunk, statusCode, statusText } from "./answers.ts";
import { missingValues } from "./missing-values.ts";
import type { RowFormat, RowFormatOptions } from "./row-format.ts";

/** `missing` is written as it is: Ersilia's readers look for the plain words None and \N. */
export function delimitedFormat(separator: "," | "\t", options: RowFormatOptions): RowFormat {
  const text = quotedWhere(separator);
  const cells = delimitedCells(separator, options);
  const withStatus = options.statusColumn === "with";
  return {
    begin: () => {
      const names = ["key", "input", ...options.columns.map((column) => column.name)];
      if (withStatus) names.push("status");
      return `${names.map(text).join(separator)}\n`;
    },
    rows: (chunk: AnsweredChunk) => {
      let out = "";
      for (let i = 0; i < chunk.inputs.length; i++) {
        const input = chunk.inputs[i] ?? "";
        out += md5Hex(input) + separator + text(input) + cells(chunk.values[i], chunk.status[i] ?? 0);
        out += withStatus ? `${separator}${text(statusText(chunk, i))}\n` : "\n";
      }
      return out;
    },
    end: () => "",
  };
}

/** The cells of one row, each behind a separator. */
export function delimitedCells(
  separator: "," | "\t",
  options: Pick<RowFormatOptions, "columns" | "missing">,
): (values: readonly Cell[] | undefined, status: number) => string {
  const text = quotedWhere(separator);
  // A stored text that says the same as a missing value is in quotes, so that the two can be distinguished.
  const stored = (value: string) =>
    value === options.missing || missingValues.has(value) ? `"${value.replaceAll('"', '""')}"` : text(value);
  const types = options.columns.map((column) => column.type);
  const width = types.length;
  const missing = separator + Array.from({ length: width }, () => options.missing).join(separator);
  const failed = separator.repeat(width);
  return (values, status) => {
    if (values === undefined) return status === statusCode.missing ? missing : failed;
    let out = "";
    for (let c = 0; c < width; c++) out += separator + cellText(values[c] ?? null, types[c], stored);
    return out;
  };
}

function cellText(cell: Cell, type: ColumnType | undefined, text: (value: string) => string): string {
  if (typeof cell === "number")
    return !Number.isFinite(cell) ? "" : type === "integer" ? `${cell}` : floatText(cell);
  return cell === null ? "" : text(cell);
}
