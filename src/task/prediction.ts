/** Neutral shapes of predictions: what the stores keep, the models answer and the prediction engine moves. */
import type { ModelId } from "../kernel/index.ts";

export type ColumnType = "float" | "integer" | "string";

/** One output column of a model, from `run_columns.csv`. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly description?: string;
}

/** One value of a row. null = the model answered, and the answer has no value in this column. */
export type Cell = number | string | null;

/** What a stored row belongs to. Rows of another release or other columns are other rows. */
export interface PredictionScope {
  readonly modelId: ModelId;
  /** The model's release, such as `v1.0.0`. */
  readonly release: string;
  readonly columns: readonly Column[];
}

/** Where a value came from; stored next to it. Unknown parts (rows written by Ersilia) are undefined. */
export interface Provenance {
  /** ISO 8601 time, UTC. */
  readonly computedAt?: string;
  /** `builtin`, `script`, `http`, `container`, `import`. */
  readonly runner?: string;
  /** Toolkit and version, such as `rdkit-wasm 2026.9.1`. */
  readonly toolkit?: string;
}

/** One stored prediction. `values` has the scope's columns' length and order. */
export interface PredictionRow {
  /** The input exactly as the user wrote it. */
  readonly input: string;
  readonly values: readonly Cell[];
  readonly provenance?: Provenance;
  /** Canonical form of the input with the toolkit that made it: a second index, used only when asked. */
  readonly canonical?: string;
}

/** What a runner answers for one input. A failure is a value here and never stored. */
export type Prediction =
  | { readonly kind: "computed"; readonly values: readonly Cell[] }
  | { readonly kind: "failed"; readonly reason: string };
