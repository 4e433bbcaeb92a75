/** `write_tsv([["a", "b"]])`: one line for each row; structs (1.2) may have a header line. */
import { ValueFailure } from "../values/failure.ts";
import { render } from "../values/render.ts";
import type { WdlValue } from "../values/value.ts";
import { argument, flagAt, hasMembers, itemsAt, misfit } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { tableText } from "./text-table.ts";

export const writeTsvFunction: WdlFunction = {
  name: "write_tsv",
  specUrl: specSection("write_tsv"),
  call: (args, context) => {
    const rows = itemsAt(args, 0).map(cellsOf);
    const named = argument(args, 2);
    const header = !flagAt(args, 1)
      ? undefined
      : named.kind === "none"
        ? memberNames(args)
        : itemsAt(args, 2).map(render);
    rows.forEach((row, i) => {
      if (header !== undefined && row.length !== header.length) {
        throw new ValueFailure(
          `write_tsv(): row ${i + 1} has ${row.length} values, the header has ${header.length} names`,
        );
      }
    });
    return context.files.write("table.tsv", tableText(header === undefined ? rows : [header, ...rows]));
  },
};

function cellsOf(row: WdlValue): string[] {
  if (row.kind === "array") return row.items.map(render);
  return hasMembers(row) ? [...row.members.values()].map(render) : misfit(row, "a row");
}

function memberNames(args: readonly WdlValue[]): string[] | undefined {
  const first = itemsAt(args, 0)[0];
  if (first !== undefined && hasMembers(first)) return [...first.members.keys()];
  if (first === undefined) return undefined;
  throw new ValueFailure("write_tsv() is asked for a header, but rows are arrays and no names are given");
}
