/**
 * Memoir's mark on a row: what it was stored for (model, release, columns), where it came from, when, and which of its
 * texts are null. It is inside the value, behind the JSON array, written in the four characters that JSON takes as
 * blank. A JSON reader such as Ersilia's does not see it; it is written in the same command as the row, so a crash
 * cannot part them; and when Ersilia writes the row again the mark disappears with the row that it described.
 *
 *   1 byte   format: 1, or 3 where null bits follow
 *   5 bytes  scope: the first bytes of the sha-256 of the scope's identity
 *   4 bytes  origin: the first bytes of the sha-256 of the provenance's JSON (0 = none); the JSON is kept in memoir:<model>:origins
 *   4 bytes  stored at, seconds since 1970
 *   n bytes  null bits, where a column of texts holds null: one bit per column, from the lowest
 *
 * Each byte is four blanks, two bits each, highest first.
 */
import { hash } from "node:crypto";

const blanks = " \t\n\r";
const formatPlain = 1;
const formatWithNulls = 3;
const formatBytes = 1;
const scopeBytes = 5;
const originBytes = 4;
const timeBytes = 4;
const leastBytes = formatBytes + scopeBytes + originBytes + timeBytes;
/** Blanks that a mark has at least. */
export const markLength = 4 * leastBytes;

export interface Mark {
  readonly scope: string;
  /** undefined = none. */
  readonly origin: string | undefined;
  readonly storedAtSeconds: number;
  /** One bit per column, or undefined when no text is null. */
  readonly nulls: Buffer | undefined;
}

/** 10 hex digits. */
export function scopeTag(scopeIdentity: string): string {
  return hash("sha256", scopeIdentity, "hex").slice(0, 2 * scopeBytes);
}

/** 8 hex digits, never all zero. */
export function originTag(provenanceJson: string): string {
  const tag = hash("sha256", provenanceJson, "hex").slice(0, 2 * originBytes);
  return /^0*$/.test(tag) ? "00000001" : tag;
}

export function markText(mark: Mark): string {
  const time = Buffer.alloc(timeBytes);
  time.writeUInt32BE(mark.storedAtSeconds);
  const bytes = Buffer.concat([
    Buffer.of(mark.nulls === undefined ? formatPlain : formatWithNulls),
    Buffer.from(mark.scope, "hex"),
    Buffer.from(mark.origin ?? "00000000", "hex"),
    time,
    mark.nulls ?? Buffer.alloc(0),
  ]);
  let text = "";
  for (const byte of bytes)
    for (let shift = 6; shift >= 0; shift -= 2) text += blanks.charAt((byte >> shift) & 3);
  return text;
}

/** Reads the blanks behind the JSON array; undefined when they are not a mark. */
export function readMark(text: string): Mark | undefined {
  if (text.length < markLength || text.length % 4 !== 0) return undefined;
  const bytes = Buffer.alloc(text.length / 4);
  for (let i = 0; i < text.length; i++) {
    const bits = blanks.indexOf(text.charAt(i));
    if (bits < 0) return undefined;
    bytes[i >> 2] = ((bytes[i >> 2] ?? 0) << 2) | bits;
  }
  const hasNulls = bytes.length > leastBytes;
  if (bytes[0] !== (hasNulls ? formatWithNulls : formatPlain)) return undefined;
  const originAt = formatBytes + scopeBytes;
  const origin = bytes.toString("hex", originAt, originAt + originBytes);
  return {
    scope: bytes.toString("hex", formatBytes, originAt),
    origin: /^0*$/.test(origin) ? undefined : origin,
    storedAtSeconds: bytes.readUInt32BE(originAt + originBytes),
    nulls: hasNulls ? bytes.subarray(leastBytes) : undefined,
  };
}

/** The bits of the columns that `isNull`; undefined when there are none. */
export function nullBits(columns: number, isNull: (column: number) => boolean): Buffer | undefined {
  let bits: Buffer | undefined;
  for (let column = 0; column < columns; column++) {
    if (!isNull(column)) continue;
    bits ??= Buffer.alloc(Math.ceil(columns / 8));
    bits[column >> 3] = (bits[column >> 3] ?? 0) | (1 << (column & 7));
  }
  return bits;
}

export function hasNullBit(bits: Buffer | undefined, column: number): boolean {
  return bits !== undefined && (((bits[column >> 3] ?? 0) >> (column & 7)) & 1) === 1;
}
