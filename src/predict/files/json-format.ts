/** Ersilia's JSON: a list of `{"input": {key, input, text}, "output": {column: value}}`, four spaces. Missing = null. */
import { md5Hex } from "../../hash/index.ts";
import type { Cell } from "../../task/index.ts";
import { type AnsweredChunk, statuses } from "./answers.ts";
import type { RowFormat, RowFormatOptions } from "./row-format.ts";

export function jsonFormat(options: RowFormatOptions): RowFormat {
  const element = (chunk: AnsweredChunk, i: number) => {
    const input = chunk.inputs[i] ?? "";
    const values = chunk.values[i];
    const output: Record<string, Cell> = Object.create(null);
    options.columns.forEach((column, c) => {
      output[column.name] = values?.[c] ?? null;
    });
    const status = options.statusColumn === "with" ? { status: statuses[chunk.status[i] ?? 0] } : {};
    const whole = { input: { key: md5Hex(input), input, text: input }, output, ...status };
    return JSON.stringify(whole, null, 4).replace(/^/gm, "    ");
  };
  return {
    begin: () => "[",
    rows: (chunk, index) =>
      chunk.inputs.map((_, i) => `${index + i === 0 ? "\n" : ",\n"}${element(chunk, i)}`).join(""),
    end: () => "\n]\n",
  };
}
