/**
 * What is known about a prediction file without its rows: where the pages of every column lie and which keys they hold.
 * Read once per file from its tail, checked against the digest in the file's name, then kept in memory.
 */
import type { FileMetaData } from "hyparquet";
import { sha256 } from "../../../hash/index.ts";
import type { Ask } from "../../../kernel/index.ts";
import type { PredictionScope } from "../../../task/index.ts";
import type { ByteRange, ObjectReader } from "../../objects/index.ts";
import { columnsDigest } from "../scope.ts";
import { type FileColumn, fileColumns, formatVersion, keyAt, meta } from "./layout.ts";
import { type PageOffsets, readColumnIndex, readOffsetIndex } from "./thrift-index.ts";

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

const firstGuess = 64 * 1024;

/** What a file of ours says about itself as a whole. */
export interface FileSummary {
  readonly rows: number;
  /** `columnsDigest` of its scope. */
  readonly columns: string;
  /** Names of files whose rows are all in this one. */
  readonly replaces: readonly string[];
}

/** undefined for a file of another program. Throws a plain Error when the file is torn. */
export async function readFileSummary(reader: ObjectReader, ask: Ask): Promise<FileSummary | undefined> {
  const { metadata, pairs } = await readFooter(reader, ask);
  if (pairs.get(meta.format) !== formatVersion) return undefined;
  return {
    rows: Number(metadata.num_rows),
    columns: pairs.get(meta.columns) ?? "",
    replaces: replacedNames(pairs.get(meta.replaces)),
  };
}

/** Throws a plain Error that says what is wrong when the file is torn or damaged. */
export async function readFileIndex(
  reader: ObjectReader,
  scope: PredictionScope,
  tailDigest: string,
  ask: Ask,
): Promise<IndexAnswer> {
  const { metadata, pairs, footerStart, widen } = await readFooter(reader, ask);
  if (pairs.get(meta.format) !== formatVersion) return { kind: "not-ours" };
  const tailOffset = Number(pairs.get(meta.tailOffset));
  if (!(tailOffset >= 4 && tailOffset <= footerStart))
    throw new Error("its footer does not say where the index is");
  const covered = await widen(tailOffset);
  if (sha256(covered).slice(0, 16) !== tailDigest) throw new Error("its index is not what was written");
  const replaces = replacedNames(pairs.get(meta.replaces));
  if (pairs.get(meta.columns) !== columnsDigest(scope.columns)) return { kind: "other-columns", replaces };
  const at = (offset: bigint | undefined, length: number | undefined) =>
    covered.subarray(Number(offset) - tailOffset, Number(offset) - tailOffset + Number(length));
  const columns = fileColumns(scope);
  const groups = metadata.row_groups.map((group) => groupIndex(group, columns, at));
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

interface Footer {
  readonly metadata: FileMetaData;
  readonly pairs: ReadonlyMap<string, string | undefined>;
  /** Where the footer begins. */
  readonly footerStart: number;
  /** The bytes from there to the file's end; what was read already is not read again. */
  widen(from: number): Promise<Buffer>;
}

async function readFooter(reader: ObjectReader, ask: Ask): Promise<Footer> {
  const size = reader.sizeBytes;
  if (size < 12) throw new Error(`it is ${size} bytes long`);
  let start = Math.max(0, size - firstGuess);
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
  const { parquetMetadata } = await import("hyparquet");
  const metadata = parquetMetadata(await widen(footerStart));
  const pairs = new Map((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value]));
  return { metadata, pairs, footerStart, widen };
}

function groupIndex(
  group: FileMetaData["row_groups"][number],
  columns: readonly FileColumn[],
  at: (offset: bigint | undefined, length: number | undefined) => Buffer,
): GroupIndex {
  const places = columns.map((column, number): ColumnPlace => {
    const chunk = group.columns[number];
    const data = chunk?.meta_data;
    if (chunk === undefined || data === undefined || data.path_in_schema[0] !== column.name)
      throw new Error(`its column ${number} is not ${column.name}`);
    const dictionary = data.dictionary_page_offset;
    const start = Number(dictionary ?? data.data_page_offset);
    return {
      column,
      compressed: data.codec === "SNAPPY",
      range: { start, end: start + Number(data.total_compressed_size) },
      dictionary: dictionary === undefined ? undefined : { start, end: Number(data.data_page_offset) },
      pages: readOffsetIndex(at(chunk.offset_index_offset, chunk.offset_index_length)),
    };
  });
  const keys = group.columns[keyAt];
  const bounds = readColumnIndex(at(keys?.column_index_offset, keys?.column_index_length));
  const bloomStart = keys?.meta_data?.bloom_filter_offset;
  const bloomLength = keys?.meta_data?.bloom_filter_length;
  return {
    rows: Number(group.num_rows),
    columns: places,
    minKeys: bounds.min,
    maxKeys: bounds.max,
    bloom:
      bloomStart === undefined || bloomLength === undefined
        ? undefined
        : { start: Number(bloomStart), end: Number(bloomStart) + bloomLength },
  };
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

function weightOf(group: GroupIndex): number {
  const pages = group.minKeys.length;
  return pages * 96 + group.columns.length * (200 + pages * 16);
}
