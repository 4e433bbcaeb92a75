/** When two rows are the same row, so that writing again changes nothing. */
import type { PredictionRow } from "../../task/index.ts";

/**
 * Equal input and equal values (-0 differs from 0, NaN equals NaN). Provenance does not count: a value that was
 * computed again to the same result keeps its first provenance.
 */
export function equalRows(x: PredictionRow, y: PredictionRow): boolean {
  return (
    x.input === y.input &&
    x.values.length === y.values.length &&
    x.values.every((value, at) => Object.is(value, y.values[at]))
  );
}
