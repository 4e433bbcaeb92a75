/**
 * The bytes of one stored row. Little-endian:
 *
 *   0  u32  checksum over everything that follows, seeded with the input
 *   4  u8   format (1)
 *   5  u8   value encoding (low 4 bits) and which optional parts follow (high 4 bits)
 *   6  u16  number of the interned provenance, 0 = none
 *   8  u32  stored at, seconds since 1970
 *  12  u32  number of values
 *  16  f64  computed at, milliseconds since 1970      (optional)
 *      …    values
 *      …    input, canonical form                     (optional; u8 charset, u32 length, bytes)
 *
 * Whole rows of one kind (floats, small integers, bits) are packed without a tag per cell: a fingerprint of 2,048 bits
 * takes 256 bytes. Rows with texts or nulls carry a tag per cell.
 */
import type { Cell, PredictionRow } from "../../../task/index.ts";
import { checksum } from "./checksum.ts";

const format = 1;
const headBytes = 16;

const packing = { tagged: 0, float64: 1, bits: 2, int8: 3, int16: 4, int32: 5 } as const;
type Packing = (typeof packing)[keyof typeof packing];

const hasComputedAt = 0x10;
const hasInput = 0x20;
const hasCanonical = 0x40;

const tag = { nothing: 0, float64: 1, int32: 2, text: 3, utf16: 4 } as const;

/** What is stored next to the values. */
export interface RecordNotes {
  /** Seed of the checksum: `hashInput(row.input)`. */
  readonly inputHash: number;
  readonly storedAtSeconds: number;
  readonly provenanceNumber: number;
  readonly computedAtMs: number | undefined;
  /** True where the key cannot give the input back. */
  readonly keepsInput: boolean;
}

/** Encodes records, each into the same growing buffer: the bytes are valid until the next `encode`. */
export class RecordWriter {
  #bytes = Buffer.allocUnsafeSlow(1 << 16);
  #view = viewOf(this.#bytes);
  #at = 0;

  encode(row: PredictionRow, notes: RecordNotes): Buffer {
    const { values } = row;
    const kind = packingOf(values);
    this.#reserve(headBytes + 8 + valueBytes(values, kind) + textBytes(row, notes.keepsInput));
    this.#view.setUint8(4, format);
    this.#view.setUint8(
      5,
      kind |
        (notes.computedAtMs === undefined ? 0 : hasComputedAt) |
        (notes.keepsInput ? hasInput : 0) |
        (row.canonical === undefined ? 0 : hasCanonical),
    );
    this.#view.setUint16(6, notes.provenanceNumber, true);
    this.#view.setUint32(8, notes.storedAtSeconds, true);
    this.#view.setUint32(12, values.length, true);
    this.#at = headBytes;
    if (notes.computedAtMs !== undefined) {
      this.#view.setFloat64(this.#at, notes.computedAtMs, true);
      this.#at += 8;
    }
    this.#writeValues(values, kind);
    if (notes.keepsInput) this.#writeText(row.input);
    if (row.canonical !== undefined) this.#writeText(row.canonical);
    this.#view.setUint32(0, checksum(this.#view, 4, this.#at, notes.inputHash), true);
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    this.#bytes = Buffer.allocUnsafeSlow(2 * bytes);
    this.#view = viewOf(this.#bytes);
  }

  #writeValues(values: readonly Cell[], kind: Packing): void {
    const view = this.#view;
    let at = this.#at;
    switch (kind) {
      case packing.float64:
        for (const value of values) {
          view.setFloat64(at, value as number, true);
          at += 8;
        }
        break;
      case packing.bits:
        for (let from = 0; from < values.length; from += 8) {
          let byte = 0;
          for (let bit = 0; bit < 8; bit++) byte |= (values[from + bit] === 1 ? 1 : 0) << bit;
          view.setUint8(at++, byte);
        }
        break;
      case packing.int8:
        for (const value of values) view.setInt8(at++, value as number);
        break;
      case packing.int16:
        for (const value of values) {
          view.setInt16(at, value as number, true);
          at += 2;
        }
        break;
      case packing.int32:
        for (const value of values) {
          view.setInt32(at, value as number, true);
          at += 4;
        }
        break;
      case packing.tagged:
        for (const value of values) this.#writeCell(value);
        return;
    }
    this.#at = at;
  }

  #writeCell(value: Cell): void {
    if (value === null) this.#view.setUint8(this.#at++, tag.nothing);
    else if (typeof value === "string") this.#writeText(value);
    else if (isInt32(value)) {
      this.#view.setUint8(this.#at, tag.int32);
      this.#view.setInt32(this.#at + 1, value, true);
      this.#at += 5;
    } else {
      this.#view.setUint8(this.#at, tag.float64);
      this.#view.setFloat64(this.#at + 1, value, true);
      this.#at += 9;
    }
  }

  /** UTF-8, except that texts which UTF-8 cannot hold (half a surrogate pair) are kept as UTF-16. */
  #writeText(text: string): void {
    const at = this.#at;
    const charset = loneSurrogate.test(text) ? tag.utf16 : tag.text;
    const length =
      charset === tag.text
        ? this.#bytes.write(text, at + 5, "utf8")
        : this.#bytes.write(text, at + 5, "utf16le");
    this.#view.setUint8(at, charset);
    this.#view.setUint32(at + 1, length, true);
    this.#at = at + 5 + length;
  }
}

/**
 * Decodes records. One reader is reused for millions of records: `read` answers the values, and the fields hold the
 * rest of the record that was read last.
 */
export class RecordReader {
  storedAtSeconds = 0;
  provenanceNumber = 0;
  computedAtMs: number | undefined = undefined;
  input: string | undefined = undefined;
  canonical: string | undefined = undefined;

  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #end = 0;

  /**
   * The values of the record in the first `length` bytes, or undefined for bytes that are not a whole record of this
   * input and number of columns.
   */
  read(bytes: Uint8Array, length: number, inputHash: number, columns: number): Cell[] | undefined {
    if (length < headBytes) return undefined;
    if (this.#bytes !== bytes || this.#view.buffer !== bytes.buffer) {
      this.#bytes = bytes;
      this.#view = viewOf(bytes);
    }
    const view = this.#view;
    if (view.getUint32(0, true) !== checksum(view, 4, length, inputHash)) return undefined;
    if (view.getUint8(4) !== format || view.getUint32(12, true) !== columns) return undefined;
    const flags = view.getUint8(5);
    this.provenanceNumber = view.getUint16(6, true);
    this.storedAtSeconds = view.getUint32(8, true);
    this.#at = headBytes;
    this.#end = length;
    this.computedAtMs = (flags & hasComputedAt) === 0 ? undefined : this.#readFloat64();
    const values = this.#readValues((flags & 0x0f) as Packing, columns);
    this.input = (flags & hasInput) === 0 ? undefined : this.#readText();
    this.canonical = (flags & hasCanonical) === 0 ? undefined : this.#readText();
    return this.#at === length ? values : undefined;
  }

  /**
   * The input inside a record, not yet checked: for records whose key is a digest. Hash it, then `read`. undefined
   * for bytes that do not parse.
   */
  peekInput(bytes: Uint8Array, length: number, columns: number): string | undefined {
    if (length < headBytes) return undefined;
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    const flags = this.#view.getUint8(5);
    if ((flags & hasInput) === 0 || this.#view.getUint32(12, true) !== columns) return undefined;
    this.#at = headBytes + ((flags & hasComputedAt) === 0 ? 0 : 8);
    this.#end = length;
    try {
      return this.#readValues((flags & 0x0f) as Packing, columns) === undefined
        ? undefined
        : this.#readText();
    } catch (error) {
      // Unchecked bytes may point anywhere; outside the record is the answer that they are not a record.
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  #readFloat64(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  #readValues(kind: Packing, count: number): Cell[] | undefined {
    const view = this.#view;
    let at = this.#at;
    // Filled to its full length at once: growing an array costs more than decoding into it.
    const values = new Array<Cell>(count);
    switch (kind) {
      case packing.float64:
        if (at + 8 * count > this.#end) return undefined;
        for (let i = 0; i < count; i++, at += 8) values[i] = view.getFloat64(at, true);
        break;
      case packing.bits:
        if (at + Math.ceil(count / 8) > this.#end) return undefined;
        for (let i = 0; i < count; i++) values[i] = (view.getUint8(at + (i >> 3)) >> (i & 7)) & 1;
        at += Math.ceil(count / 8);
        break;
      case packing.int8:
        if (at + count > this.#end) return undefined;
        for (let i = 0; i < count; i++) values[i] = view.getInt8(at++);
        break;
      case packing.int16:
        if (at + 2 * count > this.#end) return undefined;
        for (let i = 0; i < count; i++, at += 2) values[i] = view.getInt16(at, true);
        break;
      case packing.int32:
        if (at + 4 * count > this.#end) return undefined;
        for (let i = 0; i < count; i++, at += 4) values[i] = view.getInt32(at, true);
        break;
      case packing.tagged:
        for (let i = 0; i < count; i++) values[i] = this.#readCell();
        return values;
      default:
        return undefined;
    }
    this.#at = at;
    return values;
  }

  #readCell(): Cell {
    const view = this.#view;
    switch (view.getUint8(this.#at)) {
      case tag.nothing:
        this.#at++;
        return null;
      case tag.int32: {
        const value = view.getInt32(this.#at + 1, true);
        this.#at += 5;
        return value;
      }
      case tag.float64:
        this.#at++;
        return this.#readFloat64();
      default:
        return this.#readText();
    }
  }

  #readText(): string {
    const at = this.#at + 5;
    const length = this.#view.getUint32(this.#at + 1, true);
    const charset = this.#view.getUint8(this.#at) === tag.utf16 ? "utf16le" : "utf8";
    this.#at = at + length;
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + at, length).toString(charset);
  }
}

const loneSurrogate = /\p{Surrogate}/u;

function viewOf(bytes: Uint8Array): DataView {
  // The library's reusable buffer reports the length of the last value; the view must cover all of it.
  return new DataView(bytes.buffer, bytes.byteOffset);
}

function isInt32(value: number): boolean {
  return (value | 0) === value && !Object.is(value, -0);
}

function packingOf(values: readonly Cell[]): Packing {
  let lowest = 0;
  let highest = 0;
  let integers = true;
  for (const value of values) {
    if (typeof value !== "number") return packing.tagged;
    if (integers && isInt32(value)) {
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    } else integers = false;
  }
  if (!integers) return packing.float64;
  if (lowest >= 0 && highest <= 1) return packing.bits;
  if (lowest >= -128 && highest <= 127) return packing.int8;
  if (lowest >= -32768 && highest <= 32767) return packing.int16;
  return packing.int32;
}

/** An upper bound of the bytes that the values take. */
function valueBytes(values: readonly Cell[], kind: Packing): number {
  if (kind !== packing.tagged) return 8 * values.length;
  let bytes = 9 * values.length;
  for (const value of values) if (typeof value === "string") bytes += 3 * value.length;
  return bytes;
}

function textBytes(row: PredictionRow, keepsInput: boolean): number {
  return 10 + 3 * ((keepsInput ? row.input.length : 0) + (row.canonical?.length ?? 0));
}
