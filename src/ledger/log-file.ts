/**
 * A log stream as a file, for what may be large: what a task says. One event is one line, `<13 digits of epoch
 * milliseconds> <message>`, so people can read it too. Positions are byte offsets of lines: they never change, since
 * lines are only added. Whoever reads takes a bounded part of the file, however large it is.
 */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { systemErrorCode } from "../kernel/index.ts";
import { emptyPage, type LogPage, type LogWindow, type PlacedLine, pageBytes, sizeOf } from "./log-window.ts";

/** `1234567890123 ` */
const stampLength = 14;
const smallRead = 64 * 1024;
/** Holds two lines of the largest size, and a page. */
const largeRead = 3 * pageBytes;

/** Bytes; whoever writes cuts lines that are longer, before they are twice as long. */
export const longestLine = 256 * 1024;

/** Appends to a stream's file; the file is there from the first line on. */
export class LogFileWriter {
  readonly #path: string;
  readonly #onWrite: () => number;
  #file: number | undefined;

  /** `onWrite` answers the time of what is written now, in epoch milliseconds. */
  constructor(path: string, onWrite: () => number) {
    this.#path = path;
    this.#onWrite = onWrite;
  }

  /**
   * Whole lines, the last one without its line feed. They are in the file when this returns, so that nobody who looks
   * at several streams sees a later line of another one first.
   */
  write(lines: Buffer): void {
    const file = this.#opened();
    const before = fstatSync(file).size;
    const stamp = `${String(this.#onWrite()).padStart(stampLength - 1, "0")} `;
    // Byte by byte: latin1 leaves every byte as it is.
    const text = `${stamp}${lines.toString("latin1").replaceAll("\n", `\n${stamp}`)}\n`;
    const bytes = Buffer.from(text, "latin1");
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    } catch (error) {
      // Half a line would run into the next one.
      ftruncateSync(file, before);
      throw error;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #opened(): number {
    if (this.#file === undefined) {
      mkdirSync(dirname(this.#path), { recursive: true });
      this.#file = openSync(this.#path, "a", 0o600);
    }
    return this.#file;
  }
}

export async function readLogFile(path: string, window: LogWindow): Promise<LogPage> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    // Nothing was said yet, or somebody tidied up.
    if (systemErrorCode(error) === "ENOENT") return emptyPage(window);
    throw error;
  }
  try {
    const { size } = await file.stat();
    const first = window.since === undefined ? 0 : await lineAtOrAfter(file, window.since, size);
    const end = window.until === undefined ? size : await lineAtOrAfter(file, window.until, size);
    const range = {
      start: Math.max(first, window.from ?? 0),
      end: Math.min(end, window.before ?? size),
    };
    if (range.start >= range.end) return emptyPage(window);
    const lines = window.newest
      ? await lastLines(file, range, window.limit)
      : await firstLines(file, range, window.limit);
    const [one, last] = [lines[0], lines.at(-1)];
    if (one === undefined || last === undefined) return emptyPage(window);
    return { lines, previous: one.start, next: last.end };
  } finally {
    await file.close();
  }
}

interface Range {
  /** Of a line's first byte. */
  readonly start: number;
  readonly end: number;
}

async function firstLines(file: FileHandle, range: Range, limit: number): Promise<readonly PlacedLine[]> {
  for (const most of [smallRead, largeRead]) {
    const bytes = await readAt(file, range.start, Math.min(range.end, range.start + most));
    const lines = fitting(linesIn(bytes, range.start), limit);
    const whole = range.start + bytes.length >= range.end;
    if (whole || lines.length === limit || most === largeRead) return lines;
  }
  return [];
}

async function lastLines(file: FileHandle, range: Range, limit: number): Promise<readonly PlacedLine[]> {
  for (const most of [smallRead, largeRead]) {
    const from = Math.max(range.start, range.end - most);
    const bytes = await readAt(file, from, range.end);
    // The first line may have been cut in half.
    const skipped = from === range.start ? 0 : bytes.indexOf(0x0a) + 1;
    const found = linesIn(bytes.subarray(skipped), from + skipped).reverse();
    const lines = fitting(found, limit);
    if (from === range.start || lines.length === limit || most === largeRead) return lines.reverse();
  }
  return [];
}

/** As many as make up a page, from the front. */
function fitting(lines: readonly PlacedLine[], limit: number): PlacedLine[] {
  const fit: PlacedLine[] = [];
  let bytes = 0;
  for (const line of lines) {
    bytes += sizeOf(line);
    if (fit.length === limit || (bytes > pageBytes && fit.length > 0)) break;
    fit.push(line);
  }
  return fit;
}

/** A last line without line feed is still being written: it is not there yet. */
function linesIn(bytes: Buffer, offset: number): PlacedLine[] {
  const lines: PlacedLine[] = [];
  for (let start = 0; ; ) {
    const feed = bytes.indexOf(0x0a, start);
    if (feed < 0) return lines;
    lines.push({
      at: Number(bytes.toString("latin1", start, start + stampLength - 1)),
      message: bytes.toString("utf8", start + stampLength, feed),
      start: offset + start,
      end: offset + feed + 1,
    });
    start = feed + 1;
  }
}

/** Position of the first line of this time or a later one; `size` when there is none. Times never go back. */
async function lineAtOrAfter(file: FileHandle, at: number, size: number): Promise<number> {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const line = await lineStart(file, middle, high);
    if (line < high && (await timeAt(file, line)) < at) low = line + 1;
    else high = middle;
  }
  return lineStart(file, low, size);
}

/** The first line that starts at this byte or after it; `end` when there is none before it. */
async function lineStart(file: FileHandle, at: number, end: number): Promise<number> {
  if (at === 0) return 0;
  for (let from = at - 1; from < end; from += smallRead) {
    const bytes = await readAt(file, from, Math.min(end, from + smallRead));
    const feed = bytes.indexOf(0x0a);
    if (feed >= 0) return Math.min(end, from + feed + 1);
    if (bytes.length === 0) break;
  }
  return end;
}

async function timeAt(file: FileHandle, line: number): Promise<number> {
  return Number((await readAt(file, line, line + stampLength - 1)).toString("latin1"));
}

async function readAt(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const length = Math.max(0, to - from);
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, from);
  return buffer.subarray(0, bytesRead);
}
