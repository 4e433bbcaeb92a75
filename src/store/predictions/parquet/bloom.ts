/**
 * Split-block bloom filters over keys, as the Parquet format defines them (BloomFilter.md of apache/parquet-format):
 * blocks of eight 32-bit words, XXH64 with seed 0 over the plain bytes. Keys are always 32 bytes (MD5 in hex), so the
 * hash is written for that length only, in 32-bit steps: ten times faster than with BigInt.
 */
const blockBytes = 32;
const salt = [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31];

export interface KeyHash {
  readonly high: number;
  readonly low: number;
}

/** One byte per row, rounded up to a power of two: a false positive in 30 to 200 look-ups. */
export function bloomBytesFor(rows: number): number {
  let bytes = blockBytes;
  while (bytes < rows && bytes < 128 << 20) bytes *= 2;
  return bytes;
}

export function bloomInsert(filter: Uint32Array, { high, low }: KeyHash): void {
  const block = blockOf(filter.length / 8, high) * 8;
  for (let word = 0; word < 8; word++) {
    const at = block + word;
    filter[at] = (filter[at] ?? 0) | (1 << (Math.imul(low, salt[word] ?? 0) >>> 27));
  }
}

/** false = the key is not there; true = it may be. */
export function bloomMayHold(filter: Uint32Array, { high, low }: KeyHash): boolean {
  const block = blockOf(filter.length / 8, high) * 8;
  for (let word = 0; word < 8; word++) {
    if (((filter[block + word] ?? 0) & (1 << (Math.imul(low, salt[word] ?? 0) >>> 27))) === 0) return false;
  }
  return true;
}

/** (high * blocks) >> 32, exactly: blocks is at most 2^22, so the product stays below 2^54. */
function blockOf(blocks: number, high: number): number {
  const product = (high >>> 0) * blocks;
  return Math.floor(product / 0x100000000);
}

/** A hasher of 32-character ASCII keys. Its state is its own; make one per file. */
export function createKeyHasher(): (key: string) => KeyHash {
  // A 64-bit number is a pair of 32-bit halves; `high` and `low` hold the running one.
  let high = 0;
  let low = 0;

  const set = (h: number, l: number) => {
    high = h;
    low = l;
  };
  const add = (h: number, l: number) => {
    const sum = (low >>> 0) + (l >>> 0);
    low = sum | 0;
    high = (high + h + (sum > 0xffffffff ? 1 : 0)) | 0;
  };
  const xor = (h: number, l: number) => {
    high ^= h;
    low ^= l;
  };
  const multiply = (h: number, l: number) => {
    const a0 = low & 0xffff;
    const a1 = low >>> 16;
    const b0 = l & 0xffff;
    const b1 = l >>> 16;
    const p00 = a0 * b0;
    const p01 = a0 * b1;
    const p10 = a1 * b0;
    const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
    const carry = a1 * b1 + Math.floor(p01 / 0x10000) + Math.floor(p10 / 0x10000) + (middle >>> 16);
    high = (Math.imul(high, l) + Math.imul(low, h) + carry) | 0;
    low = Math.imul(low, l);
  };
  const rotate = (bits: number) => {
    const h = (high << bits) | (low >>> (32 - bits));
    low = (low << bits) | (high >>> (32 - bits));
    high = h;
  };
  const round = (h: number, l: number) => {
    // h:l is the lane; the accumulator is the running number.
    const keepHigh = high;
    const keepLow = low;
    set(h, l);
    multiply(p2h, p2l);
    add(keepHigh, keepLow);
    rotate(31);
    multiply(p1h, p1l);
  };

  return (key) => {
    const lane = (at: number): [number, number] => [word(key, at + 4), word(key, at)];
    const accumulators: [number, number][] = [];
    const starts: readonly [number, number][] = [
      [0x60ea27ee, 0xadc0b5d6 | 0],
      [p2h, p2l],
      [0, 0],
      [0x61c8864e, 0x7a143579],
    ];
    for (let i = 0; i < 4; i++) {
      const [startHigh, startLow] = starts[i] ?? [0, 0];
      set(startHigh, startLow);
      round(...lane(i * 8));
      accumulators.push([high, low]);
    }
    const total: [number, number] = [0, 0];
    const turns = [1, 7, 12, 18];
    for (let i = 0; i < 4; i++) {
      set(...(accumulators[i] ?? [0, 0]));
      rotate(turns[i] ?? 0);
      add(...total);
      total[0] = high;
      total[1] = low;
    }
    for (const accumulator of accumulators) {
      set(0, 0);
      round(...accumulator);
      xor(...total);
      multiply(p1h, p1l);
      add(p4h, p4l);
      total[0] = high;
      total[1] = low;
    }
    set(...total);
    add(0, 32);
    xor(0, high >>> 1); // h ^= h >>> 33
    multiply(p2h, p2l);
    xor(high >>> 29, (low >>> 29) | (high << 3)); // h ^= h >>> 29
    multiply(p3h, p3l);
    xor(0, high); // h ^= h >>> 32
    return { high, low };
  };
}

function word(key: string, at: number): number {
  return (
    key.charCodeAt(at) |
    (key.charCodeAt(at + 1) << 8) |
    (key.charCodeAt(at + 2) << 16) |
    (key.charCodeAt(at + 3) << 24)
  );
}

// The primes of XXH64, as halves.
const [p1h, p1l] = [0x9e3779b1 | 0, 0x85ebca87 | 0];
const [p2h, p2l] = [0xc2b2ae3d | 0, 0x27d4eb4f];
const [p3h, p3l] = [0x165667b1, 0x9e3779f9 | 0];
const [p4h, p4l] = [0x85ebca77 | 0, 0xc2b2ae63 | 0];
