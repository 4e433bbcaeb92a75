/** Lines and tab-separated tables, as the read and write functions share them. */

import { isPrimitive } from "../values/compare.ts";
import { ValueFailure } from "../values/failure.ts";
import type { ValueBounds } from "../values/limits.ts";
import { render } from "../values/render.ts";
import { describe, isNone, type ObjectValue, object, str, type WdlValue } from "../values/value.ts";
import { hasMembers, misfit } from "./arguments.ts";

/** Lines without their ends; a line end at the end of the text opens no further line. */
export function linesOf(text: string, bounds: ValueBounds): string[] {
  if (text === "") return [];
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  bounds.checkItems(count);
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

export function rowsOf(text: string, bounds: ValueBounds): string[][] {
  let cells = 0;
  return linesOf(text, bounds).map((line) => {
    const row = line.split("\t");
    cells += row.length;
    bounds.checkItemsInAll(cells);
    return row;
  });
}

export function tableText(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.join("\t")}\n`).join("");
}

/** One Object a row. `doing` opens the messages: `read_tsv() of a.tsv`. */
export function objectsOf(
  names: readonly string[],
  rows: readonly (readonly string[])[],
  doing: string,
): ObjectValue[] {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new ValueFailure(`${doing}: the name "${twice}" comes twice`);
  const wrong = names.find((name) => !/^[A-Za-z][A-Za-z0-9_]*$/.test(name));
  if (wrong !== undefined) {
    throw new ValueFailure(
      `${doing}: "${wrong}" cannot name a member of an Object`,
      "names start with a letter; letters, digits and underscores follow",
    );
  }
  return rows.map((row, i) => {
    if (row.length !== names.length) {
      throw new ValueFailure(`${doing}: row ${i + 1} has ${row.length} values for ${names.length} names`);
    }
    return object(names.map((name, column) => [name, str(row[column] ?? "")] as const));
  });
}

/** A row of names, then a row of values for each; all have the same names. */
export function objectRows(values: readonly WdlValue[], doing: string): string[][] {
  const objects = values.map((value) => (hasMembers(value) ? value : misfit(value, "a struct or Object")));
  const names = [...(objects[0]?.members.keys() ?? [])];
  if (objects.length === 0) return [];
  const rows = objects.map((each, i) => {
    if (each.members.size !== names.length || !names.every((name) => each.members.has(name))) {
      throw new ValueFailure(
        `${doing}: object ${i + 1} has the members ${[...each.members.keys()].join(", ")}, the first has ${names.join(", ")}`,
      );
    }
    return names.map((name) => cell(each.members.get(name), name, doing));
  });
  return [names, ...rows];
}

function cell(value: WdlValue | undefined, name: string, doing: string): string {
  if (value === undefined || isNone(value)) return "";
  if (isPrimitive(value)) return render(value);
  throw new ValueFailure(`${doing}: the member "${name}" is ${describe(value)}, expected a primitive value`);
}

/** The start of a text, quoted, for messages. */
export function excerpt(text: string): string {
  const trimmed = text.trim();
  return JSON.stringify(trimmed.length > 40 ? `${trimmed.slice(0, 40)}…` : trimmed);
}
