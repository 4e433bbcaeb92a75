/** The answer for one input, the same in look-ups and in the files of jobs. */
import { rowToWire } from "../store/predictions/index.ts";
import type { PredictionRow } from "../task/index.ts";

/** Of one look-up. */
export const mostInputs = 1000;
/** Of one that is answered column by column. Tiers on S3 read whole columns for so many at once. */
export const mostInputsByColumns = 20_000;

export function answerOf(input: string, row: PredictionRow | undefined) {
  return row === undefined ? { status: "missing", input } : { status: "stored", ...rowToWire(row) };
}
