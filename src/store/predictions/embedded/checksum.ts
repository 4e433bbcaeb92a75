/**
 * The checksum of embedded records: MurmurHash3's 32-bit mixing, word by word, because a look-up has about a
 * microsecond and a call into native code costs a tenth of it. It finds torn and foreign bytes; it is not a defence
 * against somebody who wants to forge a record.
 */

/** Hash of an input's UTF-16 code units. Seeds the record's checksum, which binds a record to its input. */
export function hashInput(input: string): number {
  let hash = inputHashStart;
  for (let i = 0; i < input.length; i++) hash = stepInputHash(hash, input.charCodeAt(i));
  return hash;
}

export const inputHashStart = 0x811c9dc5 | 0;

/** FNV-1a over code units: one multiplication per character, so that the key encoder can do it in passing. */
export function stepInputHash(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193);
}

/** Checksum over `[start, end)`, as an unsigned 32-bit integer. */
export function checksum(view: DataView, start: number, end: number, seed: number): number {
  let hash = seed;
  let at = start;
  for (; at + 4 <= end; at += 4) hash = mixWord(hash, view.getUint32(at, true));
  let rest = 0;
  for (let shift = 0; at < end; at++, shift += 8) rest |= view.getUint8(at) << shift;
  hash = mixWord(hash, rest) ^ (end - start);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixWord(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = hash ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}
