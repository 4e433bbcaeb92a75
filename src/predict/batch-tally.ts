/** Reused rows by when and by what they were computed, in bounded memory. */
import { defined } from "../kernel/index.ts";
import type { Provenance } from "../task/index.ts";

export interface TalliedBatch extends Provenance {
  readonly rows: number;
}

/** Beyond them rows are counted by runner and toolkit alone. */
const mostBatches = 1_000;

export class BatchTally {
  readonly #batches = new Map<string, { readonly provenance: Provenance; rows: number }>();
  /** Rows of one batch often follow each other. */
  #last: { readonly provenance: Provenance; rows: number } | undefined;

  note(provenance: Provenance = {}): void {
    const last = this.#last;
    const isLast =
      last !== undefined &&
      last.provenance.computedAt === provenance.computedAt &&
      last.provenance.runner === provenance.runner &&
      last.provenance.toolkit === provenance.toolkit;
    if (isLast) last.rows++;
    else this.#last = this.#counted(provenance);
  }

  /** The largest first. */
  list(most: number): readonly TalliedBatch[] {
    return [...this.#batches.values()]
      .map(({ provenance, rows }) => ({ rows, ...provenance }))
      .sort((a, b) => b.rows - a.rows)
      .slice(0, most);
  }

  #counted({ computedAt, runner, toolkit }: Provenance): { readonly provenance: Provenance; rows: number } {
    const isFull = this.#batches.size >= mostBatches;
    const name = `${computedAt} ${runner} ${toolkit}`;
    const at = isFull && !this.#batches.has(name) ? undefined : computedAt;
    const key = `${at} ${runner} ${toolkit}`;
    const batch = this.#batches.get(key) ?? {
      provenance: defined({ computedAt: at, runner, toolkit }),
      rows: 0,
    };
    this.#batches.set(key, batch);
    batch.rows++;
    return batch;
  }
}
