import { readBloomFilter, sbbfContains } from "hyparquet/src/bloom.js";
import { xxhash64 } from "hyparquet/src/xxhash.js";
import { describe, expect, test } from "vitest";
import { md5Hex } from "../../../hash/index.ts";
import { bloomBytesFor, bloomInsert, bloomMayHold, createKeyHasher } from "./bloom.ts";

const keys = Array.from({ length: 5_000 }, (_, i) => md5Hex(`input ${i}`));

describe("bloom filters over keys", () => {
  test("the hash is XXH64, as an independent implementation computes it", () => {
    const hash = createKeyHasher();
    for (const key of keys.slice(0, 500)) {
      const { high, low } = hash(key);
      const ours = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
      expect(ours).toBe(xxhash64(Buffer.from(key)));
    }
  });

  test("what was put in is found, by an independent implementation too, and little else", () => {
    const hash = createKeyHasher();
    const filter = new Uint32Array(bloomBytesFor(keys.length) / 4);
    for (const key of keys) bloomInsert(filter, hash(key));
    expect(keys.every((key) => bloomMayHold(filter, hash(key)))).toBe(true);
    expect(keys.slice(0, 200).every((key) => sbbfContains(filter, xxhash64(Buffer.from(key))))).toBe(true);
    const strangers = Array.from({ length: 5_000 }, (_, i) => md5Hex(`stranger ${i}`));
    expect(strangers.filter((key) => bloomMayHold(filter, hash(key))).length).toBeLessThan(200);
    expect(typeof readBloomFilter).toBe("function");
  });
});
