/**
 * The order in which `collectFile` puts items by default: by the first half of their 128-bit murmur value.
 * For nothing else: keys of results are made of cryptographic digests.
 */
import { Double } from "../values/double.ts";
import { GroovyMap } from "../values/map.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";

const c1 = 0x87c37b91114253d5n;
const c2 = 0x4cf5ad432745937fn;
const wide = (value: bigint) => BigInt.asUintN(64, value);
const turned = (value: bigint, by: bigint) => wide((value << by) | (value >> (64n - by)));

function mixed(value: bigint): bigint {
  let k = value;
  k = wide((k ^ (k >> 33n)) * 0xff51afd7ed558ccdn);
  k = wide((k ^ (k >> 33n)) * 0xc4ceb9fe1a85ec53n);
  return k ^ (k >> 33n);
}

export function murmur(bytes: Buffer): { readonly first: bigint; readonly second: bigint } {
  let [h1, h2] = [0n, 0n];
  const whole = bytes.length - (bytes.length % 16);
  for (let at = 0; at < whole; at += 16) {
    h1 ^= wide(turned(wide(bytes.readBigUInt64LE(at) * c1), 31n) * c2);
    h1 = wide(wide(turned(h1, 27n) + h2) * 5n + 0x52dce729n);
    h2 ^= wide(turned(wide(bytes.readBigUInt64LE(at + 8) * c2), 33n) * c1);
    h2 = wide(wide(turned(h2, 31n) + h1) * 5n + 0x38495ab5n);
  }
  const tail = Buffer.alloc(16);
  bytes.copy(tail, 0, whole);
  h2 ^= wide(turned(wide(tail.readBigUInt64LE(8) * c2), 33n) * c1);
  h1 ^= wide(turned(wide(tail.readBigUInt64LE(0) * c1), 31n) * c2);
  h1 ^= BigInt(bytes.length);
  h2 ^= BigInt(bytes.length);
  h1 = wide(h1 + h2);
  h2 = wide(h2 + h1);
  h1 = mixed(h1);
  h2 = mixed(h2);
  h1 = wide(h1 + h2);
  h2 = wide(h2 + h1);
  return { first: h1, second: h2 };
}

export function murmurOrder(value: Value): bigint {
  return BigInt.asIntN(64, murmur(Buffer.concat(bytesOf(value))).first);
}

function bytesOf(value: Value): Buffer[] {
  if (value === null) return [];
  if (typeof value === "string") return [Buffer.from(value, "utf16le")];
  if (typeof value === "boolean") return [Buffer.from([value ? 1 : 0])];
  const eight = Buffer.alloc(8);
  if (typeof value === "number") {
    eight.writeInt32LE(value);
    return [eight.subarray(0, 4)];
  }
  if (typeof value === "bigint") {
    eight.writeBigInt64LE(value);
    return [eight];
  }
  if (value instanceof Double) {
    eight.writeDoubleLE(value.value);
    return [eight];
  }
  if (isList(value)) return value.flatMap(bytesOf);
  if (value instanceof GroovyMap) {
    const total = Buffer.alloc(16);
    for (const pair of value.entries()) {
      const { first, second } = murmur(Buffer.concat(pair.flatMap(bytesOf)));
      const digest = Buffer.alloc(16);
      digest.writeBigUInt64LE(first, 0);
      digest.writeBigUInt64LE(second, 8);
      for (let i = 0; i < 16; i++) total[i] = ((total[i] ?? 0) + (digest[i] ?? 0)) & 255;
    }
    return [total];
  }
  return [Buffer.from(textOf(value), "utf16le")];
}
