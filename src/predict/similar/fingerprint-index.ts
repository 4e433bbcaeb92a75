/**
 * The molecules of a store with their fingerprints, in one file. Fingerprints are ordered by the number of their bits,
 * because that number alone bounds the similarity of two molecules: a search for 0.7 looks at a fraction of them and is
 * exact all the same. A file is written under another name and renamed, and its digest is checked when it is read: a
 * torn or foreign one counts as none.
 *
 *   JSON line        what the index is of; see `IndexFacts`
 *   128 bytes each   fingerprints
 *   4 bytes each     number of bits, little-endian
 *   4 bytes each     where the text of a molecule ends
 *   UTF-8            the molecules
 */
import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError, isAppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import { fingerprintBytes } from "../../models/index.ts";
import { createPopcountKernel, mostKernelBytes, type PopcountKernel } from "./popcount-kernel.ts";

/** Raised when files of before cannot be read any more. */
const format = 1;

export interface IndexFacts {
  readonly model: string;
  readonly release: string;
  /** Digest of the model's columns. */
  readonly columns: string;
  /** Name of the tier. */
  readonly tier: string;
  /** Kind of fingerprints, with the toolkit that made them. */
  readonly fingerprints: string;
  /** Rows of the store that it was made from. */
  readonly rows: number;
  /** Those of them that are not molecules. */
  readonly unreadable: readonly string[];
  readonly builtAt: string;
}

export interface IndexedMolecule {
  readonly input: string;
  readonly fingerprint: Uint8Array;
}

export interface Neighbour {
  readonly input: string;
  /** Tanimoto, 0 to 1. */
  readonly similarity: number;
}

/**
 * Fingerprints compared before the limit is raised by what was found: few at first, when nearly everything is found, and
 * then as many as this.
 */
const stepRows = 8_192;
const firstStepRows = 64;
/** Read, written and hashed at a time. */
const mostPieceBytes = 64 << 20;
const headerPieceBytes = 64 << 10;
/** After this time without a change nobody is writing a file any more. */
const leftMs = 86_400_000;

export class FingerprintIndex {
  readonly facts: IndexFacts;
  readonly size: number;
  readonly #kernel: PopcountKernel;
  readonly #bits: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #texts: Uint8Array;
  /** First row of each number of bits; one more than there are. */
  readonly #levels: Uint32Array;
  readonly #outAt: number;
  readonly #queryAt: number;

  private constructor(facts: IndexFacts, parts: Parts) {
    this.facts = facts;
    this.size = parts.bits.length;
    this.#bits = parts.bits;
    this.#ends = parts.ends;
    this.#texts = parts.texts;
    this.#queryAt = 0;
    this.#outAt = fingerprintBytes;
    this.#kernel = parts.kernel;
    this.#levels = levelsOf(parts.bits);
  }

  /** @throws STORE_NOT_READABLE where there are more fingerprints than fit into the memory of the search */
  static of(facts: IndexFacts, molecules: readonly IndexedMolecule[]): FingerprintIndex {
    const bitsOf = molecules.map(({ fingerprint }) => bitsIn(fingerprint));
    const order = molecules.map((_, at) => at).sort((a, b) => (bitsOf[a] ?? 0) - (bitsOf[b] ?? 0) || a - b);
    const kernel = kernelFor(molecules.length);
    const bits = Uint32Array.from(order, (at) => bitsOf[at] ?? 0);
    const ends = new Uint32Array(molecules.length);
    const texts: Buffer[] = [];
    let end = 0;
    for (const [row, at] of order.entries()) {
      const { input, fingerprint } = molecules[at] as IndexedMolecule;
      kernel.bytes.set(fingerprint, rowsAt + row * fingerprintBytes);
      const text = Buffer.from(input, "utf8");
      texts.push(text);
      end += text.length;
      ends[row] = end;
    }
    return new FingerprintIndex(facts, { kernel, bits, ends, texts: Buffer.concat(texts) });
  }

  /**
   * Read in pieces: a file may be larger than what Node reads at once (2 GiB). undefined = there is none, or none that
   * can be used. `pieceBytes` is for tests.
   */
  static async read(path: string, pieceBytes = mostPieceBytes): Promise<FingerprintIndex | undefined> {
    try {
      const file = await open(path, "r");
      try {
        const read = await readParts(file, pieceBytes);
        return read === undefined ? undefined : new FingerprintIndex(read.facts, read.parts);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      if (isAppError(error)) throw error;
      throw new AppError("FILE_NOT_READABLE", `cannot read the index ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** @throws FILE_NOT_WRITABLE, DISK_FULL */
  async write(path: string): Promise<void> {
    const prints = this.#kernel.bytes.subarray(rowsAt, rowsAt + this.size * fingerprintBytes);
    const parts = [prints, bytesOf(this.#bits), bytesOf(this.#ends), this.#texts];
    const hash = createHash("sha256");
    for (const part of parts) for (const piece of piecesOf(part)) hash.update(piece);
    const header: Header = { format, facts: this.facts, molecules: this.size, digest: hash.digest("hex") };
    const temp = `${path}.${process.pid}.new`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await sweep(path);
      const file = await open(temp, "w");
      try {
        await file.writeFile(`${JSON.stringify(header)}\n`);
        for (const part of parts) for (const piece of piecesOf(part)) await file.writeFile(piece);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temp, path);
    } catch (error) {
      await rm(temp, { force: true });
      const code = systemErrorCode(error) === "ENOSPC" ? "DISK_FULL" : "FILE_NOT_WRITABLE";
      throw new AppError(code, `cannot write the index ${path}: ${messageOf(error)}`, { cause: error });
    }
  }

  inputAt(row: number): string {
    const from = row === 0 ? 0 : (this.#ends[row - 1] ?? 0);
    return Buffer.from(this.#texts.subarray(from, this.#ends[row])).toString("utf8");
  }

  fingerprintAt(row: number): Uint8Array {
    const at = rowsAt + row * fingerprintBytes;
    return this.#kernel.bytes.slice(at, at + fingerprintBytes);
  }

  /**
   * The `count` most similar molecules of at least this similarity, the most similar first; equally similar ones by their
   * text. Exact: nothing that belongs there is left out.
   */
  nearest(
    fingerprint: Uint8Array,
    { count, similarity }: { readonly count: number; readonly similarity: number },
  ): readonly Neighbour[] {
    const bits = bitsIn(fingerprint);
    this.#kernel.bytes.set(fingerprint, this.#queryAt);
    let best: Candidate[] = [];
    let limit = similarity;
    let step = firstStepRows;
    const raise = () => {
      if (best.length < count) return;
      best.sort(bySimilarity);
      // Equally similar ones stay: which of them counts is decided by their texts.
      const worst = best[count - 1] as Candidate;
      limit = worst.similarity;
      best = best.filter((each) => each.similarity >= limit);
    };
    for (const { level, bound } of this.#levelsNear(bits)) {
      if (bound < limit) break;
      const to = this.#levels[level + 1] ?? 0;
      let rows = 0;
      for (
        let from = this.#levels[level] ?? 0;
        from < to;
        from += rows, step = Math.min(stepRows, step * 4)
      ) {
        rows = Math.min(step, to - from);
        const least = Math.ceil((limit * (bits + level)) / (1 + limit) - 1e-9);
        const at = rowsAt + from * fingerprintBytes;
        const found = this.#kernel.scan(this.#queryAt, at, rows, least, this.#outAt);
        if (found === 0) continue;
        const out = new Int32Array(this.#kernel.bytes.buffer, this.#outAt, 2 * found);
        for (let n = 0; n < found; n++) {
          const shared = out[2 * n + 1] ?? 0;
          const similarityOf = bits + level === 0 ? 0 : shared / (bits + level - shared);
          if (similarityOf >= limit) best.push({ row: from + (out[2 * n] ?? 0), similarity: similarityOf });
        }
        raise();
      }
    }
    return best
      .map(({ row, similarity: value }) => ({ input: this.inputAt(row), similarity: value }))
      .sort((a, b) => b.similarity - a.similarity || (a.input < b.input ? -1 : a.input > b.input ? 1 : 0))
      .slice(0, count);
  }

  /** Numbers of bits that have fingerprints, with the greatest similarity that these can have; greatest first. */
  #levelsNear(bits: number): readonly { readonly level: number; readonly bound: number }[] {
    const levels: { level: number; bound: number }[] = [];
    for (let level = 0; level + 1 < this.#levels.length; level++)
      if ((this.#levels[level + 1] ?? 0) > (this.#levels[level] ?? 0))
        levels.push({ level, bound: Math.min(bits, level) / Math.max(bits, level, 1) });
    return levels.sort((a, b) => b.bound - a.bound);
  }
}

interface Parts {
  readonly kernel: PopcountKernel;
  readonly bits: Uint32Array;
  readonly ends: Uint32Array;
  readonly texts: Uint8Array;
}

interface Header {
  readonly format: number;
  readonly facts: IndexFacts;
  readonly molecules: number;
  readonly digest: string;
}

interface Candidate {
  readonly row: number;
  readonly similarity: number;
}

/** In the memory of the search: the query, what was found, and the fingerprints. */
const rowsAt = fingerprintBytes + 8 * stepRows;

function kernelFor(count: number): PopcountKernel {
  const bytes = rowsAt + count * fingerprintBytes;
  if (bytes > mostKernelBytes)
    throw new AppError(
      "STORE_NOT_READABLE",
      `searching ${count} fingerprints: they would take ${Math.ceil(bytes / 2 ** 30)} GiB, expected at most 4`,
    );
  return createPopcountKernel(bytes);
}

/** A program that was killed leaves what it wrote. Another one may be writing now: only what nobody has written for long is removed. */
async function sweep(path: string): Promise<void> {
  const own = `${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(own) || !/^\d+\.new$/.test(name.slice(own.length))) continue;
    const left = join(dirname(path), name);
    const facts = await stat(left).catch(() => undefined);
    if (facts !== undefined && Date.now() - facts.mtimeMs > leftMs) await rm(left, { force: true });
  }
}

function headerIn(text: string): Header | undefined {
  try {
    const header = JSON.parse(text) as Header;
    const isOurs =
      header.format === format && Number.isSafeInteger(header.molecules) && header.molecules >= 0;
    return isOurs ? header : undefined;
  } catch {
    return undefined; // Another file: the index is made again.
  }
}

/** The header of a file, and what follows it. undefined = another kind of file, or one that is torn. */
async function readParts(
  file: FileHandle,
  pieceBytes: number,
): Promise<{ readonly facts: IndexFacts; readonly parts: Parts } | undefined> {
  const { size } = await file.stat();
  const { line, bytes: from } = await firstLine(file, pieceBytes);
  const header = line === undefined ? undefined : headerIn(line);
  if (header === undefined) return undefined;
  const { molecules: count } = header;
  const textBytes = size - from - count * (fingerprintBytes + 8);
  if (textBytes < 0) return undefined;
  const kernel = kernelFor(count);
  const bits = new Uint32Array(count);
  const ends = new Uint32Array(count);
  const texts = new Uint8Array(textBytes);
  const hash = createHash("sha256");
  let at = from;
  for (const part of [
    kernel.bytes.subarray(rowsAt, rowsAt + count * fingerprintBytes),
    ...[bytesOf(bits), bytesOf(ends), texts],
  ])
    for (let done = 0; done < part.length; ) {
      const { bytesRead } = await file.read(part, done, Math.min(pieceBytes, part.length - done), at);
      if (bytesRead === 0) return undefined;
      hash.update(part.subarray(done, done + bytesRead));
      done += bytesRead;
      at += bytesRead;
    }
  if (hash.digest("hex") !== header.digest) return undefined;
  return { facts: header.facts, parts: { kernel, bits, ends, texts } };
}

/** As long as it is: it lists every stored text that is not a molecule. */
async function firstLine(
  file: FileHandle,
  pieceBytes: number,
): Promise<{ readonly line: string | undefined; readonly bytes: number }> {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const piece = Buffer.alloc(Math.min(pieceBytes, headerPieceBytes));
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return { line: undefined, bytes: at };
    const end = piece.subarray(0, bytesRead).indexOf(10);
    pieces.push(piece.subarray(0, end < 0 ? bytesRead : end));
    if (end >= 0) return { line: Buffer.concat(pieces).toString("utf8"), bytes: at + end + 1 };
    at += bytesRead;
  }
}

function* piecesOf(part: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; at < part.length; at += mostPieceBytes) yield part.subarray(at, at + mostPieceBytes);
}

function levelsOf(bits: Uint32Array): Uint32Array {
  const most = fingerprintBytes * 8;
  const levels = new Uint32Array(most + 2);
  for (const each of bits) levels[each + 1] = (levels[each + 1] ?? 0) + 1;
  for (let level = 1; level < levels.length; level++)
    levels[level] = (levels[level] ?? 0) + (levels[level - 1] ?? 0);
  return levels;
}

const bitsOfByte = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);

function bitsIn(fingerprint: Uint8Array): number {
  let bits = 0;
  for (const byte of fingerprint) bits += bitsOfByte[byte] ?? 0;
  return bits;
}

function bySimilarity(a: Candidate, b: Candidate): number {
  return b.similarity - a.similarity;
}

function bytesOf(values: Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
