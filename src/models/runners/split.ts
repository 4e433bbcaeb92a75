/** Splits a batch over several requests or processes at the same time and puts the answers together in order. */
import { mapBounded } from "../../kernel/index.ts";
import type { Prediction } from "../../task/index.ts";

/**
 * Parts of nearly equal size, at most `workers` of them and none (except a single one) smaller than `smallestPart`:
 * starting a model costs more than a few rows.
 */
export async function inParallel(
  request: {
    readonly inputs: readonly string[];
    readonly workers: number;
    readonly smallestPart: number;
  },
  predict: (part: readonly string[]) => Promise<readonly Prediction[]>,
): Promise<readonly Prediction[]> {
  const { inputs, workers, smallestPart } = request;
  const parts = Math.max(1, Math.min(workers, Math.floor(inputs.length / smallestPart)));
  if (parts === 1) return predict(inputs);
  const bounds = Array.from({ length: parts + 1 }, (_, i) => Math.round((i * inputs.length) / parts));
  const slices = Array.from({ length: parts }, (_, i) => inputs.slice(bounds[i], bounds[i + 1]));
  const answers = await mapBounded(slices, parts, (slice) => predict(slice));
  return answers.flat();
}
