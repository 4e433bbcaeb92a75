/** What a runner answered, checked before anything of it is used. */
import { AppError } from "../kernel/index.ts";
import type { Column, Prediction } from "../task/index.ts";

/**
 * Values are matched to rows by count: an answer of another size is refused, never cut to fit.
 * @throws AppError PREDICT_RUNNER_BROKE
 */
export function checkedPredictions(
  inputs: readonly string[],
  predictions: readonly Prediction[],
  columns: readonly Column[],
): readonly Prediction[] {
  if (predictions.length !== inputs.length)
    throw new AppError(
      "PREDICT_RUNNER_BROKE",
      `the model answered ${predictions.length} rows for a batch of ${inputs.length}`,
    );
  const width = columns.length;
  return predictions.map((prediction) => {
    if (prediction.kind !== "computed" || prediction.values.length === width) return prediction;
    return { kind: "failed", reason: `got ${prediction.values.length} values, expected ${width}` };
  });
}
