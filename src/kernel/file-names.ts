/**
 * Names of files as texts. A name on disk is bytes, and not every one is UTF-8; a byte that is not part of valid UTF-8
 * becomes one lone surrogate, U+DC80 + (byte - 0x80), as Python's `surrogateescape` has it. Valid UTF-8 never decodes
 * to a lone surrogate, so the text of one name is never that of another, and the bytes come back exactly. JSON keeps
 * such texts (`"caf\udce9"`).
 *
 * Whatever hands a text to the file system must go through `onDisk`: Node writes a lone surrogate as U+FFFD, which is
 * another name.
 */

const loneSurrogate = /\p{Surrogate}/u;
const first = 0xdc80;
const last = 0xdcff;

/** Whether a text stands for bytes that are not UTF-8 (or is not text that UTF-8 can write). */
export function isIllFormed(text: string): boolean {
  return loneSurrogate.test(text);
}

/** The text of a name as the file system has it. */
export function nameOfBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString("utf8");
  // Only where decoding replaced something is there anything to keep.
  if (!text.includes("\ufffd") || Buffer.from(text).equals(buffer)) return text;
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < buffer.length; ) {
    const length = sequenceAt(buffer, at);
    if (length > 0) {
      at += length;
      continue;
    }
    parts.push(buffer.toString("utf8", from, at), String.fromCharCode(first - 0x80 + (buffer[at] ?? 0)));
    from = ++at;
  }
  parts.push(buffer.toString("utf8", from));
  return parts.join("");
}

/** The bytes of a text in which lone surrogates may stand for bytes. */
export function bytesOfText(text: string): Buffer {
  if (!isIllFormed(text)) return Buffer.from(text);
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < first || unit > last || isHighSurrogate(text.charCodeAt(at - 1))) continue;
    parts.push(Buffer.from(text.slice(from, at)), Buffer.of(unit - first + 0x80));
    from = at + 1;
  }
  parts.push(Buffer.from(text.slice(from)));
  return Buffer.concat(parts);
}

/** A path as the functions of `node:fs` have to be given it. */
export function onDisk(path: string): string | Buffer {
  return isIllFormed(path) ? bytesOfText(path) : path;
}

/** For messages: bytes that are not UTF-8 as `\xe9`. */
export function shownName(name: string): string {
  if (!isIllFormed(name)) return name;
  return [...name]
    .map((char) => {
      const unit = char.charCodeAt(0);
      return char.length === 1 && unit >= first && unit <= last ? `\\x${(unit - 0xdc00).toString(16)}` : char;
    })
    .join("");
}

/** `charCodeAt` answers NaN before the beginning. */
function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Length of the valid UTF-8 sequence that begins here; 0 for none. Overlong forms and surrogates are not valid. */
function sequenceAt(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const second = bytes[at + 1] ?? 0;
  const length =
    lead >= 0xc2 && lead <= 0xdf
      ? 2
      : lead >= 0xe0 && lead <= 0xef
        ? 3
        : lead >= 0xf0 && lead <= 0xf4
          ? 4
          : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let i = 2; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}
