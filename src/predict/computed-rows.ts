/** Rows to be recorded of what a model has just computed. Failures are not rows. */
import type { Runner } from "../models/index.ts";
import type { Prediction, PredictionRow } from "../task/index.ts";
import type { CanonicalMatch } from "./canonical-match.ts";

export function computedRows(
  inputs: readonly string[],
  predictions: readonly Prediction[],
  by: { readonly runner: Runner; readonly canonical: CanonicalMatch | undefined },
): readonly PredictionRow[] {
  const { runner, canonical } = by;
  const computedAt = new Date().toISOString();
  const toolkit = runner.toolkit === undefined ? {} : { toolkit: runner.toolkit };
  const provenance = { computedAt, runner: runner.kind, ...toolkit };
  const rows: PredictionRow[] = [];
  predictions.forEach((prediction, i) => {
    if (prediction.kind !== "computed") return;
    const input = inputs[i] ?? "";
    const form = canonical?.formOf(input);
    const known = form === undefined ? {} : { canonical: form };
    rows.push({ input, values: prediction.values, provenance, ...known });
  });
  return rows;
}
