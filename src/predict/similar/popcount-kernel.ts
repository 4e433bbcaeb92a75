/**
 * The inner loop of a search: how many bits two fingerprints of 1,024 bits share, for one against many. It is WebAssembly,
 * which has an instruction that counts bits; in JavaScript the same loop takes some twenty times as long. The module is
 * 300 bytes, assembled here from the instructions that it consists of, so that nothing has to be built or loaded.
 */
import { fingerprintBytes } from "../../models/index.ts";

export interface PopcountKernel {
  /** All of the memory that the loop can see. */
  readonly bytes: Uint8Array;
  /**
   * Compares the fingerprint at `query` with `count` fingerprints at `rows`; for each with at least `least` bits in
   * common writes its number and the bits (two 32-bit numbers) to `out`. Returns how many were written.
   */
  scan(query: number, rows: number, count: number, least: number, out: number): number;
}

/** The part of it that is used here; the types of Node have no values of it. */
declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
};

const words = fingerprintBytes / 8;
const pageBytes = 65_536;
/** What a WebAssembly memory can hold: 4 GiB. */
export const mostKernelBytes = 65_536 * pageBytes;

/** @throws RangeError where the machine has less memory */
export function createPopcountKernel(neededBytes: number): PopcountKernel {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(neededBytes / pageBytes) });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()), { e: { m: memory } });
  const scan = instance.exports["s"] as PopcountKernel["scan"];
  return { bytes: new Uint8Array(memory.buffer), scan };
}

const i32 = 0x7f;
const i64 = 0x7e;
const op = {
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  if: [0x04, 0x40],
  end: [0x0b],
  br: (depth: number) => [0x0c, depth],
  brIf: (depth: number) => [0x0d, depth],
  get: (local: number) => [0x20, local],
  set: (local: number) => [0x21, local],
  tee: (local: number) => [0x22, local],
  i64Load: (offset: number) => [0x29, 3, ...unsigned(offset)],
  i32Store: (offset: number) => [0x36, 2, ...unsigned(offset)],
  i32: (value: number) => [0x41, ...signed(value)],
  i32GreaterOrEqualSigned: [0x4e],
  i32GreaterOrEqual: [0x4f],
  i32Add: [0x6a],
  i64Popcount: [0x7b],
  i64Add: [0x7c],
  i64And: [0x83],
  wrap: [0xa7],
} as const;

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const [query, rows, count, least, out] = [0, 1, 2, 3, 4] as const;
  const [at, found, bits] = [5, 6, 7] as const;
  const word = (n: number) => 8 + n;
  const code = [
    ...Array.from({ length: words }, (_, n) => [
      ...op.get(query),
      ...op.i64Load(8 * n),
      ...op.set(word(n)),
    ]).flat(),
    ...op.block,
    ...op.loop,
    ...[...op.get(at), ...op.get(count), ...op.i32GreaterOrEqual, ...op.brIf(1)],
    ...Array.from({ length: words }, (_, n) => [
      ...op.get(rows),
      ...op.i64Load(8 * n),
      ...op.get(word(n)),
      ...op.i64And,
      ...op.i64Popcount,
      ...(n === 0 ? [] : op.i64Add),
    ]).flat(),
    ...[...op.wrap, ...op.tee(bits), ...op.get(least), ...op.i32GreaterOrEqualSigned],
    ...op.if,
    ...[...op.get(out), ...op.get(at), ...op.i32Store(0)],
    ...[...op.get(out), ...op.get(bits), ...op.i32Store(4)],
    ...[...op.get(out), ...op.i32(8), ...op.i32Add, ...op.set(out)],
    ...[...op.get(found), ...op.i32(1), ...op.i32Add, ...op.set(found)],
    ...op.end,
    ...[...op.get(rows), ...op.i32(fingerprintBytes), ...op.i32Add, ...op.set(rows)],
    ...[...op.get(at), ...op.i32(1), ...op.i32Add, ...op.set(at)],
    ...[...op.br(0), ...op.end, ...op.end],
    ...[...op.get(found), ...op.end],
  ];
  const locals = [2, 3, i32, words, i64];
  const body = [...locals, ...code];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 5, i32, i32, i32, i32, i32, 1, i32]),
    ...section(2, [1, 1, 0x65, 1, 0x6d, 0x02, 0x00, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x73, 0x00, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

function section(id: number, content: readonly number[]): readonly number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** LEB128. */
function unsigned(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...unsigned(Math.floor(value / 128))];
}

function signed(value: number): readonly number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >> 7)];
}
