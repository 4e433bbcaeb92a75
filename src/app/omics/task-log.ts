/**
 * Copies the output of a task into its log stream while it runs: both of its streams, line by line, as they grow.
 * Memory is limited to one piece of each; nothing is left out, however much a task writes.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { attemptPaths } from "../../exec/core/index.ts";
import { messageOf, systemErrorCode } from "../../kernel/index.ts";
import { type LogFileWriter, longestLine } from "../../ledger/index.ts";

const lookEveryMs = 250;
const pieceBytes = 256 * 1024;
/** Of one stream before the other one gets a turn. */
const piecesPerTurn = 32;
const lineFeed = 0x0a;

export class TaskLog {
  readonly #sources: readonly Source[];
  readonly #writer: LogFileWriter;
  readonly #onTrouble: (words: string) => void;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<unknown> = Promise.resolve();
  #ended: Promise<void> | undefined;

  /** `directory`: the attempt's. Trouble is reported once and ends the log, never the task. */
  constructor(directory: string, writer: LogFileWriter, onTrouble: (words: string) => void) {
    const { stdout, stderr } = attemptPaths(directory);
    this.#sources = [new Source(stdout), new Source(stderr)];
    this.#writer = writer;
    this.#onTrouble = onTrouble;
    let busy = false;
    this.#timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.#looking = this.#look().finally(() => {
        busy = false;
      });
    }, lookEveryMs);
    this.#timer.unref();
  }

  /** The attempt has ended: resolves when its last line is in the log. */
  end(): Promise<void> {
    this.#ended ??= this.#finish();
    return this.#ended;
  }

  async #finish(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    while (await this.#look());
    this.#guarded(() => {
      for (const source of this.#sources) {
        const rest = source.rest();
        if (rest.length > 0) this.#writer.write(rest);
      }
      this.#writer.close();
    });
    for (const source of this.#sources) await source.close();
  }

  /** Whether there may be more. */
  async #look(): Promise<boolean> {
    let more = false;
    try {
      for (const source of this.#sources)
        for (let piece = 0; piece < piecesPerTurn; piece++) {
          const lines = await source.read();
          if (lines === undefined) break;
          if (lines.length > 0) this.#writer.write(lines);
          more ||= piece === piecesPerTurn - 1;
        }
    } catch (error) {
      this.#give(error);
      return false;
    }
    return more;
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#give(error);
    }
  }

  #give(error: unknown): void {
    clearInterval(this.#timer);
    const first = this.#sources.map((source) => source.giveUp());
    if (first.includes(true)) this.#onTrouble(messageOf(error));
  }
}

/** One file that grows. */
class Source {
  readonly #path: string;
  #file: FileHandle | undefined;
  #position = 0;
  /** The beginning of a line whose end has not been written yet. */
  #begun: Buffer = Buffer.alloc(0);
  #givenUp = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** The next whole lines, without the last line feed; empty when only a part of a line came; undefined = nothing new. */
  async read(): Promise<Buffer | undefined> {
    const file = this.#givenUp ? undefined : await this.#opened();
    if (file === undefined) return undefined;
    const { buffer, bytesRead } = await file.read(
      Buffer.allocUnsafe(pieceBytes),
      0,
      pieceBytes,
      this.#position,
    );
    if (bytesRead === 0) return undefined;
    this.#position += bytesRead;
    const bytes = Buffer.concat([this.#begun, buffer.subarray(0, bytesRead)]);
    const feed = bytes.lastIndexOf(lineFeed);
    const end = feed < 0 && bytes.length > longestLine ? characterEnd(bytes) : feed;
    this.#begun = Buffer.from(bytes.subarray(end < 0 ? 0 : end === feed ? feed + 1 : end));
    return bytes.subarray(0, Math.max(0, end));
  }

  /** What is at the end without a line feed. */
  rest(): Buffer {
    const rest = this.#begun;
    this.#begun = Buffer.alloc(0);
    return this.#givenUp ? Buffer.alloc(0) : rest;
  }

  /** Whether it had not been given up before. */
  giveUp(): boolean {
    const first = !this.#givenUp;
    this.#givenUp = true;
    return first;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  /** undefined while the file is not there. What a task put in its place (a link, a pipe) is not followed. */
  async #opened(): Promise<FileHandle | undefined> {
    if (this.#file !== undefined) return this.#file;
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    let file: FileHandle;
    try {
      file = await open(this.#path, flags);
    } catch (error) {
      if (["ENOENT", "ELOOP", "ENXIO"].includes(systemErrorCode(error) ?? "")) return undefined;
      throw error;
    }
    if ((await file.stat()).isFile()) this.#file = file;
    else await file.close();
    return this.#file;
  }
}

/** Where the last whole UTF-8 character ends. */
function characterEnd(bytes: Buffer): number {
  let start = bytes.length - 1;
  while (start > bytes.length - 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--;
  const lead = bytes[start] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return start + length > bytes.length ? start : bytes.length;
}
