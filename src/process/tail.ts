/** The last part of a stream, in bounded memory. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

export class Tail {
  readonly #limitBytes: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #truncated = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    // Cutting at twice the limit keeps the cost per byte constant however small the chunks are.
    if (this.#size > 2 * this.#limitBytes) this.#cut();
  }

  /** UTF-8 text; a character cut in half at the front is left out. */
  end(): { readonly text: string; readonly truncated: boolean } {
    this.#cut();
    return { text: decode(Buffer.concat(this.#chunks), this.#truncated), truncated: this.#truncated };
  }

  #cut(): void {
    if (this.#size <= this.#limitBytes) return;
    const all = Buffer.concat(this.#chunks);
    const kept = Buffer.from(all.subarray(all.length - this.#limitBytes));
    this.#chunks = [kept];
    this.#size = kept.length;
    this.#truncated = true;
  }
}

/**
 * The last `limitBytes` of a file as text. A program that owns the folder may have put something else in its place: a
 * pipe would never be read to its end, and a link would show a file that the program itself may not read.
 */
export async function readTail(
  path: string,
  limitBytes: number,
): Promise<{ readonly text: string; readonly truncated: boolean }> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new Error(`reading ${path}: not a regular file`);
    const { size } = facts;
    const length = Math.min(size, limitBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const truncated = size > length;
    return { text: decode(buffer.subarray(0, bytesRead), truncated), truncated };
  } finally {
    await file.close();
  }
}

function decode(bytes: Buffer, truncated: boolean): string {
  let start = 0;
  if (truncated) while (start < bytes.length && start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.toString("utf8", start);
}
