/** What a guarded tier was asked, how long that took, and how often it had the answer. */

export interface VerbMetrics {
  /** A scan counts once per batch. */
  readonly calls: number;
  readonly failures: number;
  /** Rows asked for, put or read. */
  readonly rows: number;
  readonly ms: number;
}

export type MeasuredVerb =
  | "open"
  | "getMany"
  | "getManyCanonical"
  | "putMany"
  | "scan"
  | "sample"
  | "count"
  | "drop";

export interface TierMetrics {
  readonly hits: number;
  readonly misses: number;
  readonly stored: number;
  readonly verbs: Readonly<Record<MeasuredVerb, VerbMetrics>>;
}

const verbs: readonly MeasuredVerb[] = [
  "open",
  "getMany",
  "getManyCanonical",
  "putMany",
  "scan",
  "sample",
  "count",
  "drop",
];

export class TierCounts {
  readonly #verbs = new Map(verbs.map((verb) => [verb, { calls: 0, failures: 0, rows: 0, ms: 0 }]));
  #hits = 0;
  #misses = 0;
  #stored = 0;

  metrics(): TierMetrics {
    const copies = verbs.map((verb) => [verb, { ...this.#of(verb) }] as const);
    return {
      hits: this.#hits,
      misses: this.#misses,
      stored: this.#stored,
      verbs: Object.fromEntries(copies) as Record<MeasuredVerb, VerbMetrics>,
    };
  }

  answered(answers: readonly unknown[]): void {
    let hits = 0;
    for (const answer of answers) if (answer !== undefined) hits++;
    this.#hits += hits;
    this.#misses += answers.length - hits;
  }

  stored(rows: number): void {
    this.#stored += rows;
  }

  add(verb: MeasuredVerb, more: Partial<VerbMetrics>): void {
    const metrics = this.#of(verb);
    metrics.calls += more.calls ?? 0;
    metrics.failures += more.failures ?? 0;
    metrics.rows += more.rows ?? 0;
    metrics.ms += more.ms ?? 0;
  }

  #of(verb: MeasuredVerb): { calls: number; failures: number; rows: number; ms: number } {
    return this.#verbs.get(verb) ?? { calls: 0, failures: 0, rows: 0, ms: 0 };
  }
}
