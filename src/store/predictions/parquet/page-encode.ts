/** Values to the bytes of Parquet pages (version 1 data pages): definition levels, then PLAIN values or indexes. */
import type { Cell } from "../../../task/index.ts";
import type { ColumnForm } from "./layout.ts";

/** The uncompressed bytes of a data page of PLAIN values. */
export function encodePlainPage(
  values: readonly Cell[],
  { form, required }: { readonly form: ColumnForm; readonly required: boolean },
): Buffer {
  const levels = required ? undefined : encodeLevels(values);
  const present = values.some((value) => value === null) ? values.filter((value) => value !== null) : values;
  const body = encodePlain(present, form);
  return levels === undefined ? body : Buffer.concat([levels, body]);
}

/** The uncompressed bytes of a data page of dictionary indexes; -1 stands for null. */
export function encodeIndexPage(indexes: Int32Array, dictionarySize: number): Buffer {
  const present = indexes.filter((index) => index >= 0);
  const levels = encodeLevels(Array.from(indexes, (index) => (index < 0 ? null : 0)));
  const width = Math.max(1, 32 - Math.clz32(Math.max(0, dictionarySize - 1)));
  return Buffer.concat([levels, Buffer.from([width]), encodeHybrid(present, width)]);
}

/** The PLAIN bytes of values that are all there. */
export function encodePlain(values: readonly Cell[], form: ColumnForm): Buffer {
  switch (form) {
    case "float": {
      const bytes = Buffer.allocUnsafe(values.length * 8);
      for (let i = 0; i < values.length; i++) bytes.writeDoubleLE(Number(values[i]), i * 8);
      return bytes;
    }
    case "integer": {
      const bytes = Buffer.allocUnsafe(values.length * 8);
      for (let i = 0; i < values.length; i++) writeInteger(bytes, i * 8, Number(values[i]));
      return bytes;
    }
    default: {
      let size = 0;
      for (const value of values) size += 4 + Buffer.byteLength(value as string);
      const bytes = Buffer.allocUnsafe(size);
      let at = 0;
      for (const value of values) {
        const length = bytes.write(value as string, at + 4);
        bytes.writeUInt32LE(length, at);
        at += 4 + length;
      }
      return bytes;
    }
  }
}

/** A safe integer as 64 bits, little endian, two's complement. */
function writeInteger(bytes: Buffer, at: number, value: number): void {
  const high = Math.floor(value / 0x100000000);
  bytes.writeInt32LE((value - high * 0x100000000) | 0, at);
  bytes.writeInt32LE(high, at + 4);
}

/** Which values are there: 1 bit each, behind a length of 4 bytes as version 1 pages have it. */
function encodeLevels(values: readonly Cell[]): Buffer {
  const nulls = values.reduce((count: number, value) => count + (value === null ? 1 : 0), 0);
  const hybrid =
    nulls === 0 || nulls === values.length
      ? Buffer.from([...varint(values.length * 2), nulls === 0 ? 1 : 0])
      : encodeHybrid(
          Int32Array.from(values, (value) => (value === null ? 0 : 1)),
          1,
        );
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(hybrid.length);
  return Buffer.concat([length, hybrid]);
}

/** Parquet's hybrid of runs and bit packing: one run when all are equal, else everything packed. */
function encodeHybrid(values: Int32Array, width: number): Buffer {
  const count = values.length;
  if (count === 0) return Buffer.alloc(0);
  if (values.every((value) => value === values[0])) {
    const head = varint(count * 2);
    const bytes = Buffer.alloc(head.length + Math.ceil(width / 8));
    bytes.set(head);
    bytes.writeUIntLE(values[0] ?? 0, head.length, Math.ceil(width / 8));
    return bytes;
  }
  const groups = Math.ceil(count / 8);
  const head = varint(groups * 2 + 1);
  const bytes = Buffer.alloc(head.length + groups * width);
  bytes.set(head);
  let bit = head.length * 8;
  for (let i = 0; i < count; i++) {
    const value = values[i] ?? 0;
    for (let b = 0; b < width; b++, bit++) {
      if ((value >>> b) & 1) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return bytes;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return bytes;
}
