/**
 * What is known about a prediction file without its rows: where the pages of every column lie and which keys they hold.
 * Read once per file from its tail, checked against the digest in the file's name, then kept in memory.
 */
import { sha256 } from "../../../hash/index.ts";
import type { Ask } from "../../../kernel/index.ts";
import type { Column, ColumnType, PredictionScope } from "../../../task/index.ts";
import type { ByteRange, ObjectReader } from "../../objects/index.ts";
import { columnsDigest } from "../scope.ts";
import { type ChunkMeta, type FooterMeta, type GroupMeta, parseFooter, type Stretch } from "./footer.ts";
import { type FileColumn, fileColumns, formatVersion, keyAt, meta, valuesAt } from "./layout.ts";
import { type PageOffsets, readColumnIndex, readOffsetIndex } from "./page-index.ts";

export interface ColumnPlace {
  readonly column: FileColumn;
  readonly compressed: boolean;
  /** The whole chunk, dictionary page included. */
  readonly range: ByteRange;
  readonly dictionary: ByteRange | undefined;
  readonly pages: PageOffsets;
}

export interface GroupIndex {
  readonly rows: number;
  /** In file order. */
  readonly columns: readonly ColumnPlace[];
  /** Bounds of the keys of each page; a key outside every page's bounds is not in the group. */
  readonly minKeys: readonly string[];
  readonly maxKeys: readonly string[];
  readonly bloom: ByteRange | undefined;
}

export interface FileIndex {
  readonly rows: number;
  readonly groups: readonly GroupIndex[];
  /** Names of files whose rows are all in this one. */
  readonly replaces: readonly string[];
  /** About how much memory this takes. */
  readonly weight: number;
}

/** `other-columns`: a sound file of another set of columns; `not-ours`: written by another program. */
export type IndexAnswer =
  | { readonly kind: "index"; readonly index: FileIndex }
  | { readonly kind: "other-columns"; readonly replaces: readonly string[] }
  | { readonly kind: "not-ours" };

/** Bytes of the tail that are read first: enough for the footer of most files. */
const firstGuess = 64 * 1024;
/** Index and footer together are about this part of a file: one request more or less fetches them. */
const indexShare = 0.009;
const largestGuess = 8 << 20;

/** What one of Memoir's files says about itself as a whole. */
export interface FileSummary {
  readonly rows: number;
  /** `columnsDigest` of its scope. */
  readonly columns: string;
  /** Names of files whose rows are all in this one. */
  readonly replaces: readonly string[];
  /** Its value columns, as they are called in the file. */
  readonly values: readonly Column[];
}

/** INT64 and DOUBLE; everything else is text. */
const valueTypes: Readonly<Record<number, ColumnType>> = { 2: "integer", 5: "float" };
/** Columns of provenance and canonical form, at the end of every file. */
const columnsBehindValues = 4;

/** undefined for a file of another program. Throws a plain Error when the file is torn. */
export async function readFileSummary(reader: ObjectReader, ask: Ask): Promise<FileSummary | undefined> {
  const { footer } = await readFooter(reader, firstGuess, ask);
  const { rows, pairs } = footer;
  if (pairs.get(meta.format) !== formatVersion) return undefined;
  return {
    rows,
    columns: pairs.get(meta.columns) ?? "",
    replaces: replacedNames(pairs.get(meta.replaces)),
    values: (footer.groups[0]?.chunks ?? [])
      .slice(valuesAt, -columnsBehindValues)
      .map(({ name, physicalType }) => ({ name, type: valueTypes[physicalType] ?? "string" })),
  };
}

/** Throws a plain Error that says what is wrong when the file is torn or damaged. */
export async function readFileIndex(
  reader: ObjectReader,
  scope: PredictionScope,
  tailDigest: string,
  ask: Ask,
): Promise<IndexAnswer> {
  const guess = Math.max(firstGuess, Math.min(largestGuess, Math.ceil(reader.sizeBytes * indexShare)));
  const { footer, footerStart, widen } = await readFooter(reader, guess, ask);
  const { pairs } = footer;
  if (pairs.get(meta.format) !== formatVersion) return { kind: "not-ours" };
  const tailOffset = Number(pairs.get(meta.tailOffset));
  if (!(tailOffset >= 4 && tailOffset <= footerStart))
    throw new Error("its footer does not say where the index is");
  const covered = await widen(tailOffset);
  if (sha256(covered).slice(0, 16) !== tailDigest) throw new Error("its index is not what was written");
  const replaces = replacedNames(pairs.get(meta.replaces));
  if (pairs.get(meta.columns) !== columnsDigest(scope.columns)) return { kind: "other-columns", replaces };
  const at = ({ offset, length }: Stretch) =>
    covered.subarray(offset - tailOffset, offset - tailOffset + length);
  const columns = fileColumns(scope);
  const groups = footer.groups.map((group) => groupIndex(group, columns, at));
  return {
    kind: "index",
    index: {
      rows: groups.reduce((sum, group) => sum + group.rows, 0),
      groups,
      replaces,
      weight: 4_096 + groups.reduce((sum, group) => sum + weightOf(group), 0),
    },
  };
}

interface FooterPlace {
  readonly footer: FooterMeta;
  /** Where the footer begins. */
  readonly footerStart: number;
  /** The bytes from there to the file's end; what was read already is not read again. */
  widen(from: number): Promise<Buffer>;
}

async function readFooter(reader: ObjectReader, guess: number, ask: Ask): Promise<FooterPlace> {
  const size = reader.sizeBytes;
  if (size < 12) throw new Error(`it is ${size} bytes long`);
  let start = Math.max(0, size - guess);
  let tail = await readOne(reader, { start, end: size }, ask);
  if (tail.toString("latin1", tail.length - 4) !== "PAR1")
    throw new Error("it does not end as a Parquet file");
  const footerStart = size - 8 - tail.readUInt32LE(tail.length - 8);
  if (footerStart < 4) throw new Error("its footer is longer than the file");
  const widen = async (from: number) => {
    if (from < start) {
      tail = Buffer.concat([await readOne(reader, { start: from, end: start }, ask), tail]);
      start = from;
    }
    return tail.subarray(from - start);
  };
  return { footer: parseFooter(await widen(footerStart)), footerStart, widen };
}

function groupIndex(
  { rows, chunks }: GroupMeta,
  columns: readonly FileColumn[],
  at: (place: Stretch) => Buffer,
): GroupIndex {
  const places = columns.map((column, number): ColumnPlace => {
    const chunk = chunks[number];
    if (chunk?.name !== column.name) throw new Error(`its column ${number} is not ${column.name}`);
    return new LocatedColumn(column, chunk, at);
  });
  const keys = chunks[keyAt];
  const bounds = readColumnIndex(at(keys?.columnIndex ?? { offset: 0, length: 0 }));
  const bloom = keys?.bloom;
  return {
    rows,
    columns: places,
    minKeys: bounds.min,
    maxKeys: bounds.max,
    bloom: bloom === undefined ? undefined : { start: bloom.offset, end: bloom.offset + bloom.length },
  };
}

/** Its page offsets are decoded when they are first needed: a look-up of few keys needs few of them. */
class LocatedColumn implements ColumnPlace {
  readonly column: FileColumn;
  readonly #chunk: ChunkMeta;
  readonly #at: (place: Stretch) => Buffer;
  #pages: PageOffsets | undefined;

  constructor(column: FileColumn, chunk: ChunkMeta, at: (place: Stretch) => Buffer) {
    this.column = column;
    this.#chunk = chunk;
    this.#at = at;
  }

  get compressed(): boolean {
    return this.#chunk.snappy;
  }

  get range(): ByteRange {
    const start = this.#chunk.dictionaryOffset ?? this.#chunk.dataOffset;
    return { start, end: start + this.#chunk.compressedSize };
  }

  get dictionary(): ByteRange | undefined {
    const { dictionaryOffset, dataOffset } = this.#chunk;
    return dictionaryOffset === undefined ? undefined : { start: dictionaryOffset, end: dataOffset };
  }

  get pages(): PageOffsets {
    this.#pages ??= readOffsetIndex(this.#at(this.#chunk.offsetIndex));
    return this.#pages;
  }
}

async function readOne(reader: ObjectReader, range: ByteRange, ask: Ask): Promise<Buffer> {
  const [bytes] = await reader.readRanges([range], ask);
  if (bytes === undefined) throw new Error("nothing was read");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function replacedNames(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const names: unknown = JSON.parse(text);
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

/** Bounds as text, page offsets as they are in the file and once decoded, and an object per column. */
function weightOf(group: GroupIndex): number {
  const pages = group.minKeys.length;
  return pages * 96 + group.columns.length * (300 + pages * 24);
}
