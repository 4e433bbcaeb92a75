/** Parts of the output of a task, which may be large and may be written while it is read. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

const mostBytes = 256 * 1024;

/** Text from a byte on; a letter that is not complete yet is left for the next time. undefined = there is no file. */
export async function readOutput(
  path: string,
  from: number,
): Promise<
  { readonly text: string; readonly from: number; readonly next: number; readonly size: number } | undefined
> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW).catch(
    () => undefined,
  );
  if (file === undefined) return undefined;
  try {
    const facts = await file.stat();
    if (!facts.isFile()) return undefined;
    const { size } = facts;
    const length = Math.max(0, Math.min(size - from, mostBytes));
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
    const end = from + bytesRead === size ? bytesRead : wholeLetters(buffer.subarray(0, bytesRead));
    return { text: buffer.toString("utf8", 0, end), from, next: from + end, size };
  } finally {
    await file.close();
  }
}

/** Without the first bytes of a letter that the end cuts. */
function wholeLetters(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
