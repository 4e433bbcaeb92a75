/** Ersilia's JSON: a list of `{"input": {key, input, text}, "output": {column: value}}`, four spaces. Missing = null. */
import { md5Hex } from "../../hash/index.ts";
import { floatText } from "../../kernel/index.ts";
import type { Cell, ColumnType } from "../../task/index.ts";
import { type AnsweredChunk, statusText as textOfStatus } from "./answers.ts";
import type { RowFormat, RowFormatOptions } from "./row-format.ts";

/** Written by hand: columns keep their order whatever they are called, and floats stay floats (`1.0`). */
export function jsonFormat(
  options: RowFormatOptions & { readonly statusText?: (chunk: AnsweredChunk, i: number) => string },
): RowFormat {
  const statusText = options.statusText ?? ((chunk, i) => JSON.stringify(textOfStatus(chunk, i)));
  const names = options.columns.map((column) => JSON.stringify(column.name));
  const element = (chunk: AnsweredChunk, i: number) => {
    const input = chunk.inputs[i] ?? "";
    const values = chunk.values[i];
    const text = JSON.stringify(input);
    const cells = options.columns.map(
      ({ type }, c) => `            ${names[c]}: ${cellText(values?.[c] ?? null, type)}`,
    );
    const output = cells.length === 0 ? "{}" : `{\n${cells.join(",\n")}\n        }`;
    const status = options.statusColumn === "with" ? `,\n        "status": ${statusText(chunk, i)}` : "";
    return `    {
        "input": {
            "key": "${md5Hex(input)}",
            "input": ${text},
            "text": ${text}
        },
        "output": ${output}${status}
    }`;
  };
  return {
    begin: () => "[",
    rows: (chunk, index) =>
      chunk.inputs.map((_, i) => `${index + i === 0 ? "\n" : ",\n"}${element(chunk, i)}`).join(""),
    end: () => "\n]\n",
  };
}

function cellText(cell: Cell, type: ColumnType): string {
  if (typeof cell !== "number") return JSON.stringify(cell);
  if (!Number.isFinite(cell)) return "null";
  return type === "integer" ? `${cell}` : floatText(cell);
}
