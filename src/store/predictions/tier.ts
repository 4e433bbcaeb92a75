/**
 * One place where predictions live. A tier states what it can do in `can`; the engine branches on abilities, never on
 * names. Drivers are naive: opening once, deadlines, retries and metrics are added by the guard.
 *
 * Promises of every tier: a row comes back exactly as it was put (types included); rows of another model, release or
 * set of columns are never answered; writing an equal row again changes nothing; an acknowledged row survives
 * `kill -9`; a torn or foreign record is a miss, never a wrong value. Floats come back bit for bit, NaN, infinities and
 * -0 included; integers up to 2^53 - 1; null, "" and "None" are three different values. Putting another value for an
 * input replaces the row; `canonical` may be missing from answers of tiers whose layout has no room for it.
 */
import type { Ask } from "../../kernel/index.ts";
import type { Column, PredictionRow, PredictionScope } from "../../task/index.ts";

export interface TierAbilities {
  /** `getMany` can also look up by canonical form. */
  readonly canonicalIndex: boolean;
  /** False for tiers that only answer (legacy files, a remote API without writing). */
  readonly write: boolean;
}

export interface PutReport {
  /** Rows that are new or changed. */
  readonly stored: number;
  /** Rows whose equal was there before: equal input and values, wherever they came from. */
  readonly alreadyThere: number;
}

/** In US dollars. Estimates from list prices. */
export interface PutPrice {
  readonly once: number;
  readonly monthly: number;
  /** Which prices were taken. */
  readonly basis: string;
}

/** What `putMany` would do; nothing was written. */
export interface PutPlan extends PutReport {
  /** undefined where writing a row costs nothing by itself. */
  readonly price?: PutPrice;
}

export interface SampleRequest {
  /** Uniform without replacement; all rows when there are fewer. */
  readonly count: number;
  /** Equal seed and equal stored rows give the equal sample in the equal order, on every tier. */
  readonly seed: string;
}

/** What a tier holds for one model, release and set of columns. */
export interface StoredScope {
  readonly modelId: string;
  /** undefined = rows that Ersilia wrote into a Redis; nobody knows their release. */
  readonly release: string | undefined;
  /** `columnsDigest` of the columns; undefined where the release is. */
  readonly columns: string | undefined;
  /** Expired rows included; in a Redis, rows of Ersilia's that lie between count, too. */
  readonly rows: number;
}

export interface PredictionTier {
  /** For people: `embedded ~/.memoir/predictions`, `redis://host:6379/0`, `s3://bucket/prefix`. No secrets. */
  readonly name: string;
  readonly can: TierAbilities;
  open(ask: Ask): Promise<void>;
  /** Answers in the order of `inputs`; undefined = not here. Throws STORE_TIER_UNREACHABLE when it could not find out. */
  getMany(
    scope: PredictionScope,
    inputs: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[]>;
  /** Look-up by canonical form, only where `can.canonicalIndex`. */
  getManyCanonical?(
    scope: PredictionScope,
    canonical: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[]>;
  /** Durable when it resolves. Equal inputs inside one call are one row. */
  putMany(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutReport>;
  /** What `putMany` would do and cost. Only tiers whose writes are paid for by the row have it. */
  planPut?(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutPlan>;
  /** Every row once, in batches, in a stable order of the tier's own. */
  scan(scope: PredictionScope, ask: Ask): AsyncIterable<readonly PredictionRow[]>;
  sample(scope: PredictionScope, request: SampleRequest, ask: Ask): Promise<readonly PredictionRow[]>;
  count(scope: PredictionScope, ask: Ask): Promise<number>;
  /** Removes every row of this model and release; returns how many. */
  drop(scope: PredictionScope, ask: Ask): Promise<number>;
  /** Everything that is stored, also of releases that no model here has; ordered by model and release. */
  listScopes(ask: Ask): Promise<readonly StoredScope[]>;
  /**
   * Names and types of a listed scope's columns, as far as the tier keeps them; undefined = it does not. Of rows whose
   * release is unknown the types are what the stored values look like.
   */
  columnsOf?(stored: StoredScope, ask: Ask): Promise<readonly Column[] | undefined>;
  /** Removes what `listScopes` listed; returns how many rows. Rows of unknown release stay: they are Ersilia's. */
  dropListed(stored: StoredScope, ask: Ask): Promise<number>;
  /** Forgets that the tier did not answer: the next call is made at once. Only tiers that rest have it. */
  wake?(): void;
  close(): Promise<void>;
}
