/**
 * Reads a JSON array of CSV cells straight from the bytes that Redis sent, for the rows that nearly all rows are:
 * plain numbers and ASCII texts without escapes. Making strings and parsing JSON would take most of a look-up's time.
 * Everything unusual is left to the general reader, so this one only ever says less, never anything else.
 */
import type { Cell, ColumnType } from "../../../task/index.ts";
import { cellOf, misfit } from "./cells.ts";

const [quote, comma, minus, point, zero, nine, openBracket, backslash, closeBracket] = [
  34, 44, 45, 46, 48, 57, 91, 92, 93,
];

/** Powers of ten that a double holds exactly. */
const powers = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Integers with up to this many digits are exact in a double, so their quotient by a power of ten is rounded correctly. */
const mostDigits = 15;

export class CellBytes {
  /** Where the array of the last `read` ended. */
  end = 0;
  #at = 0;

  /** One value per type, or undefined when the array is not of the simple kind or does not fit the types. */
  read(bytes: Uint8Array, types: readonly ColumnType[]): Cell[] | undefined {
    if (bytes[0] !== openBracket) return undefined;
    const values = new Array<Cell>(types.length);
    this.#at = 1;
    for (let column = 0; column < types.length; column++) {
      if (bytes[this.#at++] !== quote) return undefined;
      const type = types[column];
      const value = type === "string" ? this.#text(bytes) : this.#number(bytes, type ?? "float");
      if (value === undefined) return undefined;
      values[column] = value;
      if (bytes[this.#at++] !== (column === types.length - 1 ? closeBracket : comma)) return undefined;
    }
    this.end = this.#at;
    return values;
  }

  #text(bytes: Uint8Array): string | undefined {
    const start = this.#at;
    const close = this.#close(bytes);
    return close < 0 ? undefined : latin1(bytes, start, close);
  }

  #number(bytes: Uint8Array, type: ColumnType): number | null | undefined {
    const start = this.#at;
    let at = start;
    const negative = bytes[at] === minus;
    if (negative) at++;
    let whole = 0;
    let digits = 0;
    let pointAt = -1;
    for (; ; at++) {
      const byte = bytes[at] ?? 0;
      if (byte >= zero && byte <= nine) {
        whole = whole * 10 + (byte - zero);
        digits++;
      } else if (byte === point && pointAt < 0) pointAt = at;
      else break;
    }
    const fraction = pointAt < 0 ? 0 : at - pointAt - 1;
    if (bytes[at] !== quote || digits === 0 || digits > mostDigits) return this.#otherNumber(bytes, type);
    this.#at = at + 1;
    const value = whole / (powers[fraction] ?? Number.NaN);
    if (type === "integer")
      return Number.isInteger(value) ? (negative && value !== 0 ? -value : value) : undefined;
    return negative ? -value : value;
  }

  /** Empty, many digits, an exponent, nan: read as a text. */
  #otherNumber(bytes: Uint8Array, type: ColumnType): number | null | undefined {
    const start = this.#at;
    const close = this.#close(bytes);
    if (close < 0) return undefined;
    const value = cellOf(latin1(bytes, start, close), type);
    return value === misfit || typeof value === "string" ? undefined : value;
  }

  /** Goes behind the closing quote and answers where it was; -1 when an escape, a control character (which
   * JSON does not allow) or a byte beyond ASCII comes first. */
  #close(bytes: Uint8Array): number {
    let at = this.#at;
    for (; bytes[at] !== quote; at++) {
      const byte = bytes[at] ?? 0xff;
      if (byte === backslash || byte < 32 || byte > 127) return -1;
    }
    this.#at = at + 1;
    return at;
  }
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.toString.call(bytes, "latin1", start, end);
}
