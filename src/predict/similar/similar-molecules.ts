/**
 * The neighbours of molecules in a store. The index is only a list of molecules: every value is looked up in the store
 * itself, so a row that is no longer there is never an answer, whatever the index says.
 */
import { AppError, type Ask, checkAsk } from "../../kernel/index.ts";
import { createFingerprinter, type Fingerprinter } from "../../models/index.ts";
import { columnsDigest, type PredictionTier } from "../../store/predictions/index.ts";
import type { PredictionRow, PredictionScope } from "../../task/index.ts";
import type { PredictEventSink } from "../events.ts";
import { FingerprintIndex, type IndexedMolecule, type IndexFacts } from "./fingerprint-index.ts";

/**
 * `update`: molecules that are new in the store are added, and those that it no longer has are removed. `current`: an index that
 * is older than the store is an error. `as-is`: it is used with a warning.
 */
export type IndexUse = "update" | "current" | "as-is";

export interface SimilarRequest {
  readonly scope: PredictionScope;
  readonly tier: PredictionTier;
  readonly path: string;
  readonly use: IndexUse;
  readonly emit: PredictEventSink;
}

export interface NearRow {
  readonly row: PredictionRow;
  readonly similarity: number;
}

export interface SimilarMolecules {
  readonly facts: IndexFacts;
  /** Molecules in the index. */
  readonly size: number;
  /** For each input its neighbours with their stored rows, the most similar first; undefined = it is not a molecule. */
  find(
    inputs: readonly string[],
    wanted: { readonly count: number; readonly similarity: number },
    ask: Ask,
  ): Promise<readonly (readonly NearRow[] | undefined)[]>;
  close(): Promise<void>;
}

/** Molecules of an index that are looked for in the store, to find out whether it is another store by now. */
const samples = 64;
/** Fingerprints made at a time. */
const batchRows = 4_096;

/** @throws SIMILAR_INDEX_OLD, MODEL_TOOLKIT_FAILED, STORE_*, FILE_* */
export async function openSimilar(request: SimilarRequest, ask: Ask): Promise<SimilarMolecules> {
  const { tier, scope, path, use, emit } = request;
  await tier.open(ask);
  const toolkit = await createFingerprinter({}, ask);
  try {
    const read = await FingerprintIndex.read(path);
    const known = read !== undefined && isOf(read.facts, scope, tier, toolkit) ? read : undefined;
    const age = known === undefined ? "there is no index yet" : await ageOf(known, request, ask);
    let index = known;
    if (age !== undefined) {
      if (use === "current" || (use === "as-is" && known === undefined))
        throw new AppError(
          "SIMILAR_INDEX_OLD",
          `looking for similar molecules of ${scope.modelId} in ${tier.name}: ${known === undefined ? age : `the index is older than the store: ${age}`}`,
        );
      if (use === "as-is")
        emit({ kind: "warning", message: `the index of ${scope.modelId} is older than the store: ${age}` });
      else index = await updated(known, request, toolkit, ask);
    }
    const searched = index ?? FingerprintIndex.of(factsOf(request, toolkit, 0, []), []);
    return new Search(searched, { tier, scope, toolkit });
  } catch (error) {
    await toolkit.close();
    throw error;
  }
}

function isOf(
  facts: IndexFacts,
  scope: PredictionScope,
  tier: PredictionTier,
  toolkit: Fingerprinter,
): boolean {
  return (
    facts.model === scope.modelId &&
    facts.release === scope.release &&
    facts.columns === columnsDigest(scope.columns) &&
    facts.tier === tier.name &&
    facts.fingerprints === toolkit.kind
  );
}

/** Why the index is older than the store; undefined = it is not. */
async function ageOf(
  index: FingerprintIndex,
  { tier, scope }: SimilarRequest,
  ask: Ask,
): Promise<string | undefined> {
  const rows = await tier.count(scope, ask);
  if (rows !== index.facts.rows) return `it was made from ${index.facts.rows} rows, and there are ${rows}`;
  // Equally many rows may be other ones: deleted, and stored again with other molecules.
  const step = Math.max(1, Math.floor(index.size / samples));
  const inputs: string[] = [];
  for (let row = 0; row < index.size; row += step) inputs.push(index.inputAt(row));
  const found = await tier.getMany(scope, inputs, ask);
  return found.every((row) => row !== undefined) ? undefined : "molecules of it are no longer stored";
}

/** Fingerprints are made only of molecules that the index does not have. */
async function updated(
  known: FingerprintIndex | undefined,
  request: SimilarRequest,
  toolkit: Fingerprinter,
  ask: Ask,
): Promise<FingerprintIndex> {
  const { tier, scope, emit } = request;
  const rowOf = new Map<string, number>();
  for (let row = 0; row < (known?.size ?? 0); row++) rowOf.set(known?.inputAt(row) ?? "", row);
  const notMolecules = new Set(known?.facts.unreadable ?? []);
  const molecules: IndexedMolecule[] = [];
  const unreadable: string[] = [];
  let rows = 0;
  let fresh: string[] = [];
  const flush = async () => {
    const prints = await toolkit.fingerprints(fresh, ask);
    for (const [at, input] of fresh.entries()) {
      const fingerprint = prints[at];
      if (fingerprint === undefined) unreadable.push(input);
      else molecules.push({ input, fingerprint });
    }
    fresh = [];
  };
  for await (const batch of tier.scan(scope, ask)) {
    checkAsk(ask, "making the index of similar molecules");
    rows += batch.length;
    for (const { input } of batch) {
      const row = rowOf.get(input);
      if (row !== undefined && known !== undefined)
        molecules.push({ input, fingerprint: known.fingerprintAt(row) });
      else if (notMolecules.has(input)) unreadable.push(input);
      else fresh.push(input);
      if (fresh.length >= batchRows) await flush();
    }
    emit({ kind: "storing", rows, share: undefined });
  }
  await flush();
  const index = FingerprintIndex.of(factsOf(request, toolkit, rows, unreadable), molecules);
  await index.write(request.path);
  return index;
}

function factsOf(
  { scope, tier }: SimilarRequest,
  toolkit: Fingerprinter,
  rows: number,
  unreadable: readonly string[],
): IndexFacts {
  return {
    model: scope.modelId,
    release: scope.release,
    columns: columnsDigest(scope.columns),
    tier: tier.name,
    fingerprints: toolkit.kind,
    rows,
    unreadable,
    builtAt: new Date().toISOString(),
  };
}

class Search implements SimilarMolecules {
  readonly facts: IndexFacts;
  readonly size: number;
  readonly #index: FingerprintIndex;
  readonly #tier: PredictionTier;
  readonly #scope: PredictionScope;
  readonly #toolkit: Fingerprinter;

  constructor(
    index: FingerprintIndex,
    parts: {
      readonly tier: PredictionTier;
      readonly scope: PredictionScope;
      readonly toolkit: Fingerprinter;
    },
  ) {
    this.facts = index.facts;
    this.size = index.size;
    this.#index = index;
    this.#tier = parts.tier;
    this.#scope = parts.scope;
    this.#toolkit = parts.toolkit;
  }

  async find(
    inputs: readonly string[],
    wanted: { readonly count: number; readonly similarity: number },
    ask: Ask,
  ): Promise<readonly (readonly NearRow[] | undefined)[]> {
    const prints = await this.#toolkit.fingerprints(inputs, ask);
    const neighbours = prints.map((print) => {
      checkAsk(ask, "looking for similar molecules");
      return print === undefined ? undefined : this.#index.nearest(print, wanted);
    });
    const names = [...new Set(neighbours.flatMap((each) => (each ?? []).map(({ input }) => input)))];
    const rows = names.length === 0 ? [] : await this.#tier.getMany(this.#scope, names, ask);
    const rowOf = new Map(names.map((name, at) => [name, rows[at]]));
    return neighbours.map((each) =>
      each?.flatMap(({ input, similarity }) => {
        const row = rowOf.get(input);
        return row === undefined ? [] : [{ row, similarity }];
      }),
    );
  }

  close(): Promise<void> {
    return this.#toolkit.close();
  }
}
