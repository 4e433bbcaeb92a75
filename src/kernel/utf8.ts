/** Text of bytes that somebody else wrote. Replacing what is not UTF-8 would silently make it another text. */
import { isUtf8 } from "node:buffer";

/** undefined for bytes that are not UTF-8. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** The same for the beginning of a longer text: a character that was cut at the end is left out. */
export function utf8Beginning(bytes: Uint8Array): string | undefined {
  let end = bytes.length;
  // A character has at most four bytes, and all but its first begin with the bits 10.
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (length > back) end = bytes.length - back;
    break;
  }
  return utf8Text(bytes.subarray(0, end));
}
