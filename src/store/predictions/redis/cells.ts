/**
 * Cells as the texts that Ersilia stores: what a Python program writes into a CSV file. Reading goes by the column's
 * type, so "1e5" stays a text in a column of texts and is a number in a column of numbers.
 */
import { floatText } from "../../../kernel/index.ts";
import type { Cell, Column, ColumnType } from "../../../task/index.ts";

/** A text that cannot be a value of its column; its row is a miss. */
export const misfit: unique symbol = Symbol("misfit");

export function cellText(value: Cell, type: ColumnType): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  return type === "float" || !Number.isInteger(value) || Object.is(value, -0)
    ? floatText(value)
    : String(value);
}

export function cellOf(text: unknown, type: ColumnType): Cell | typeof misfit {
  if (typeof text !== "string") return text === null ? null : looseCell(text, type);
  if (type === "string") return text;
  if (text === "") return null;
  const value = numberOf(text);
  if (value === undefined) return misfit;
  // An integer that a double cannot hold exactly would come back as another integer.
  if (type === "integer" && !Number.isSafeInteger(value)) return misfit;
  // -0 has no meaning as an integer, and "-0.0" is how a float column spells it.
  return type === "integer" && value === 0 ? 0 : value;
}

/** Some writers store numbers as JSON numbers instead of texts. */
function looseCell(value: unknown, type: ColumnType): Cell | typeof misfit {
  return typeof value === "number" && type !== "string" ? cellOf(String(value), type) : misfit;
}

const notFinite: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "+inf": Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  "+infinity": Number.POSITIVE_INFINITY,
  "-infinity": Number.NEGATIVE_INFINITY,
};

function numberOf(text: string): number | undefined {
  const value = Number(text);
  // Number() also takes blanks, 0x10, 0b1 and 0o7, none of which is a number in a CSV cell.
  const first = text.charCodeAt(0);
  const second = text.charCodeAt(1);
  const plain = first > 32 && text.charCodeAt(text.length - 1) > 32 && !(first === 48 && second > 57);
  if (Number.isFinite(value)) return plain || /^0[eE]/.test(text) ? value : undefined;
  return notFinite[text.toLowerCase()];
}

/**
 * Where each column of a model is in the cells of a row, by name; undefined when the header does not have exactly
 * these columns.
 */
export function positionsByName(
  header: readonly string[],
  columns: readonly Column[],
): readonly number[] | undefined {
  if (header.length !== columns.length) return undefined;
  const positions = columns.map((column) => header.indexOf(column.name));
  return positions.includes(-1) || new Set(positions).size !== positions.length ? undefined : positions;
}
