/**
 * A model that is not installed, as far as the caches know it: its columns and its release. Enough to look rows up and to
 * dump them. Which release is meant is never guessed: `<id>@<release>` names it where a cache holds several.
 */
import { AppError, type Ask, type ModelId } from "../kernel/index.ts";
import type { Model } from "../models/index.ts";
import type { PredictionTier, StoredScope } from "../store/predictions/index.ts";

/** Rows that Ersilia wrote say nothing of their release. */
const unknownRelease = "unknown";

/**
 * @param notFound thrown again where the caches do not know the model either.
 * @throws STORE_* where a cache cannot be reached: it may know the model.
 */
export async function modelFromCaches(
  name: string,
  tiers: readonly PredictionTier[],
  notFound: AppError,
  ask: Ask,
): Promise<Model> {
  const [, id, asked] = /^([A-Za-z0-9][A-Za-z0-9_-]*)(?:@(.+))?$/.exec(name) ?? [];
  if (id === undefined) throw notFound;
  const found: { readonly tier: PredictionTier; readonly scope: StoredScope }[] = [];
  for (const tier of tiers) {
    await tier.open(ask);
    for (const scope of await tier.listScopes(ask))
      if (scope.modelId === id && (asked === undefined || scope.release === asked))
        found.push({ tier, scope });
  }
  const named = found.filter(({ scope }) => scope.release !== undefined);
  const candidates = named.length > 0 ? named : found;
  const states = new Map(
    candidates.map((each) => [JSON.stringify([each.scope.release, each.scope.columns]), each]),
  );
  const [only, another] = states.values();
  if (only === undefined) throw notFound;
  if (another !== undefined) {
    const releases = [...new Set([...states.values()].map(({ scope }) => scope.release ?? unknownRelease))];
    const words =
      releases.length > 1
        ? `the caches hold the releases ${releases.join(", ")} of it; write ${id}@${releases[0]} or fetch the model`
        : `the caches hold rows of several sets of columns of it; fetch the model`;
    throw new AppError("MODEL_NOT_FOUND", `looking for model ${name}: it is not installed, and ${words}`);
  }
  const columns = await columnsIn(candidates, ask);
  if (columns === undefined)
    throw new AppError(
      "MODEL_NOT_FOUND",
      `looking for model ${name}: it is not installed, and ${only.tier.name} keeps its rows but not the names of its columns; fetch the model`,
    );
  return {
    id: id as ModelId,
    slug: id,
    title: `${id}, known from its cached rows`,
    description: "",
    release: only.scope.release ?? unknownRelease,
    columns,
    reusable: { kind: "reusable" },
    metadata: {},
    exampleInputs: [],
    source: { kind: "cache" },
  };
}

/** Of the first cache that keeps them: the digest proves that they are the same in all. */
async function columnsIn(
  candidates: readonly { readonly tier: PredictionTier; readonly scope: StoredScope }[],
  ask: Ask,
): Promise<Model["columns"] | undefined> {
  for (const { tier, scope } of candidates) {
    const columns = await tier.columnsOf?.(scope, ask);
    if (columns !== undefined) return columns;
  }
  return undefined;
}
