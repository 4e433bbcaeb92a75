import type { Ask } from "../kernel/index.ts";
import type { PredictionRow } from "../task/index.ts";

/** For each input the most similar molecule that may answer for it. */
export type NearestAnswers = (
  inputs: readonly string[],
  ask: Ask,
) => Promise<readonly ({ readonly row: PredictionRow; readonly similarity: number } | undefined)[]>;
