/** `splitCsv` */
import { truthOf } from "../../values/compare.ts";
import { GroovyMap } from "../../values/map.ts";
import { asInt } from "../../values/number.ts";
import { textOf } from "../../values/text.ts";
import { isList, type List, type Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import { chunked, flag, limited, type SplitOptions } from "./options.ts";

export function splitCsv(text: string, options: SplitOptions): List {
  const { all, by } = options;
  // An empty text counts as none.
  const chosen = (name: string) => {
    const value = all.at(name) ?? null;
    return truthOf(value) ? textOf(value) : undefined;
  };
  const separator = chosen("sep") ?? ",";
  const quote = chosen("quote");
  const strip = flag(options, "strip");
  const skip = asInt(all.at("skip") ?? 0, "the option skip");
  const header = all.at("header") ?? null;
  const lines = text.split(/\r\n|\n|\r/).slice(skip);
  const rows: (string | null)[][] = [];
  let names = isList(header) ? header.map((each) => textOf(each)) : undefined;
  const wantsNames = names === undefined && truthOf(header);
  for (const line of lines) {
    if (line.trim() === "") continue;
    const cells = cellsOf(line, separator, quote).map((cell) => (strip ? cell.trim() : cell));
    if (wantsNames && names === undefined) {
      names = cells.map((cell) => cell.trim());
      if (names.some((name) => name === ""))
        illegal(`Empty header columns are not allowed in CSV file: ${line}`);
      continue;
    }
    rows.push(cells);
  }
  const records = limited(rows, options).map((cells): Value => {
    if (names === undefined) return cells;
    return new GroovyMap(names.map((name, index): [Value, Value] => [name, cells[index] ?? null]));
  });
  return by > 1 ? chunked(records, by) : [...records];
}

/** Cells of one line; a quoted cell may hold the separator, and doubled quotes. */
function cellsOf(line: string, separator: string, quote: string | undefined): string[] {
  const marks = quote === undefined || quote === "" ? ['"'] : [quote];
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    const mark = marks.find((each) => line.startsWith(each, at));
    if (mark !== undefined) {
      let cell = "";
      let next = at + mark.length;
      for (; next < line.length; next++) {
        if (line.startsWith(mark, next)) {
          if (!line.startsWith(mark, next + mark.length)) break;
          next += mark.length;
        }
        cell += line[next] ?? "";
      }
      const after = next + mark.length;
      if (after >= line.length) return [...cells, cell];
      if (line.startsWith(separator, after)) {
        cells.push(cell);
        at = after + separator.length;
        continue;
      }
    }
    const end = line.indexOf(separator, at);
    if (end < 0) return [...cells, line.slice(at)];
    cells.push(line.slice(at, end));
    at = end + separator.length;
  }
}
