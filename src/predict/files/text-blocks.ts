/**
 * Reads a UTF-8 file as blocks of text, cut at line breaks (the last one need not end in one) or, for JSON, between any
 * two characters. Only one block and an incomplete line are in memory. A byte order mark is dropped; UTF-16 and broken UTF-8 are refused by name.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { AppError, type Ask, checkAsk, messageOf, systemErrorCode } from "../../kernel/index.ts";

export interface TextBlock {
  readonly text: string;
  /** Bytes of the file consumed, this block included; of a packed file about so many. */
  readonly bytesRead: number;
  readonly last: boolean;
}

/** Longest cell (and so the longest line) that is accepted, in bytes. */
export const longestCellBytes = 8 << 20;
const readBytes = 1 << 20;
const lineFeed = 10;

export interface TextBlocksRequest {
  /** With a stream: what it is called in messages. */
  readonly path: string;
  /** Read instead of a file, up to its end; destroyed when reading stops before. */
  readonly stream?: Readable;
  readonly cut: "at-line-breaks" | "between-characters";
  /** Longest line that is accepted. Default 8 MiB. */
  readonly longestLineBytes?: number;
  /** Default: the file is the text. */
  readonly packing?: "gzip";
}

export async function* textBlocks(request: TextBlocksRequest, ask: Ask): AsyncGenerator<TextBlock, void> {
  const { path, cut, longestLineBytes = longestCellBytes } = request;
  const source = await sourceOf(request, ask);
  try {
    let carry: Buffer = Buffer.alloc(0);
    let consumed = 0;
    let first = true;
    for (;;) {
      checkAsk(ask, `reading ${path}`);
      const piece = await source.next();
      const bytes = carry.length === 0 ? piece : Buffer.concat([carry, piece]);
      const last = piece.length === 0;
      const end = last
        ? bytes.length
        : cut === "at-line-breaks"
          ? bytes.lastIndexOf(lineFeed) + 1
          : wholeCharacters(bytes);
      carry = bytes.subarray(end);
      if (carry.length > longestLineBytes) throw tooLong(path, consumed + end);
      if (end === 0 && !last) continue;
      const body = first ? withoutMark(bytes.subarray(0, end), path) : bytes.subarray(0, end);
      first = false;
      const start = consumed;
      consumed += end;
      yield { text: decode(body, path, start), bytesRead: source.bytesRead?.() ?? consumed, last };
      if (last) return;
    }
  } finally {
    await source.close();
  }
}

/** Where pieces come from; an empty one is the end. */
interface Pieces {
  next(): Promise<Buffer>;
  /** Where it is not the length of the pieces. */
  bytesRead?(): number;
  close(): Promise<void>;
}

async function sourceOf({ path, stream, packing }: TextBlocksRequest, ask: Ask): Promise<Pieces> {
  if (stream !== undefined) return streamed(stream, path, ask);
  const file = await openForReading(path);
  if (packing !== "gzip") return { next: () => readPiece(file), close: () => file.close() };
  const packed = unpacked(file, path);
  return {
    ...packed,
    close: async () => {
      packed.close();
      await file.close();
    },
  };
}

/** A stream may be silent for as long as it likes; whoever stops the run is not kept waiting by it. */
function streamed(stream: Readable, path: string, ask: Ask): Pieces {
  const pieces = stream.iterator({ destroyOnReturn: false });
  const stopped = new Promise<"stopped">((resolve) => {
    if (ask.signal.aborted) resolve("stopped");
    ask.signal.addEventListener("abort", () => resolve("stopped"), { once: true });
  });
  const nextPiece = async (): Promise<Buffer> => {
    for (;;) {
      const piece = pieces.next();
      piece.catch(() => undefined); // Nobody waits for it after a stop.
      const got = await Promise.race([piece, stopped]);
      if (got === "stopped") {
        checkAsk(ask, `reading ${path}`);
        throw new AppError("FILE_NOT_READABLE", `cannot read ${path}: reading was stopped`);
      }
      if (got.done === true) return Buffer.alloc(0);
      const bytes: Buffer = typeof got.value === "string" ? Buffer.from(got.value) : got.value;
      if (bytes.length > 0) return bytes;
    }
  };
  return {
    next: async () => {
      try {
        return await nextPiece();
      } catch (error) {
        if (error instanceof AppError) throw error;
        const words = `cannot read the inputs from ${path}: ${systemErrorCode(error) ?? messageOf(error)}`;
        throw new AppError("FILE_NOT_READABLE", words, { cause: error });
      }
    },
    close: async () => {
      stream.destroy();
    },
  };
}

/** Pieces of what is inside a gzip file; an empty one is the end. */
function unpacked(file: FileHandle, path: string) {
  const source = file.createReadStream({ autoClose: false, highWaterMark: readBytes });
  const gunzip = source.pipe(createGunzip());
  source.on("error", (error) => gunzip.destroy(error));
  const pieces = gunzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return {
    next: async (): Promise<Buffer> => {
      try {
        const { value, done } = await pieces.next();
        return done === true ? Buffer.alloc(0) : (value as Buffer);
      } catch (error) {
        const words = `cannot read ${path}: it cannot be unpacked: ${messageOf(error)}`;
        throw new AppError("PREDICT_INPUT_MALFORMED", words, { cause: error });
      }
    },
    bytesRead: () => source.bytesRead,
    close: () => {
      source.destroy();
      gunzip.destroy();
    },
  };
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, "r");
    if ((await file.stat()).isDirectory()) {
      await file.close();
      throw new AppError(
        "FILE_NOT_READABLE",
        `cannot read the inputs from ${path}: it is a folder, expected a file`,
      );
    }
    return file;
  } catch (error) {
    if (error instanceof AppError) throw error;
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR")
      throw new AppError("FILE_NOT_FOUND", `cannot read the inputs: no file ${path}`, { cause: error });
    throw new AppError(
      "FILE_NOT_READABLE",
      `cannot read the inputs from ${path}: ${code ?? "unknown error"}`,
      {
        cause: error,
      },
    );
  }
}

async function readPiece(file: FileHandle): Promise<Buffer> {
  // A fresh buffer each time: the decoded text of the block before may still be read while this one fills.
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  const { bytesRead } = await file.read(buffer, 0, readBytes, null);
  return buffer.subarray(0, bytesRead);
}

/** Length without a character whose last bytes have not been read yet. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function withoutMark(bytes: Buffer, path: string): Buffer {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.subarray(3);
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    throw new AppError(
      "PREDICT_INPUT_NOT_UTF8",
      `cannot read the inputs from ${path}: got data compressed with gzip, expected text`,
      { hint: "Decompress it first, for example with `zcat file.csv.gz | memoir run -i - -o out.csv`." },
    );
  // Without a mark, every other byte of a plain text is zero. No header and no molecule begins like that.
  if (utf16 || (bytes.length > 1 && (bytes[0] === 0) !== (bytes[1] === 0)))
    throw new AppError(
      "PREDICT_INPUT_NOT_UTF8",
      `cannot read the inputs from ${path}: got UTF-16, expected UTF-8`,
    );
  return bytes;
}

function decode(bytes: Buffer, path: string, start: number): string {
  if (isAscii(bytes)) return bytes.toString("latin1");
  if (isUtf8(bytes)) return bytes.toString("utf8");
  throw new AppError(
    "PREDICT_INPUT_NOT_UTF8",
    `cannot read the inputs from ${path}: line ${brokenLine(bytes)}${start === 0 ? "" : ` after byte ${start}`} is not UTF-8`,
  );
}

function brokenLine(bytes: Buffer): number {
  let line = 1;
  let from = 0;
  for (;;) {
    const end = bytes.indexOf(lineFeed, from);
    if (end < 0 || !isUtf8(bytes.subarray(from, end))) return line;
    from = end + 1;
    line++;
  }
}

function tooLong(path: string, at: number): AppError {
  return new AppError(
    "PREDICT_INPUT_CELL_TOO_LARGE",
    `cannot read the inputs from ${path}: the line that starts at byte ${at} is too long; up to ${longestCellBytes >> 20} MiB are accepted`,
  );
}
