/** `hashCode()` of Java: what orders sets, and items that cannot be compared. */
import { Decimal } from "./decimal.ts";
import { BigInteger, Double } from "./double.ts";
import { GroovyMap, GroovySet, MapEntry } from "./map.ts";
import { Range } from "./range.ts";
import { isList, type Value } from "./thing.ts";

export function hashOf(value: Value): number {
  if (value === null) return 0;
  if (typeof value === "number") return value | 0;
  if (typeof value === "bigint") return hashOfLong(value);
  if (typeof value === "boolean") return value ? 1231 : 1237;
  if (typeof value === "string") return hashOfText(value);
  if (value instanceof Double) return hashOfDouble(value);
  if (value instanceof Decimal) return (Math.imul(31, hashOfUnscaled(value.unscaled)) + value.scale) | 0;
  if (value instanceof BigInteger) return hashOfBig(value.value);
  if (isList(value) || value instanceof Range) {
    let hash = 1;
    for (const each of isList(value) ? value : value.items()) hash = (Math.imul(31, hash) + hashOf(each)) | 0;
    return hash;
  }
  if (value instanceof MapEntry) return hashOf(value.entryKey) ^ hashOf(value.value);
  let sum = 0;
  if (value instanceof GroovySet) {
    for (const each of value.unordered()) sum = (sum + hashOf(each)) | 0;
    return sum;
  }
  if (value instanceof GroovyMap) {
    for (const [key, each] of value.entries()) sum = (sum + (hashOf(key) ^ hashOf(each))) | 0;
    return sum;
  }
  // Java hashes the text of paths and the like; of other things any number that is always the same.
  return hashOfText(value.type === "Path" ? value.text() : value.key());
}

function hashOfText(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

function hashOfLong(value: bigint): number {
  return Number(BigInt.asIntN(32, value ^ (BigInt.asUintN(64, value) >> 32n)));
}

function hashOfDouble({ type, value }: Double): number {
  const view = new DataView(new ArrayBuffer(8));
  if (type === "Float") {
    view.setFloat32(0, value);
    return view.getInt32(0);
  }
  view.setFloat64(0, value);
  return view.getInt32(0) ^ view.getInt32(4);
}

function hashOfUnscaled(value: bigint): number {
  if (BigInt.asIntN(64, value) !== value) return hashOfBig(value);
  const size = value < 0n ? -value : value;
  const hash = (Math.imul(Number(BigInt.asIntN(32, size >> 32n)), 31) + Number(BigInt.asIntN(32, size))) | 0;
  return value < 0n ? -hash | 0 : hash;
}

function hashOfBig(value: bigint): number {
  const words: number[] = [];
  for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 32n)
    words.unshift(Number(BigInt.asIntN(32, rest)));
  let hash = 0;
  for (const word of words) hash = (Math.imul(31, hash) + word) | 0;
  return value < 0n ? -hash | 0 : hash;
}
