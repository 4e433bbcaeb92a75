/**
 * How many inputs the model gets at once. A program that starts for every batch (Python, RDKit, a network's weights) may
 * start for 100 rows as long as it computes for 1,000, so batches grow until starting is a small part of them, and the
 * first are large: they are trials, which are given up where the model turns out to be slow. With several lanes (batches
 * at the same time) each tries its share of the rows, so that few programs start and all end at about the same time. What
 * a batch may take is limited: in time, because an interruption loses it, and in cells, because of the memory.
 */

export interface BatchSizesOptions {
  readonly columns: number;
  /** Whether a program starts for every batch. Default: once. */
  readonly starts?: "per-batch" | "once";
  /** Batches at the same time. Default: 1. */
  readonly lanes?: number;
  /** For tests. */
  readonly trialMs?: number;
  /** What the user said: it stays. */
  readonly fixed?: number;
}

const firstRows = 100;
/** Two starts for so many rows would take up to twice as long as one. */
const trialRows = 1_000;
const mostRows = 20_000;
const mostCells = 1_000_000;
/** A batch should take no longer, in ms. */
const longestMs = 30_000;
const growsAtMost = 10;
/** Starting may be this part of a batch's time. */
const startShare = 0.05;

interface Batch {
  readonly rows: number;
  readonly ms: number;
}

/** Rows that wait to be cut into batches. */
export interface Uncut {
  /** Rows that are left. */
  readonly left: number;
  /** Lanes that are free for them, the one that takes the next batch included. */
  readonly freeLanes: number;
}

export class BatchSizes {
  readonly #fixed: number | undefined;
  readonly #most: number;
  readonly #trialMs: number;
  readonly #lanes: number;
  #rows: number;
  #isTrial: boolean;
  /** The last two of different sizes: what they differ in is what rows cost. */
  #smaller: Batch | undefined;
  #larger: Batch | undefined;

  constructor({ columns, fixed, starts, lanes = 1, trialMs = longestMs }: BatchSizesOptions) {
    this.#lanes = lanes;
    this.#fixed = fixed;
    this.#most = Math.max(1, Math.min(mostRows, Math.floor(mostCells / Math.max(1, columns))));
    this.#trialMs = trialMs;
    this.#isTrial = fixed === undefined && starts === "per-batch";
    this.#rows = fixed ?? Math.min(this.#isTrial ? trialRows : firstRows, this.#most);
  }

  /** Rows of the next batch. */
  cut({ left, freeLanes }: Uncut): number {
    return Math.min(left, this.#fixed ?? this.#sizeFor({ left, freeLanes }));
  }

  #sizeFor({ left, freeLanes }: Uncut): number {
    if (!this.#isTrial) {
      // The last rows are shared, as far as starting for them is worth it.
      const share = Math.ceil(left / Math.max(1, freeLanes));
      return Math.min(this.#rows, Math.max(share, this.#worthStarting()));
    }
    if (this.#lanes === 1) return this.#rows;
    return Math.max(this.#rows, Math.min(Math.ceil(left / Math.max(1, freeLanes)), this.#most));
  }

  /** Rows that take as long as starting for them. */
  #worthStarting(): number {
    const cost = this.#cost();
    return cost === undefined ? trialRows : Math.ceil(cost.startMs / Math.max(cost.rowMs, 0.001));
  }

  /** ms after which a batch of this size is given up, to be computed in smaller ones; undefined = this batch is not a trial. */
  trialMs(rows: number): number | undefined {
    return this.#isTrial && rows > firstRows ? this.#trialMs : undefined;
  }

  /** A trial took too long. */
  gaveUp(): void {
    if (this.#isTrial) this.#rows = Math.min(firstRows, this.#most);
    this.#isTrial = false;
  }

  /** A batch was computed; what it took includes finding the rows that made it fail. */
  took(batch: Batch): void {
    if (this.#fixed !== undefined || batch.rows === 0) return;
    this.#isTrial = false;
    const cost = this.#cost();
    // Much longer than expected: rows failed and had to be found. Smaller batches find them cheaper.
    if (cost !== undefined && batch.ms > 3 * (cost.startMs + cost.rowMs * batch.rows) + 1_000) {
      this.#rows = Math.max(Math.min(firstRows, this.#most), Math.floor(this.#rows / 4));
      return;
    }
    this.#note(batch);
    // The last batch of a file is smaller than it might be and says little about larger ones.
    if (batch.rows < this.#rows && batch.ms < longestMs) return;
    this.#rows = Math.min(this.#most, Math.max(1, Math.floor(batch.rows * this.#factor(batch))));
  }

  #factor(batch: Batch): number {
    const inTime = longestMs / Math.max(1, batch.ms);
    const cost = this.#cost();
    if (cost === undefined) return Math.max(1, Math.min(growsAtMost, inTime));
    const share = cost.startMs / Math.max(1, cost.startMs + cost.rowMs * batch.rows);
    if (share <= startShare) return Math.min(1, Math.max(0.25, inTime));
    return Math.min(growsAtMost, Math.max(0.25, inTime));
  }

  #note(batch: Batch): void {
    const { rows } = batch;
    if (this.#larger === undefined || rows === this.#larger.rows) this.#larger = batch;
    else if (rows > this.#larger.rows) [this.#smaller, this.#larger] = [this.#larger, batch];
    else this.#smaller = batch;
  }

  #cost(): { readonly startMs: number; readonly rowMs: number } | undefined {
    const [a, b] = [this.#smaller, this.#larger];
    if (a === undefined || b === undefined) return undefined;
    const rowMs = Math.max(0, (b.ms - a.ms) / (b.rows - a.rows));
    return { rowMs, startMs: Math.max(0, b.ms - rowMs * b.rows) };
  }
}
