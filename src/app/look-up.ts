/** Everything that is stored for one molecule: every model, release and set of columns, in both caches. */
import { md5Hex } from "../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  type ModelId,
  mapBounded,
  messageOf,
} from "../kernel/index.ts";
import { createCanonicalizer, listModels, type Model } from "../models/index.ts";
import type { Source } from "../predict/index.ts";
import { columnsDigest, type PredictionTier } from "../store/predictions/index.ts";
import type { Cell, PredictionRow, PredictionScope, Provenance } from "../task/index.ts";
import type { Environment } from "./environment.ts";
import { pastPredictions } from "./history/prediction-history.ts";
import { runThatComputed } from "./provenance/prediction-facts.ts";
import { closeBoth, scopeOf, type TierOptions, tiersOf } from "./stored.ts";

export interface LookUpOptions extends TierOptions {
  readonly molecule: string;
  /** Also rows of other spellings of the same molecule, where a cache keeps canonical forms. */
  readonly match: "exact" | "canonical";
}

export interface FoundValues extends Provenance {
  readonly model: string;
  readonly slug?: string;
  /** undefined = rows that Ersilia wrote, whose release nobody knows. */
  readonly release?: string;
  /** Whether a run would answer with it: the model is here in this release with these columns. */
  readonly state: "current" | "other-release" | "other-columns" | "unknown-release" | "no-model";
  readonly cache: Source;
  /** The run of predictions that computed it, where it is still known. */
  readonly run?: string;
  /** The spelling that the row was stored under, where it is another one. */
  readonly storedAs?: string;
  readonly values: Readonly<Record<string, Cell>>;
}

export interface LookUpResult {
  readonly molecule: string;
  /** MD5 of the molecule as it is written. */
  readonly key: string;
  readonly found: readonly FoundValues[];
  /** Models that were asked for without a stored value in any cache. */
  readonly missing: readonly string[];
  /** Caches that could not be asked, and scopes whose columns nobody knows. */
  readonly problems: readonly string[];
}

/** Scopes asked at the same time. */
const atOnce = 4;

interface AskedScope {
  readonly scope: PredictionScope;
  readonly state: FoundValues["state"];
  readonly slug?: string;
  readonly isOfErsilia: boolean;
}

export async function lookUp(
  { molecule, match, ...options }: LookUpOptions,
  environment: Environment,
  ask: Ask,
): Promise<LookUpResult> {
  if (molecule.trim() === "")
    throw new AppError("CLI_USAGE", "cannot look up a molecule: its SMILES is empty");
  const { models } = await listModels(environment.home, ask);
  const form = match === "canonical" ? await canonicalOf(molecule, ask) : undefined;
  const tiers = tiersOf(options, environment);
  const found: FoundValues[] = [];
  const problems: string[] = [];
  let unasked: AppError | undefined;
  try {
    for (const cache of ["local", "cloud"] as const) {
      const tier = tiers[cache];
      try {
        await tier.open(ask);
        const scopes = await scopesIn(tier, models, problems, ask);
        const rows = await mapBounded(scopes, atOnce, async (asked) => {
          checkAsk(ask, "looking a molecule up");
          const row = await rowOf(tier, asked.scope, { molecule, form }, ask);
          return row === undefined ? [] : [foundValues(row, asked, { molecule, cache })];
        });
        found.push(...rows.flat());
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (error.code === "RUN_INTERRUPTED") throw error;
        problems.push(messageOf(error));
        unasked = error;
      }
    }
  } finally {
    await closeBoth(tiers);
  }
  const past = found.length === 0 ? [] : await pastPredictions(environment);
  const withRuns = found.map((each) => ({ ...each, ...defined({ run: runThatComputed(each, past) }) }));
  // "Nothing is stored" would be a guess.
  if (found.length === 0 && unasked !== undefined) throw unasked;
  const answered = new Set(found.filter(({ state }) => state === "current").map(({ model }) => model));
  return {
    molecule,
    key: md5Hex(molecule),
    found: withRuns.toSorted(byModel),
    missing: models.map(({ id }) => id as string).filter((id) => !answered.has(id)),
    problems,
  };
}

/** The scopes of the models here, and every other that the cache lists and knows the columns of. */
async function scopesIn(
  tier: PredictionTier,
  models: readonly Model[],
  problems: string[],
  ask: Ask,
): Promise<readonly AskedScope[]> {
  const asked: AskedScope[] = models.map((model) => ({
    scope: scopeOf(model),
    state: "current",
    slug: model.slug,
    isOfErsilia: false,
  }));
  for (const stored of await tier.listScopes(ask)) {
    const model = models.find(({ id }) => id === stored.modelId);
    const isCurrent =
      model !== undefined &&
      (stored.release === undefined ||
        (stored.release === model.release && stored.columns === columnsDigest(model.columns)));
    // A tier answers rows of unknown release under the model that is here.
    if (isCurrent) continue;
    const columns = await tier.columnsOf?.(stored, ask);
    if (columns === undefined) {
      problems.push(
        `${tier.name} holds rows of ${stored.modelId} ${stored.release ?? "of unknown release"} without the names of their columns; they were not looked at`,
      );
      continue;
    }
    asked.push({
      scope: { modelId: stored.modelId as ModelId, release: stored.release ?? "unknown", columns },
      state:
        model === undefined
          ? "no-model"
          : stored.release === model.release
            ? "other-columns"
            : "other-release",
      ...defined({ slug: model?.slug }),
      isOfErsilia: stored.release === undefined,
    });
  }
  return asked;
}

async function rowOf(
  tier: PredictionTier,
  scope: PredictionScope,
  { molecule, form }: { readonly molecule: string; readonly form: string | undefined },
  ask: Ask,
): Promise<PredictionRow | undefined> {
  const [row] = await tier.getMany(scope, [molecule], ask);
  if (row !== undefined || form === undefined || !tier.can.canonicalIndex) return row;
  const [other] = (await tier.getManyCanonical?.(scope, [form], ask)) ?? [];
  return other;
}

function foundValues(
  row: PredictionRow,
  { scope, state, slug, isOfErsilia }: AskedScope,
  { molecule, cache }: { readonly molecule: string; readonly cache: Source },
): FoundValues {
  return {
    model: scope.modelId,
    ...defined({ slug }),
    ...(isOfErsilia ? {} : { release: scope.release }),
    state: isOfErsilia && state !== "no-model" ? "unknown-release" : state,
    cache,
    ...(row.input === molecule ? {} : { storedAs: row.input }),
    ...row.provenance,
    values: Object.fromEntries(scope.columns.map(({ name }, c) => [name, row.values[c] ?? null])),
  };
}

async function canonicalOf(molecule: string, ask: Ask): Promise<string | undefined> {
  const canonicalizer = await createCanonicalizer({}, ask);
  try {
    const [form] = await canonicalizer.canonicalize([molecule], ask);
    if (form !== undefined) return `${form.toolkit}:${form.canonical}`;
    throw new AppError(
      "PREDICT_INPUT_MALFORMED",
      `cannot look up ${JSON.stringify(molecule)} by its canonical form: it is not one SMILES that the toolkit can read`,
    );
  } finally {
    await canonicalizer.close();
  }
}

/** Rows that a run would answer with come first. */
function byModel(a: FoundValues, b: FoundValues): number {
  const textOf = (each: FoundValues) =>
    `${each.state === "current" ? 0 : 1} ${each.model} ${each.release ?? ""} ${each.cache === "local" ? 0 : 1}`;
  return textOf(a) < textOf(b) ? -1 : 1;
}
