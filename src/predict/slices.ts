/**
 * A slice of a batch: the inputs whose keys are in one of k ranges of equal length. Which slice an input is in depends on
 * nothing but its text, so that nothing has to be counted before, equal inputs are in the same slice, and what slices store
 * covers disjoint ranges of keys.
 */
import { md5Hex } from "../hash/index.ts";
import { AppError, invariant } from "../kernel/index.ts";
import type { InputChunk } from "./files/read-inputs.ts";

/** `number` counts from 1 to `of`. */
export interface Slice {
  readonly number: number;
  readonly of: number;
}

const mostSlices = 10_000;
const keyBits = 48n;

/** `7/50`. @throws CLI_USAGE */
export function parseSlice(text: string, flag: string): Slice {
  const [, number, of] = /^(\d{1,9})\/(\d{1,9})$/.exec(text.trim()) ?? [];
  const slice = { number: Number(number), of: Number(of) };
  if (isSlice(slice)) return slice;
  throw new AppError(
    "CLI_USAGE",
    `${flag}: expected a slice such as 7/50 (the number of the slice from 1, and the number of slices, at most ${mostSlices}), got ${JSON.stringify(text)}`,
  );
}

function isSlice({ number, of }: Slice): boolean {
  return number >= 1 && number <= of && of <= mostSlices;
}

/** The first 48 bits of the input's key: exact as a number. */
function placeOf(input: string): number {
  return Number.parseInt(md5Hex(input).slice(0, 12), 16);
}

/** The first place of each slice, and behind the last one the end of all places. Exact: floating point would shift borders. */
function bordersOf(slices: number): readonly number[] {
  const k = BigInt(slices);
  return Array.from({ length: slices + 1 }, (_, at) => Number((BigInt(at) * (1n << keyBits) + k - 1n) / k));
}

/** Returns the number of the slice, from 1, that an input is in. */
export function slicer(slices: number): (input: string) => number {
  const borders = bordersOf(slices);
  return (input) => {
    const place = placeOf(input);
    let low = 0;
    let high = slices - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((borders[middle] ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}

/** The rows of a slice, in the file's order, with their places in the file, in chunks of about the size asked for. */
export async function* rowsOfSlice(
  chunks: AsyncIterable<InputChunk>,
  { slice, isWanted }: { readonly slice: Slice; readonly isWanted?: (row: number) => boolean },
  chunkRows: number,
): AsyncGenerator<InputChunk, void> {
  invariant(isSlice(slice), `slice ${slice.number} of ${slice.of}`);
  const borders = bordersOf(slice.of);
  const [from = 0, to = 0] = [borders[slice.number - 1], borders[slice.number]];
  let before = 0;
  let inputs: string[] = [];
  let rows: number[] = [];
  let noted: string | undefined;
  let bytesRead = 0;
  const taken = (): InputChunk => {
    const chunk = { inputs, rows, bytesRead, ...(noted === undefined ? {} : { note: noted }) };
    inputs = [];
    rows = [];
    noted = undefined;
    return chunk;
  };
  for await (const chunk of chunks) {
    noted ??= chunk.note;
    bytesRead = chunk.bytesRead;
    chunk.inputs.forEach((input, at) => {
      const place = placeOf(input);
      if (place < from || place >= to || isWanted?.(before + at) === false) return;
      inputs.push(input);
      rows.push(before + at);
    });
    before += chunk.inputs.length;
    if (inputs.length >= chunkRows) yield taken();
  }
  if (inputs.length > 0 || noted !== undefined) yield taken();
}
