/** Events of a prediction run, and the counts that it ends with. */

/** Rows by how they were answered. */
export interface RunCounts {
  readonly reusedLocal: number;
  readonly reusedCloud: number;
  readonly computed: number;
  readonly failed: number;
  readonly missing: number;
  /** Answered with the row of a similar molecule; only where that was asked for. */
  readonly nearest?: number;
}

export type PredictEvent =
  /** An interrupted run left `rows` finished rows; this run continues after them. */
  | { readonly kind: "resumed"; readonly rows: number }
  /** The runner is being made ready; it may take long. */
  | { readonly kind: "model-opening" }
  /** Rows answered so far (also those that are not written yet), and about how many bytes of the input they take. */
  | {
      readonly kind: "progress";
      readonly counts: RunCounts;
      readonly bytesAnswered: number;
      readonly bytesTotal: number | undefined;
    }
  | { readonly kind: "dumping"; readonly rows: number }
  /** Rows read so far on their way from a file or a tier into a tier; the share of the source where it is known. */
  | { readonly kind: "storing"; readonly rows: number; readonly share: number | undefined }
  /** Something the user should know; the run continues. Each text is emitted once. */
  | { readonly kind: "warning"; readonly message: string };

export type PredictEventSink = (event: PredictEvent) => void;

export type MutableCounts = { -readonly [K in keyof RunCounts]: number };

export function noCounts(): MutableCounts {
  return { reusedLocal: 0, reusedCloud: 0, computed: 0, failed: 0, missing: 0 };
}

export function sumOf(counts: RunCounts): number {
  return (
    counts.reusedLocal +
    counts.reusedCloud +
    counts.computed +
    counts.failed +
    counts.missing +
    (counts.nearest ?? 0)
  );
}
