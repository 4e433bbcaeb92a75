/** A chunk of answered rows on its way to the output file. */
import type { Cell } from "../../task/index.ts";

/** How a row was answered; the words of the status column and of every count. */
export const statuses = ["missing", "reused-local", "reused-cloud", "computed", "failed", "nearest"] as const;

/** The number of a status in `AnsweredChunk.status`. 0 = missing, so a fresh array says "nothing found yet". */
export const statusCode = {
  missing: 0,
  reusedLocal: 1,
  reusedCloud: 2,
  computed: 3,
  failed: 4,
  nearest: 5,
} as const;

/** What the status column says of a row: a neighbour is named with its similarity. */
export function statusText({ status, notes }: Pick<AnsweredChunk, "status" | "notes">, row: number): string {
  return notes?.get(row) ?? statuses[status[row] ?? 0] ?? "missing";
}

export interface AnsweredChunk {
  readonly inputs: readonly string[];
  /** Row of each input in the file, counted from 0; absent where the output has every row of the file. */
  readonly rows?: readonly number[];
  /** The values of each row; undefined = missing or failed. */
  readonly values: readonly (readonly Cell[] | undefined)[];
  /** One status code per row. */
  readonly status: Uint8Array;
  /** What the status column says instead of the status's word, by the index of the row: about neighbours. */
  readonly notes?: ReadonlyMap<number, string>;
  /** Why rows failed, where that is known. */
  readonly failures?: readonly FailedRow[];
}

export interface FailedRow {
  /** Counted from 0 within the chunk. */
  readonly index: number;
  readonly reason: string;
}
