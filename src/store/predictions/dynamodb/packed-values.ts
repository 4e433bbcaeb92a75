/**
 * The values of a row as bytes, packed by the types of the columns. DynamoDB's own numbers have 38 decimal digits and
 * an exponent up to 125: they can hold neither NaN, infinities and -0 nor 1e300.
 *
 *   0  u8  format (1)
 *   1  u8  bytes of an integer: 0 (one bit each, eight in a byte), 1, 2, 4 or 8 (as float64, exact to 2^53)
 *   2  …   integers, in the order of the columns
 *      …   floats, float64 bits
 *      …   texts, u32 length and UTF-8
 *
 * Little-endian. Nulls take no bytes: a bitmap next to the values says where they are.
 */
import type { Cell, Column } from "../../../task/index.ts";

const format = 1;
const headBytes = 2;
type Width = 0 | 1 | 2 | 4 | 8;

export interface PackedValues {
  readonly values: Uint8Array;
  /** One bit for each column, lowest first; undefined = no value is null. */
  readonly nulls: Uint8Array | undefined;
}

/** The values have to fit their columns (`isStorable`). */
export function packValues(columns: readonly Column[], cells: readonly Cell[]): PackedValues {
  const nulls = nullBits(cells);
  const integers = numbersOf(columns, cells, "integer");
  const floats = numbersOf(columns, cells, "float");
  const texts = cells.filter((cell) => typeof cell === "string").map((text) => Buffer.from(text, "utf8"));
  const width = widthOf(integers);
  const textBytes = texts.reduce((sum, text) => sum + 4 + text.length, 0);
  const bytes = Buffer.alloc(
    headBytes + integerBytes(integers.length, width) + 8 * floats.length + textBytes,
  );
  bytes[0] = format;
  bytes[1] = width;
  let at = headBytes;
  for (const [i, value] of integers.entries()) writeInteger(bytes, { start: at, i, width, value });
  at += integerBytes(integers.length, width);
  for (const value of floats) at = bytes.writeDoubleLE(value, at);
  for (const text of texts) {
    at = bytes.writeUInt32LE(text.length, at);
    at += text.copy(bytes, at);
  }
  return { values: bytes, nulls };
}

/** undefined for bytes that are not exactly one row of these columns. */
export function unpackValues(columns: readonly Column[], packed: PackedValues): readonly Cell[] | undefined {
  const { nulls } = packed;
  const bytes = Buffer.from(packed.values.buffer, packed.values.byteOffset, packed.values.byteLength);
  if (bytes.length < headBytes || bytes[0] !== format) return undefined;
  if (nulls !== undefined && nulls.length !== Math.ceil(columns.length / 8)) return undefined;
  const width = bytes[1] as Width;
  if (![0, 1, 2, 4, 8].includes(width)) return undefined;
  const isNull = (at: number) => nulls !== undefined && (((nulls[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;
  const present = columns.flatMap((column, at) => (isNull(at) ? [] : [{ type: column.type, at }]));
  const ofType = (type: Column["type"]) => present.filter((each) => each.type === type);
  const [integers, floats, texts] = [ofType("integer"), ofType("float"), ofType("string")];
  let at = headBytes + integerBytes(integers.length, width);
  if (at + 8 * floats.length > bytes.length) return undefined;
  const cells = new Array<Cell>(columns.length).fill(null);
  for (const [i, each] of integers.entries())
    cells[each.at] = readInteger(bytes, { start: headBytes, i, width });
  for (const each of floats) {
    cells[each.at] = bytes.readDoubleLE(at);
    at += 8;
  }
  for (const each of texts) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) return undefined;
    cells[each.at] = bytes.toString("utf8", at + 4, end);
    at = end;
  }
  return at === bytes.length ? cells : undefined;
}

function nullBits(cells: readonly Cell[]): Uint8Array | undefined {
  if (!cells.includes(null)) return undefined;
  const bits = new Uint8Array(Math.ceil(cells.length / 8));
  for (const [at, cell] of cells.entries())
    if (cell === null) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
  return bits;
}

function numbersOf(columns: readonly Column[], cells: readonly Cell[], type: Column["type"]): number[] {
  const numbers: number[] = [];
  for (const [at, cell] of cells.entries())
    if (typeof cell === "number" && columns[at]?.type === type) numbers.push(cell);
  return numbers;
}

function widthOf(integers: readonly number[]): Width {
  let lowest = 0;
  let highest = 0;
  for (const value of integers) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  if (lowest === 0 && highest <= 1) return 0;
  if (lowest >= -(2 ** 7) && highest < 2 ** 7) return 1;
  if (lowest >= -(2 ** 15) && highest < 2 ** 15) return 2;
  if (lowest >= -(2 ** 31) && highest < 2 ** 31) return 4;
  return 8;
}

function integerBytes(count: number, width: Width): number {
  return width === 0 ? Math.ceil(count / 8) : count * width;
}

interface IntegerPlace {
  readonly start: number;
  /** Number among the integers. */
  readonly i: number;
  readonly width: Width;
}

function writeInteger(
  bytes: Buffer,
  { start, i, width, value }: IntegerPlace & { readonly value: number },
): void {
  if (width === 0) {
    const at = start + (i >> 3);
    bytes[at] = (bytes[at] ?? 0) | (value << (i & 7));
  } else if (width === 8) bytes.writeDoubleLE(value, start + 8 * i);
  else bytes.writeIntLE(value, start + width * i, width);
}

function readInteger(bytes: Buffer, { start, i, width }: IntegerPlace): number {
  if (width === 0) return ((bytes[start + (i >> 3)] ?? 0) >> (i & 7)) & 1;
  return width === 8 ? bytes.readDoubleLE(start + 8 * i) : bytes.readIntLE(start + width * i, width);
}
