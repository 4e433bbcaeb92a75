/** Reads Parquet's page indexes straight into arrays: a store of ten million rows has half a million pages. */
import { CompactReader, compact } from "./compact-reader.ts";

/** Where the pages of one column chunk lie. */
export interface PageOffsets {
  readonly offsets: Float64Array;
  readonly sizes: Int32Array;
  /** First row of each page within its row group. */
  readonly firstRows: Int32Array;
}

export function readOffsetIndex(bytes: Uint8Array): PageOffsets {
  const reader = new CompactReader(bytes);
  let pages: PageOffsets | undefined;
  reader.struct((field, type) => {
    if (field !== 1 || type !== compact.list) return reader.skip(type);
    const count = reader.listSize(compact.struct);
    const offsets = new Float64Array(count);
    const sizes = new Int32Array(count);
    const firstRows = new Int32Array(count);
    let page = 0;
    const onMember = (member: number, memberType: number) => {
      if (member === 1) offsets[page] = reader.number();
      else if (member === 2) sizes[page] = reader.number();
      else if (member === 3) firstRows[page] = reader.number();
      else reader.skip(memberType);
    };
    for (; page < count; page++) reader.struct(onMember);
    pages = { offsets, sizes, firstRows };
  });
  if (pages === undefined) throw new Error("an offset index without page locations");
  return pages;
}

/** The smallest and largest value of each page, as ASCII text (keys are hex). */
export interface PageBounds {
  readonly min: readonly string[];
  readonly max: readonly string[];
}

export function readColumnIndex(bytes: Uint8Array): PageBounds {
  const reader = new CompactReader(bytes);
  let min: string[] | undefined;
  let max: string[] | undefined;
  reader.struct((field, type) => {
    if ((field !== 2 && field !== 3) || type !== compact.list) return reader.skip(type);
    const count = reader.listSize(compact.binary);
    const texts = Array.from({ length: count }, () => reader.text("latin1"));
    if (field === 2) min = texts;
    else max = texts;
  });
  if (min === undefined || max === undefined || min.length !== max.length)
    throw new Error("a column index without bounds");
  return { min, max };
}
