/** Runs that wait for their turn: what an earlier server had begun first, then larger priorities, then older ones. */
import type { RunRecord } from "../../ledger/index.ts";

export interface QueuedRun {
  readonly account: string;
  readonly id: string;
  readonly runGroupId: string | undefined;
}

interface RankedRun extends QueuedRun {
  readonly rank: number;
}

export class RunQueue {
  /** Sorted by rank, larger first; equal ranks in the order in which they came. */
  readonly #ranked: RankedRun[] = [];

  add(run: RunRecord): void {
    const rank = run.status === "PENDING" ? run.priority : Number.POSITIVE_INFINITY;
    const place = { account: run.account, id: run.id, runGroupId: run.runGroupId, rank };
    let [low, high] = [0, this.#ranked.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranked[middle]?.rank ?? 0) >= rank) low = middle + 1;
      else high = middle;
    }
    this.#ranked.splice(low, 0, place);
  }

  remove(run: QueuedRun): void {
    const at = this.#ranked.findIndex((place) => place.id === run.id && place.account === run.account);
    if (at >= 0) this.#ranked.splice(at, 1);
  }

  /** The first one that fits leaves the queue. */
  take(fits: (run: QueuedRun) => boolean): QueuedRun | undefined {
    const at = this.#ranked.findIndex(fits);
    return at < 0 ? undefined : this.#ranked.splice(at, 1)[0];
  }
}
