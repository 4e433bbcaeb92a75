/**
 * Rows on their way into a tier, in groups that are large enough to be stored fast and small enough for the memory:
 * the embedded tier writes sorted groups many times faster, and in a Parquet tier every group becomes a file.
 */
import type { PutReport } from "../store/predictions/index.ts";
import type { PredictionRow } from "../task/index.ts";

const mostRows = 200_000;
const mostCells = 2_000_000;
/** Characters of inputs and texts. */
const mostText = 32 << 20;

export class RowGroups {
  readonly #put: (rows: readonly PredictionRow[]) => Promise<PutReport>;
  #held: PredictionRow[] = [];
  #cells = 0;
  #text = 0;
  stored = 0;
  alreadyThere = 0;

  constructor(put: (rows: readonly PredictionRow[]) => Promise<PutReport>) {
    this.#put = put;
  }

  /** Whether the group is full: then `flush` is due. */
  add(row: PredictionRow): boolean {
    this.#held.push(row);
    this.#cells += row.values.length;
    this.#text += row.input.length;
    for (const value of row.values) if (typeof value === "string") this.#text += value.length;
    return this.#held.length >= mostRows || this.#cells >= mostCells || this.#text >= mostText;
  }

  async flush(): Promise<void> {
    if (this.#held.length === 0) return;
    const rows = this.#held;
    this.#held = [];
    this.#cells = 0;
    this.#text = 0;
    const report = await this.#put(rows);
    this.stored += report.stored;
    this.alreadyThere += report.alreadyThere;
  }
}
