/** Reading many small pieces of one file in few requests. */
import type { Ask } from "../../../kernel/index.ts";
import type { ByteRange, ObjectReader } from "../../objects/index.ts";

/** No single request is made larger than this by merging. */
const largestMerged = 8 << 20;

/** Sorts and merges ranges whose gap is at most `gapBytes`: those bytes cost less than one more request. */
export function coalesce(ranges: readonly ByteRange[], gapBytes: number): readonly ByteRange[] {
  const sorted = ranges.filter(({ start, end }) => end > start).sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [];
  for (const range of sorted) {
    const last = merged[merged.length - 1];
    const end = Math.max(last?.end ?? 0, range.end);
    const inside = last !== undefined && range.end <= last.end;
    if (
      last !== undefined &&
      (inside || (range.start <= last.end + gapBytes && end - last.start <= largestMerged))
    )
      last.end = end;
    else merged.push({ start: range.start, end: range.end });
  }
  return merged;
}

/** Gives the bytes of a range that was asked for. */
export type Pieces = (range: ByteRange) => Uint8Array;

/** Reads the ranges, merged, and answers a function that cuts them out again. */
export async function readPieces(
  reader: ObjectReader,
  ranges: readonly ByteRange[],
  gapBytes: number,
  ask: Ask,
): Promise<Pieces> {
  const merged = coalesce(ranges, gapBytes);
  const parts = await reader.readRanges(merged, ask);
  return ({ start, end }) => {
    let low = 0;
    let high = merged.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((merged[middle]?.start ?? 0) <= start) low = middle;
      else high = middle - 1;
    }
    const from = merged[low];
    const part = parts[low];
    if (from === undefined || part === undefined || start < from.start || end > from.end)
      throw new Error(`bytes ${start} to ${end} were not read`);
    return part.subarray(start - from.start, end - from.start);
  };
}
