/**
 * Where the files of an archive are written, with everything that is checked on other people's archives: names that
 * lead outside, links and devices, names used twice, and bombs (too many entries, too many bytes, too high a ratio).
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError, type ErrorCode } from "../kernel/index.ts";

export interface ArchiveLimits {
  /** Files and folders, those included that only the names of others imply. */
  readonly entries: number;
  /** Bytes of all files together. */
  readonly totalBytes: number;
  /** Unpacked bytes per packed byte, looked at from 16 MiB on. */
  readonly ratio: number;
}

const ratioFromBytes = 16 << 20;
const longestName = 1_000;
const deepestName = 100;

export interface ArchiveEntry {
  readonly name: string;
  readonly kind: "file" | "folder" | "other";
  readonly executable: boolean;
}

export interface FileSink {
  /** @throws AppError of the code `unsafe` once the archive has become a bomb. */
  write(chunk: Uint8Array): void;
  end(): void;
}

export class ArchiveWriter {
  readonly #archive: string;
  readonly #folder: string;
  readonly #packedBytes: number;
  readonly #limits: ArchiveLimits;
  readonly #code: ErrorCode;
  readonly #names = new Set<string>();
  readonly #folders = new Set<string>();
  #openFile: number | undefined;
  #entries = 0;
  #bytes = 0;

  constructor(target: {
    readonly archive: string;
    readonly folder: string;
    readonly packedBytes: number;
    readonly limits: ArchiveLimits;
    readonly unsafe: ErrorCode;
  }) {
    this.#archive = target.archive;
    this.#folder = target.folder;
    this.#packedBytes = Math.max(1, target.packedBytes);
    this.#limits = target.limits;
    this.#code = target.unsafe;
  }

  /**
   * Begins an entry; undefined for a folder, which is complete with that. Writing is synchronous: an archive is read
   * in small pieces by one reader, and nothing may be in flight when it turns out to be hostile.
   * @throws AppError of the code `unsafe`; nothing of this entry is written then.
   */
  begin(entry: ArchiveEntry): FileSink | undefined {
    this.#countEntry();
    const name = this.#plainName(entry.name);
    if (entry.kind === "other")
      throw this.#unsafe(`${name} is a link or device; expected plain files and folders`);
    const path = join(this.#folder, name);
    this.#makeFolder(dirname(name));
    if (entry.kind === "folder") {
      this.#folders.add(name);
      mkdirSync(path, { recursive: true });
      return undefined;
    }
    // File systems that ignore case would let the second name overwrite the first.
    const folded = name.toLowerCase();
    if (this.#names.has(folded)) throw this.#unsafe(`${name} is there twice`);
    this.#names.add(folded);
    const file = openSync(path, "wx", entry.executable ? 0o755 : 0o644);
    this.#openFile = file;
    return {
      write: (chunk) => {
        this.#count(chunk.length);
        writeSync(file, chunk);
      },
      end: () => this.close(),
    };
  }

  /** Closes the file that is being written, if any. */
  close(): void {
    const file = this.#openFile;
    this.#openFile = undefined;
    if (file !== undefined) closeSync(file);
  }

  /** What the archive's own directory says of it, before anything is unpacked. */
  expect(entries: number): void {
    if (entries > this.#limits.entries) throw this.#tooMany();
  }

  /** What the archive says that its next file has: refused before a byte of it is unpacked. */
  expectBytes(bytes: number): void {
    this.#checkBytes(this.#bytes + bytes);
  }

  #countEntry(): void {
    if (++this.#entries > this.#limits.entries) throw this.#tooMany();
  }

  #tooMany(): AppError {
    return this.#unsafe(`more than ${this.#limits.entries} entries`);
  }

  /** One folder after the other: a name can imply hundreds. */
  #makeFolder(name: string): void {
    if (name === "." || name === "" || this.#folders.has(name)) return;
    this.#makeFolder(dirname(name));
    this.#countEntry();
    this.#folders.add(name);
    mkdirSync(join(this.#folder, name), { recursive: true });
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#checkBytes(this.#bytes);
  }

  #checkBytes(bytes: number): void {
    if (bytes > this.#limits.totalBytes)
      throw this.#unsafe(`more than ${this.#limits.totalBytes} bytes unpacked`);
    if (bytes > ratioFromBytes && bytes / this.#packedBytes > this.#limits.ratio)
      throw this.#unsafe(`more than ${this.#limits.ratio} times its size unpacked`);
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
      parts.length > deepestName ||
      parts.some((part) => part === "..");
    if (strange || parts.includes(""))
      throw this.#unsafe(`the name ${JSON.stringify(name.slice(0, 120))} leads outside or is not plain`);
    return parts.join("/");
  }

  #unsafe(what: string): AppError {
    return new AppError(this.#code, `unpacking ${this.#archive}: ${what}`);
  }
}
