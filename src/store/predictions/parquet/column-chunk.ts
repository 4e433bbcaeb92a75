/** One column of a row group: its pages, with a dictionary or compressed where that pays. */
import type { ColumnChunk, Encoding } from "hyparquet";
import type { Cell } from "../../../task/index.ts";
import type { FileOutput, PlacedPage, WriterTools } from "./file-output.ts";
import type { FileColumn } from "./layout.ts";
import { encodeIndexPage, encodePlain, encodePlainPage } from "./page-encode.ts";

export interface ChunkOrder {
  readonly column: FileColumn;
  /** The column that the file is sorted by. */
  readonly isKey: boolean;
  readonly values: readonly Cell[];
  readonly ends: readonly number[];
}

export interface WrittenPage extends PlacedPage {
  readonly firstRow: number;
}

export interface WrittenChunk {
  readonly chunk: ColumnChunk;
  readonly pages: readonly WrittenPage[];
  /** Of the key column. */
  readonly keys: readonly string[] | undefined;
}

/** Dictionaries of more texts than this do not pay. */
const largestDictionary = 4_096;
/** How much smaller Snappy must make a column's first page to be used: reading a stored page is free. */
const worthCompressing = 0.9;

/** Writes the values of one column of a row group, whose pages end after the rows `ends`. */
export function writeChunk(
  { column, isKey, values, ends }: ChunkOrder,
  output: FileOutput,
  snappyCompress: WriterTools["snappyCompress"],
): WrittenChunk {
  const start = output.offset;
  const dictionary = column.form === "tag" ? dictionaryOf(values) : undefined;
  const slices = ends.map((end, page) => ({ from: page === 0 ? 0 : (ends[page - 1] ?? 0), end }));
  const body = (from: number, end: number) =>
    dictionary === undefined
      ? encodePlainPage(values.slice(from, end), column)
      : encodeIndexPage(dictionary.indexes.subarray(from, end), dictionary.texts.length);
  const first = body(0, ends[0] ?? 0);
  // Keys are random hex: nothing to gain. Numbers of a model with few distinct values shrink a lot.
  const compress = !isKey && snappyCompress(first).byteLength < first.byteLength * worthCompressing;

  let plainSize = 0;
  let dictionaryOffset: number | undefined;
  if (dictionary !== undefined) {
    const page = output.page(encodePlain(dictionary.texts, "text"), compress, {
      dictionary: true,
      values: dictionary.texts.length,
    });
    dictionaryOffset = page.offset;
    plainSize += page.plainSize;
  }
  const pages: WrittenPage[] = slices.map(({ from, end }, at) => {
    const page = output.page(at === 0 ? first : body(from, end), compress, {
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
      total_compressed_size: BigInt(output.offset - start),
      data_page_offset: BigInt(pages[0]?.offset ?? start),
      ...(dictionaryOffset === undefined ? {} : { dictionary_page_offset: BigInt(dictionaryOffset) }),
      statistics: statisticsOf(column, values, isKey),
    },
  };
  return { chunk, pages, keys: isKey ? (values as readonly string[]) : undefined };
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
