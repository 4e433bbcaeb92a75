/**
 * Bytes of Memoir's data pages to values. Every page carries a CRC-32 of its bytes; one that does not fit is damage and
 * throws, so that a flipped bit is never a value. Pages of other programs are read by hyparquet instead.
 */
import { crc32 } from "node:zlib";
import type { Cell } from "../../../task/index.ts";
import { CompactReader, compact } from "./compact-reader.ts";
import type { ColumnForm } from "./layout.ts";

/** What the Snappy code of hyparquet does for us; loaded when first needed. */
export interface Codec {
  readonly unsnap: (input: Uint8Array, output: Uint8Array) => void;
}

export async function loadCodec(): Promise<Codec> {
  const { snappyUncompress } = await import("hyparquet");
  return { unsnap: (input, output) => void snappyUncompress(input, output) };
}

/** The values of one page; `at` counts rows from the page's first. */
export interface Page {
  readonly rows: number;
  at(row: number): Cell;
}

export interface PageSource {
  readonly form: ColumnForm;
  readonly required: boolean;
  readonly compressed: boolean;
  readonly dictionary: Dictionary | undefined;
}

const encodings = { plain: 0, rleDictionary: 8 } as const;
const pageTypes = { data: 0, dictionary: 2 } as const;

export function decodePage(codec: Codec, bytes: Uint8Array, source: PageSource): Page {
  const { body, header } = openPage(codec, bytes, source.compressed);
  const { type, values: rows, encoding } = header;
  if (type !== pageTypes.data) throw new Error(`a page of type ${type}, expected a data page`);
  if (!(rows > 0)) throw new Error("a data page without rows");
  let at = 0;
  let present: Uint8Array | undefined;
  if (!source.required) {
    const size = body.readUInt32LE(0);
    present = presence(body.subarray(4, 4 + size), rows);
    at = 4 + size;
  }
  const values = body.subarray(at);
  if (encoding === encodings.rleDictionary) {
    const { dictionary } = source;
    if (present !== undefined && countOf(present, rows) === 0) return nulls(rows);
    if (dictionary === undefined) throw new Error("dictionary indexes without a dictionary");
    const indexes = unpackHybrid(values.subarray(1), values[0] ?? 0, countOf(present, rows));
    return withNulls(rows, present, (rank) => dictionary(indexes[rank] ?? -1));
  }
  if (encoding !== encodings.plain) throw new Error(`values in encoding ${encoding}`);
  const count = countOf(present, rows);
  return count === 0 ? nulls(rows) : withNulls(rows, present, plainValues(values, source.form, count));
}

/** The text at an index. */
export type Dictionary = (index: number) => string;

/** Only the texts that are asked for are decoded: a look-up needs few of them. */
export function decodeDictionary(codec: Codec, bytes: Uint8Array, compressed: boolean): Dictionary {
  const { body, header } = openPage(codec, bytes, compressed);
  const { type, values: count } = header;
  if (type !== pageTypes.dictionary) throw new Error(`a page of type ${type}, expected a dictionary`);
  const starts = textStarts(body, count);
  const texts = new Map<number, string>();
  return (index) => {
    let text = texts.get(index);
    if (text === undefined) {
      if (!(index >= 0 && index < count)) throw new Error(`an index of ${index} in a dictionary of ${count}`);
      text = textOf(body, starts, index);
      texts.set(index, text);
    }
    return text;
  };
}

/** Up to this many texts are compared with every row; for more, strings of all rows are cheaper. */
const fewTexts = 8;

/** Finds texts in a PLAIN page of required texts: the row of each wanted text, -1 for those that are not there. */
export function findTexts(
  codec: Codec,
  bytes: Uint8Array,
  compressed: boolean,
  wanted: readonly string[],
): Int32Array {
  const { body, header } = openPage(codec, bytes, compressed);
  const starts = textStarts(body, header.values);
  return wanted.length <= fewTexts ? findFew(body, starts, wanted) : findMany(body, starts, wanted);
}

function findFew(body: Buffer, starts: Uint32Array, wanted: readonly string[]): Int32Array {
  const found = new Int32Array(wanted.length).fill(-1);
  wanted.forEach((text, i) => {
    const each = Buffer.from(text);
    // Spellings of one length mostly differ in the end: this spares most calls into native code.
    const last = each[each.length - 1];
    for (let row = 0; row + 1 < starts.length; row++) {
      const start = (starts[row] ?? 0) + 4;
      const end = starts[row + 1] ?? 0;
      if (end - start !== each.length || (last !== undefined && body[end - 1] !== last)) continue;
      if (body.compare(each, 0, each.length, start, end) !== 0) continue;
      found[i] = row;
      return;
    }
  });
  return found;
}

function findMany(body: Buffer, starts: Uint32Array, wanted: readonly string[]): Int32Array {
  const rows = new Map<string, number>();
  for (let row = starts.length - 2; row >= 0; row--) rows.set(textOf(body, starts, row), row);
  return Int32Array.from(wanted, (text) => rows.get(text) ?? -1);
}

interface PageHeader {
  readonly type: number;
  readonly plainSize: number;
  readonly storedSize: number;
  readonly checksum: number | undefined;
  /** Of a data page: nulls included. */
  readonly values: number;
  readonly encoding: number;
  /** Bytes of the header itself. */
  readonly length: number;
}

function readHeader(bytes: Uint8Array): PageHeader {
  const reader = new CompactReader(bytes);
  let type = -1;
  let plainSize = 0;
  let storedSize = 0;
  let checksum: number | undefined;
  let values = 0;
  let encoding = -1;
  const onDetail = (field: number, form: number) => {
    if (field === 1) values = reader.number();
    else if (field === 2) encoding = reader.number();
    else reader.skip(form);
  };
  reader.struct((field, form) => {
    if (field === 1) type = reader.number();
    else if (field === 2) plainSize = reader.number();
    else if (field === 3) storedSize = reader.number();
    else if (field === 4) checksum = reader.number();
    // 5: of a data page, 7: of a dictionary.
    else if ((field === 5 || field === 7) && form === compact.struct) reader.struct(onDetail);
    else reader.skip(form);
  });
  return { type, plainSize, storedSize, checksum, values, encoding, length: reader.offset };
}

function openPage(codec: Codec, bytes: Uint8Array, compressed: boolean) {
  const header = readHeader(bytes);
  const { storedSize, plainSize, checksum } = header;
  const packed = bytes.subarray(header.length, header.length + storedSize);
  if (packed.length !== storedSize)
    throw new Error(`a page of ${packed.length} bytes, expected ${storedSize}`);
  if (checksum === undefined || (crc32(packed) | 0) !== (checksum | 0))
    throw new Error("a page whose checksum does not fit");
  if (!compressed) return { header, body: asBuffer(packed) };
  const body = new Uint8Array(plainSize);
  codec.unsnap(packed, body);
  return { header, body: asBuffer(body) };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The value of the n-th row that has one. */
function plainValues(body: Buffer, form: ColumnForm, count: number): (rank: number) => Cell {
  switch (form) {
    case "float":
      checkSize(body, count * 8);
      return (rank) => body.readDoubleLE(rank * 8);
    case "integer":
      checkSize(body, count * 8);
      return (rank) => body.readInt32LE(rank * 8 + 4) * 0x100000000 + body.readUInt32LE(rank * 8);
    default: {
      const starts = textStarts(body, count);
      return (rank) => textOf(body, starts, rank);
    }
  }
}

function checkSize(body: Buffer, expected: number): void {
  if (body.length < expected) throw new Error(`values of ${body.length} bytes, expected ${expected}`);
}

function textStarts(body: Buffer, count: number): Uint32Array {
  const starts = new Uint32Array(count + 1);
  let at = 0;
  for (let i = 0; i < count; i++) {
    starts[i] = at;
    at += 4 + body.readUInt32LE(at);
  }
  starts[count] = at;
  checkSize(body, at);
  return starts;
}

function textOf(body: Buffer, starts: Uint32Array, index: number): string {
  return body.toString("utf8", (starts[index] ?? 0) + 4, starts[index + 1] ?? 0);
}

function countOf(present: Uint8Array | undefined, rows: number): number {
  if (present === undefined) return rows;
  let count = 0;
  for (const each of present) count += each;
  return count;
}

/** A page without a single value. */
function nulls(rows: number): Page {
  return {
    rows,
    at: (row) => {
      if (!(row >= 0 && row < rows)) throw new Error(`row ${row} of a page of ${rows}`);
      return null;
    },
  };
}

function withNulls(rows: number, present: Uint8Array | undefined, value: (rank: number) => Cell): Page {
  const within = (row: number) => {
    if (!(row >= 0 && row < rows)) throw new Error(`row ${row} of a page of ${rows}`);
  };
  if (present === undefined)
    return {
      rows,
      at: (row) => {
        within(row);
        return value(row);
      },
    };
  const ranks = new Int32Array(rows);
  let rank = 0;
  for (let row = 0; row < rows; row++) ranks[row] = present[row] === 1 ? rank++ : -1;
  return {
    rows,
    at: (row) => {
      within(row);
      const at = ranks[row] ?? -1;
      return at < 0 ? null : value(at);
    },
  };
}

/** 1 for a value, 0 for null; undefined when every row has a value. */
function presence(bytes: Uint8Array, rows: number): Uint8Array | undefined {
  // One run of ones, the common case: its header is rows * 2, in one byte or two.
  const [head = 0, next = 0, after = 0] = bytes;
  if (head < 128 && head === rows * 2 && next === 1) return undefined;
  if (head >= 128 && next < 128 && (head & 127) + next * 128 === rows * 2 && after === 1) return undefined;
  if (head < 128 && head === rows * 2 && next === 0) return new Uint8Array(rows);
  if (head >= 128 && next < 128 && (head & 127) + next * 128 === rows * 2 && after === 0)
    return new Uint8Array(rows);
  const levels = unpackHybrid(bytes, 1, rows);
  for (const level of levels) if (level === 0) return Uint8Array.from(levels);
  return undefined;
}

function unpackHybrid(bytes: Uint8Array, width: number, count: number): Int32Array {
  const values = new Int32Array(count);
  const valueBytes = Math.ceil(width / 8);
  let at = 0;
  for (let done = 0; done < count; ) {
    let head = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 28) throw new Error("levels that end early");
      head |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    if ((head & 1) === 0) {
      let value = 0;
      for (let i = 0; i < valueBytes; i++) value |= (bytes[at++] ?? 0) << (8 * i);
      const run = Math.min(head >>> 1, count - done);
      if (run === 0) throw new Error("an empty run of levels");
      values.fill(value, done, done + run);
      done += run;
      continue;
    }
    const packed = (head >>> 1) * 8;
    if (packed === 0) throw new Error("an empty run of levels");
    if (width > 24) throw new Error(`levels of ${width} bits`);
    const mask = 2 ** width - 1;
    let bit = at * 8;
    for (let i = 0; i < packed && done < count; i++, done++, bit += width) {
      const first = bit >> 3;
      const window =
        (bytes[first] ?? 0) |
        ((bytes[first + 1] ?? 0) << 8) |
        ((bytes[first + 2] ?? 0) << 16) |
        ((bytes[first + 3] ?? 0) << 24);
      values[done] = (window >>> (bit & 7)) & mask;
    }
    at += (head >>> 1) * width;
  }
  return values;
}
