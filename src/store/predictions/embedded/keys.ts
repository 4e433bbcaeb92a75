/**
 * Keys of the embedded store: four bytes of scope number, then the input in UTF-8, so that one scope is one range and
 * equal beginnings share pages. Inputs that are too long for a key, or that UTF-8 cannot hold, become 0xff (a byte
 * that UTF-8 never starts with) and their sha-256; their records keep the input.
 */
import { hash } from "node:crypto";
import { hashInput, inputHashStart, stepInputHash } from "./checksum.ts";

/** The library allows 1,978 bytes. */
const longestPlainKey = 1900;
const prefixBytes = 4;
const hashedMark = 0xff;

/** An input of the codec's current scope, or the bytes of a whole key. */
export type RowKey = string | Uint8Array;

/**
 * Encodes keys straight into the library's buffer. Encoding an input also hashes it, which the checksum of its record
 * needs.
 */
export interface KeyCodec {
  readonly encoder: {
    writeKey(key: RowKey, target: Uint8Array, start: number): number;
    /** The input of a plain key; a copy of the whole key where only the record knows the input. */
    readKey(source: Uint8Array, start: number, end: number): RowKey;
  };
  /** Number of the scope that string keys belong to; set before a run of gets or puts. */
  scope: number;
  /** `hashInput` of the string key that was written last. */
  inputHash: number;
}

export function createKeyCodec(): KeyCodec {
  const codec: KeyCodec = {
    scope: 0,
    inputHash: 0,
    encoder: {
      writeKey(key, target, start) {
        if (typeof key !== "string") {
          target.set(key, start);
          return start + key.length;
        }
        const { scope } = codec;
        target[start] = scope >>> 24;
        target[start + 1] = scope >>> 16;
        target[start + 2] = scope >>> 8;
        target[start + 3] = scope;
        const body = start + prefixBytes;
        const { length } = key;
        if (length <= longestPlainKey) {
          // Nearly every input is ASCII: bytes and hash in one pass, without a call into native code.
          let hashed = inputHashStart;
          let i = 0;
          for (; i < length; i++) {
            const unit = key.charCodeAt(i);
            if (unit > 127) break;
            target[body + i] = unit;
            hashed = stepInputHash(hashed, unit);
          }
          if (i === length) {
            codec.inputHash = hashed;
            return body + length;
          }
        }
        codec.inputHash = hashInput(key);
        const bytes = wholeKeyBody(key);
        target.set(bytes, body);
        return body + bytes.length;
      },
      readKey: (source, start, end) =>
        source[start + prefixBytes] === hashedMark && end > start + prefixBytes
          ? Uint8Array.prototype.slice.call(source, start, end)
          : Buffer.prototype.toString.call(source, "utf8", start + prefixBytes, end),
    },
  };
  return codec;
}

/** Whether the key cannot give the input back, so that the record must keep it. */
export function isHashedInput(input: string): boolean {
  if (input.length <= longestPlainKey / 3 && ascii.test(input)) return false;
  return Buffer.byteLength(input) > longestPlainKey || loneSurrogate.test(input);
}

/** First key of a scope's range; the range ends where the next scope's starts. */
export function scopeStart(scope: number): Buffer {
  const bytes = Buffer.alloc(prefixBytes);
  bytes.writeUInt32BE(scope);
  return bytes;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: every ASCII character counts
const ascii = /^[\u0000-\u007f]*$/;
const loneSurrogate = /\p{Surrogate}/u;

function wholeKeyBody(input: string): Uint8Array {
  if (!isHashedInput(input)) return Buffer.from(input, "utf8");
  // UTF-16 because two malformed texts may have one UTF-8 form.
  const digest = hash("sha256", Buffer.from(input, "utf16le"), "buffer");
  return Buffer.concat([Buffer.of(hashedMark), digest]);
}
