/**
 * Sorted rows to a Parquet file: row groups of aligned pages, then bloom filters, page indexes and the footer. The
 * footer, the page indexes' Thrift and Snappy are hyparquet-writer's; pages are laid out here because the look-up needs
 * them to end at the same rows in every column, and because it is several times faster.
 */
import { createHash, randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ColumnChunk, Encoding, FileMetaData, RowGroup, SchemaElement } from "hyparquet";
import { invariant } from "../../../kernel/index.ts";
import type { Cell, PredictionRow, PredictionScope } from "../../../task/index.ts";
import { columnsDigest } from "../scope.ts";
import { bloomBytesFor, bloomInsert, createKeyHasher } from "./bloom.ts";
import {
  type FileColumn,
  fileColumns,
  formatVersion,
  groupRows,
  groupValueBytes,
  keyAt,
  meta,
  pageRows,
  pageTextBytes,
} from "./layout.ts";
import { encodeIndexPage, encodePlain, encodePlainPage } from "./page-encode.ts";

/** A row with its key; rows come to the writer ordered by key, then input. */
export interface KeyedRow {
  /** MD5 of the input, in hex. */
  readonly key: string;
  readonly row: PredictionRow;
}

export interface WrittenFile {
  readonly rows: number;
  readonly sizeBytes: number;
  /** For the file's name. */
  readonly tailDigest: string;
}

export interface FileWriter {
  add(row: KeyedRow): void;
  /** `replaces`: names of files whose rows are all in this one (or in others written before it). */
  finish(replaces?: readonly string[]): WrittenFile;
}

/** Dictionaries of more texts than this do not pay. */
const largestDictionary = 4_096;
/** How much smaller Snappy must make a column's first page to be used: reading a stored page is free. */
const worthCompressing = 0.9;

export async function createFileWriter(options: {
  readonly scope: PredictionScope;
  /** Gets the file's bytes in order. */
  readonly sink: (bytes: Uint8Array) => void;
}): Promise<FileWriter> {
  const [
    { ByteWriter },
    { writeMetadata },
    { serializeTCompactProtocol },
    { snappyCompress },
    { writeBloomFilter },
  ] = await Promise.all([
    import("hyparquet-writer"),
    import("hyparquet-writer/src/metadata.js"),
    import("hyparquet-writer/src/thrift.js"),
    import("hyparquet-writer/src/snappy.js"),
    import("hyparquet-writer/src/bloom.js"),
  ]);
  const { scope, sink } = options;
  const columns = fileColumns(scope);
  const hashKey = createKeyHasher();
  const groups: RowGroup[] = [];
  const blooms: { chunk: ColumnChunk; filter: Uint32Array }[] = [];
  const indexed: { chunk: ColumnChunk; pages: WrittenPage[]; keys: readonly string[] | undefined }[] = [];
  const tail = createHash("sha256");
  let offset = 0;
  let rowCount = 0;
  let waiting: KeyedRow[] = [];
  let waitingBytes = 0;

  const emit = (bytes: Uint8Array) => {
    offset += bytes.byteLength;
    sink(bytes);
  };
  emit(Buffer.from("PAR1"));

  const pageHeader = (fields: Parameters<typeof serializeTCompactProtocol>[1]) => {
    const writer = new ByteWriter(64);
    serializeTCompactProtocol(writer, fields);
    return writer.getBytes();
  };

  /** Writes one page and says where it lies. */
  function writePage(body: Uint8Array, compress: boolean, kind: PageKind): Omit<WrittenPage, "firstRow"> {
    const packed = compress ? snappyCompress(body) : body;
    const head = pageHeader({
      field_1: kind.dictionary ? 2 : 0,
      field_2: body.byteLength,
      field_3: packed.byteLength,
      field_4: crc32(packed) | 0,
      ...(kind.dictionary
        ? { field_7: { field_1: kind.values, field_2: 0 } }
        : { field_5: { field_1: kind.values, field_2: kind.encoding, field_3: 3, field_4: 3 } }),
    });
    const start = offset;
    emit(head);
    emit(packed);
    return { offset: start, size: offset - start, plainSize: head.byteLength + body.byteLength };
  }

  function writeChunk(column: FileColumn, values: readonly Cell[], ends: readonly number[]): ColumnChunk {
    const start = offset;
    const dictionary = column.form === "tag" ? dictionaryOf(values) : undefined;
    const slices = ends.map((end, page) => ({ from: page === 0 ? 0 : (ends[page - 1] ?? 0), end }));
    const body = (from: number, end: number) =>
      dictionary === undefined
        ? encodePlainPage(values.slice(from, end), column)
        : encodeIndexPage(dictionary.indexes.subarray(from, end), dictionary.texts.length);
    const first = body(0, ends[0] ?? 0);
    // Keys are random hex: nothing to gain. Numbers of a model with few distinct values shrink a lot.
    const compress =
      column !== columns[keyAt] && snappyCompress(first).byteLength < first.byteLength * worthCompressing;

    let plainSize = 0;
    let dictionaryOffset: number | undefined;
    if (dictionary !== undefined) {
      const page = writePage(encodePlain(dictionary.texts, "text"), compress, {
        dictionary: true,
        values: dictionary.texts.length,
      });
      dictionaryOffset = page.offset;
      plainSize += page.plainSize;
    }
    const pages: WrittenPage[] = slices.map(({ from, end }, at) => {
      const page = writePage(at === 0 ? first : body(from, end), compress, {
        dictionary: false,
        values: end - from,
        encoding: dictionary === undefined ? 0 : 8,
      });
      plainSize += page.plainSize;
      return { ...page, firstRow: from };
    });
    const encodings: Encoding[] =
      dictionary === undefined ? ["PLAIN", "RLE"] : ["PLAIN", "RLE", "RLE_DICTIONARY"];
    const chunk: ColumnChunk = {
      file_offset: BigInt(start),
      meta_data: {
        type: column.form === "float" ? "DOUBLE" : column.form === "integer" ? "INT64" : "BYTE_ARRAY",
        encodings,
        path_in_schema: [column.name],
        codec: compress ? "SNAPPY" : "UNCOMPRESSED",
        num_values: BigInt(values.length),
        total_uncompressed_size: BigInt(plainSize),
        total_compressed_size: BigInt(offset - start),
        data_page_offset: BigInt(pages[0]?.offset ?? start),
        ...(dictionaryOffset === undefined ? {} : { dictionary_page_offset: BigInt(dictionaryOffset) }),
        statistics: statisticsOf(column, values, column === columns[keyAt]),
      },
    };
    indexed.push({
      chunk,
      pages,
      keys: column === columns[keyAt] ? (values as readonly string[]) : undefined,
    });
    return chunk;
  }

  function writeGroup(): void {
    const rows = waiting;
    waiting = [];
    waitingBytes = 0;
    if (rows.length === 0) return;
    const start = offset;
    const ends = pageEnds(rows);
    const chunks = columns.map((column, at) =>
      writeChunk(
        column,
        rows.map((each) => cellOf(each, at, scope.columns.length)),
        ends,
      ),
    );
    const filter = new Uint32Array(bloomBytesFor(rows.length) / 4);
    for (const { key } of rows) bloomInsert(filter, hashKey(key));
    const keyChunk = chunks[keyAt];
    invariant(keyChunk, "a file without a key column");
    blooms.push({ chunk: keyChunk, filter });
    groups.push({
      columns: chunks,
      total_byte_size: chunks.reduce(
        (sum, chunk) => sum + (chunk.meta_data?.total_uncompressed_size ?? 0n),
        0n,
      ),
      num_rows: BigInt(rows.length),
      sorting_columns: [{ column_idx: keyAt, descending: false, nulls_first: false }],
      file_offset: BigInt(start),
      total_compressed_size: BigInt(offset - start),
    });
    rowCount += rows.length;
  }

  function writeTail(replaces: readonly string[]): void {
    const struct = (fields: Parameters<typeof serializeTCompactProtocol>[1]) => {
      const writer = new ByteWriter(4_096);
      serializeTCompactProtocol(writer, fields);
      return writer.getBytes();
    };
    for (const { chunk, filter } of blooms) {
      const writer = new ByteWriter(filter.byteLength + 64);
      writeBloomFilter(writer, filter);
      if (chunk.meta_data !== undefined) {
        chunk.meta_data.bloom_filter_offset = BigInt(offset);
        chunk.meta_data.bloom_filter_length = writer.offset;
      }
      emit(writer.getBytes());
    }
    const tailOffset = offset;
    const covered = (bytes: Uint8Array) => {
      tail.update(bytes);
      emit(bytes);
    };
    for (const { chunk, pages, keys } of indexed) {
      if (keys === undefined) continue;
      const last = (page: number) => (pages[page + 1]?.firstRow ?? keys.length) - 1;
      const bytes = struct({
        field_1: pages.map(() => false),
        field_2: pages.map((page) => lowerBound(keys[page.firstRow] ?? "")),
        field_3: pages.map((_, page) => upperBound(keys[last(page)] ?? "")),
        field_4: 1, // ascending
        field_5: pages.map(() => 0n),
      });
      chunk.column_index_offset = BigInt(offset);
      chunk.column_index_length = bytes.byteLength;
      covered(bytes);
    }
    for (const { chunk, pages } of indexed) {
      const bytes = struct({
        field_1: pages.map((page) => ({
          field_1: BigInt(page.offset),
          field_2: page.size,
          field_3: BigInt(page.firstRow),
        })),
      });
      chunk.offset_index_offset = BigInt(offset);
      chunk.offset_index_length = bytes.byteLength;
      covered(bytes);
    }
    const footer = new ByteWriter(1 << 16);
    writeMetadata(footer, footerOf(tailOffset, replaces), Number.POSITIVE_INFINITY);
    footer.appendUint32(0x31524150);
    covered(footer.getBytes());
  }

  function footerOf(tailOffset: number, replaces: readonly string[]): FileMetaData {
    const pairs: readonly [string, string][] = [
      [meta.format, formatVersion],
      [meta.columns, columnsDigest(scope.columns)],
      [meta.tailOffset, String(tailOffset)],
      [meta.unique, randomUUID()],
      [meta.replaces, JSON.stringify(replaces)],
    ];
    const metadata: Omit<FileMetaData, "metadata_length"> = {
      version: 2,
      created_by: "memoir",
      schema: schemaOf(columns),
      num_rows: BigInt(rowCount),
      row_groups: groups,
      key_value_metadata: pairs.map(([key, value]) => ({ key, value })),
    };
    // The writer never writes `metadata_length`; only its type, shared with the reader, asks for it.
    return metadata as FileMetaData;
  }

  return {
    add: (row) => {
      waiting.push(row);
      waitingBytes += scope.columns.length * 8 + row.row.input.length;
      if (waiting.length >= groupRows || waitingBytes >= groupValueBytes) writeGroup();
    },
    finish: (replaces = []) => {
      writeGroup();
      writeTail(replaces);
      return { rows: rowCount, sizeBytes: offset, tailDigest: tail.digest("hex").slice(0, 16) };
    },
  };
}

interface WrittenPage {
  readonly offset: number;
  readonly size: number;
  readonly plainSize: number;
  readonly firstRow: number;
}

type PageKind =
  | { readonly dictionary: true; readonly values: number }
  | { readonly dictionary: false; readonly values: number; readonly encoding: 0 | 8 };

/** The cell of a row in the file's n-th column. */
function cellOf({ key, row }: KeyedRow, column: number, valueColumns: number): Cell {
  if (column === 0) return key;
  if (column === 1) return row.input;
  if (column < 2 + valueColumns) return row.values[column - 2] ?? null;
  switch (column - 2 - valueColumns) {
    case 0:
      return row.canonical ?? null;
    case 1:
      return row.provenance?.computedAt ?? null;
    case 2:
      return row.provenance?.runner ?? null;
    default:
      return row.provenance?.toolkit ?? null;
  }
}

/** Where pages end, for all columns alike: by rows, or earlier where texts are long. */
function pageEnds(rows: readonly KeyedRow[]): readonly number[] {
  const ends: number[] = [];
  let count = 0;
  let bytes = 0;
  rows.forEach(({ row }, at) => {
    count++;
    bytes += row.input.length + (row.canonical?.length ?? 0);
    for (const value of row.values) if (typeof value === "string") bytes += value.length;
    if (count < pageRows && bytes < pageTextBytes && at < rows.length - 1) return;
    ends.push(at + 1);
    count = 0;
    bytes = 0;
  });
  return ends;
}

function dictionaryOf(
  values: readonly Cell[],
): { texts: readonly string[]; indexes: Int32Array } | undefined {
  const places = new Map<string, number>();
  const indexes = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== "string") {
      indexes[i] = -1;
      continue;
    }
    let place = places.get(value);
    if (place === undefined) {
      place = places.size;
      if (place === largestDictionary) return undefined;
      places.set(value, place);
    }
    indexes[i] = place;
  }
  return places.size === 0 ? undefined : { texts: [...places.keys()], indexes };
}

function statisticsOf(column: FileColumn, values: readonly Cell[], sorted: boolean) {
  let nulls = 0;
  for (const value of values) if (value === null) nulls++;
  const null_count = BigInt(nulls);
  if (sorted)
    return { null_count, min_value: values[0] as string, max_value: values[values.length - 1] as string };
  if (column.form !== "float" && column.form !== "integer") return { null_count };
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    // NaN takes no part in bounds, as the format demands.
    if (typeof value !== "number" || Number.isNaN(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min > max) return { null_count };
  if (column.form === "integer") return { null_count, min_value: BigInt(min), max_value: BigInt(max) };
  // Zeros of either sign are equal: the bounds must include both.
  return { null_count, min_value: min === 0 ? -0 : min, max_value: max === 0 ? 0 : max };
}

function schemaOf(columns: readonly FileColumn[]): SchemaElement[] {
  return [
    { name: "schema", num_children: columns.length },
    ...columns.map(({ name, form, required }): SchemaElement => {
      const repetition_type = required ? "REQUIRED" : "OPTIONAL";
      if (form === "float") return { name, type: "DOUBLE", repetition_type };
      if (form === "integer") return { name, type: "INT64", repetition_type };
      return {
        name,
        type: "BYTE_ARRAY",
        repetition_type,
        converted_type: "UTF8",
        logical_type: { type: "STRING" },
      };
    }),
  ];
}

/** Half a key distinguishes pages; a shortened lower bound is still one. */
const boundLength = 16;
function lowerBound(key: string): Uint8Array {
  return Buffer.from(key.slice(0, boundLength), "latin1");
}

/** A shortened upper bound must be raised: the last character by one (`f` becomes `g`). */
function upperBound(key: string): Uint8Array {
  const bytes = Buffer.from(key.slice(0, boundLength), "latin1");
  if (key.length > boundLength) bytes[boundLength - 1] = (bytes[boundLength - 1] ?? 0) + 1;
  return bytes;
}
