/**
 * Where the files of an archive are written, with everything that is checked on other people's archives: names that
 * lead outside, links and devices, names used twice, and bombs (too many entries, too many bytes, too high a ratio).
 */
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError, type Ask } from "../../kernel/index.ts";

export interface ArchiveLimits {
  /** Default 20 000. */
  readonly entries: number;
  /** Bytes of all files together. Default 20 GiB. */
  readonly totalBytes: number;
  /** Unpacked bytes per packed byte, looked at from 16 MiB on. Default 200. */
  readonly ratio: number;
}

export const defaultArchiveLimits: ArchiveLimits = { entries: 20_000, totalBytes: 20 * 2 ** 30, ratio: 200 };

const ratioFromBytes = 16 << 20;
const longestName = 1_000;

export interface ArchiveEntry {
  readonly name: string;
  readonly kind: "file" | "folder" | "other";
  readonly executable: boolean;
}

export class ArchiveWriter {
  readonly #archive: string;
  readonly #folder: string;
  readonly #packedBytes: number;
  readonly #limits: ArchiveLimits;
  readonly #names = new Set<string>();
  #entries = 0;
  #bytes = 0;

  constructor(target: {
    readonly archive: string;
    readonly folder: string;
    readonly packedBytes: number;
    readonly limits: ArchiveLimits;
  }) {
    this.#archive = target.archive;
    this.#folder = target.folder;
    this.#packedBytes = Math.max(1, target.packedBytes);
    this.#limits = target.limits;
  }

  /** @throws AppError MODEL_ARCHIVE_UNSAFE; nothing of this entry is written then. */
  async write(entry: ArchiveEntry, content: NodeJS.ReadableStream | undefined, ask: Ask): Promise<void> {
    if (++this.#entries > this.#limits.entries)
      throw this.#unsafe(`more than ${this.#limits.entries} entries`);
    const name = this.#plainName(entry.name);
    if (entry.kind === "other")
      throw this.#unsafe(`${name} is a link or device; expected plain files and folders`);
    const path = join(this.#folder, name);
    if (entry.kind === "folder") {
      await mkdir(path, { recursive: true });
      return;
    }
    // File systems that ignore case would let the second name overwrite the first.
    const folded = name.toLowerCase();
    if (this.#names.has(folded)) throw this.#unsafe(`${name} is there twice`);
    this.#names.add(folded);
    await mkdir(dirname(path), { recursive: true });
    const file = createWriteStream(path, { flags: "wx", mode: entry.executable ? 0o755 : 0o644 });
    if (content === undefined) {
      file.end();
      return;
    }
    await pipeline(content, this.#counter(), file, { signal: ask.signal });
  }

  #counter(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#bytes += chunk.length;
        if (this.#bytes > this.#limits.totalBytes)
          done(this.#unsafe(`more than ${this.#limits.totalBytes} bytes unpacked`));
        else if (this.#bytes > ratioFromBytes && this.#bytes / this.#packedBytes > this.#limits.ratio)
          done(this.#unsafe(`more than ${this.#limits.ratio} times its size unpacked`));
        else done(undefined, chunk);
      },
    });
  }

  #plainName(name: string): string {
    const parts = name
      .replace(/\/+$/, "")
      .split("/")
      .filter((part) => part !== ".");
    const strange =
      name.startsWith("/") ||
      name.includes("\\") ||
      name.includes("\0") ||
      /^[A-Za-z]:/.test(name) ||
      name.length > longestName ||
      parts.some((part) => part === "..");
    if (strange || parts.includes(""))
      throw this.#unsafe(`the name ${JSON.stringify(name.slice(0, 120))} leads outside or is not plain`);
    return parts.join("/");
  }

  #unsafe(what: string): AppError {
    return new AppError("MODEL_ARCHIVE_UNSAFE", `unpacking ${this.#archive}: ${what}`);
  }
}
