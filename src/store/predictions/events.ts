/** Events of tiers: trouble that is not worth stopping for. Logs, progress and tests read them. */
export type TierEvent =
  /** The tier cannot be reached; it answers misses until it is tried again. Emitted once per outage. */
  | { readonly kind: "tier-unreachable"; readonly tier: string; readonly reason: string }
  | { readonly kind: "tier-back"; readonly tier: string }
  /** One call failed for good although the tier is reachable; its rows are misses or were not stored. */
  | {
      readonly kind: "tier-call-failed";
      readonly tier: string;
      readonly verb: string;
      readonly reason: string;
    }
  /** Rows could not be stored because the tier is full or read-only; lookups continue. Emitted once until a write works. */
  | { readonly kind: "tier-write-refused"; readonly tier: string; readonly reason: string }
  /** The column names stored with Ersilia's rows are not this model's: none of those rows is used, or by position. */
  | {
      readonly kind: "tier-header-mismatch";
      readonly tier: string;
      readonly modelId: string;
      readonly expected: readonly string[];
      /** undefined where there is no readable header at all. */
      readonly found: readonly string[] | undefined;
      readonly rows: "not-used" | "by-position";
    }
  /** Records that are torn or not ours; each counts as a miss. */
  | {
      readonly kind: "tier-rows-damaged";
      readonly tier: string;
      readonly modelId: string;
      readonly rows: number;
    }
  /** A file is torn, damaged or of a shape that says nothing about the model: its rows are misses. Once per file. */
  | {
      readonly kind: "tier-file-skipped";
      readonly tier: string;
      readonly file: string;
      readonly reason: string;
    }
  /** Before the first statement of a tier that charges for each. `mostUsd`: where the service ends a statement. */
  | {
      readonly kind: "tier-query-priced";
      readonly tier: string;
      readonly leastUsd: number;
      readonly mostUsd?: number;
      readonly basis: string;
    }
  /** When such a tier is closed: what its statements have read and cost. */
  | {
      readonly kind: "tier-query-charged";
      readonly tier: string;
      readonly statements: number;
      readonly scannedBytes: number;
      readonly usd: number;
    }
  /** Rows whose values do not fit their columns' types (a text for a number, half a surrogate pair) are not stored. */
  | {
      readonly kind: "tier-rows-not-storable";
      readonly tier: string;
      readonly modelId: string;
      readonly rows: number;
    };

export type TierEventSink = (event: TierEvent) => void;
