/** Moving stored predictions: copy, import, compact. */
import type { Ask } from "../kernel/index.ts";
import { AppError, checkAsk } from "../kernel/index.ts";
import { findModel, type Model } from "../models/index.ts";
import { importPredictions, type Source } from "../predict/index.ts";
import type { PredictionTier } from "../store/predictions/index.ts";
import type { PredictionRow, PredictionScope } from "../task/index.ts";
import type { Environment } from "./environment.ts";
import { createCloudTier, createLocalTier, createParquet, type LocalRules, placesOf } from "./tiers.ts";

/** Tiers other than the default ones. */
export interface TierWish extends LocalRules {
  readonly local?: string;
  readonly cloud?: string;
}

export interface CopyResult {
  readonly model: string;
  readonly release: string;
  readonly from: string;
  readonly to: string;
  readonly read: number;
  readonly stored: number;
  readonly alreadyThere: number;
}

/** Copies every row of a model from one tier to the other; rows that are there already are not written again. */
export async function copy(
  wish: TierWish & { readonly model: string; readonly from: Source },
  environment: Environment,
  ask: Ask,
): Promise<CopyResult> {
  const { home, cwd } = environment;
  const model = await findModel({ name: wish.model, home, cwd }, ask);
  const tiers = tiersOf(wish, environment);
  const from = tiers[wish.from];
  const to = tiers[wish.from === "local" ? "cloud" : "local"];
  const done = { read: 0, stored: 0, alreadyThere: 0 };
  const put = async (rows: readonly PredictionRow[]) => {
    const report = await to.putMany(scopeOf(model), rows, ask);
    done.stored += report.stored;
    done.alreadyThere += report.alreadyThere;
  };
  try {
    await from.open(ask);
    await to.open(ask);
    let held: PredictionRow[] = [];
    for await (const rows of from.scan(scopeOf(model), ask)) {
      checkAsk(ask, "copying stored predictions");
      done.read += rows.length;
      held.push(...rows);
      if (held.length < copyRows) continue;
      await put(held);
      held = [];
    }
    if (held.length > 0) await put(held);
  } finally {
    await closeBoth(tiers);
  }
  return { model: model.id, release: model.release, from: from.name, to: to.name, ...done };
}

export interface ImportResult {
  readonly model: string;
  readonly release: string;
  readonly into: string;
  readonly read: number;
  readonly stored: number;
  readonly alreadyThere: number;
  /** Rows without a value in any column: failures and misses of the run that wrote the file. */
  readonly skipped: number;
}

/** Stores the rows of a CSV or TSV file with the columns `input` and those of the model. */
export async function importFile(
  wish: TierWish & { readonly model: string; readonly file: string; readonly into: Source },
  environment: Environment,
  ask: Ask,
): Promise<ImportResult> {
  const { home, cwd } = environment;
  const model = await findModel({ name: wish.model, home, cwd }, ask);
  if (model.reusable.kind === "never")
    throw new AppError(
      "PREDICT_NOT_REUSABLE",
      `cannot store predictions of ${model.id}: ${model.reusable.reason}`,
    );
  const tiers = tiersOf(wish, environment);
  try {
    const tier = tiers[wish.into];
    await tier.open(ask);
    const done = await importPredictions({ path: wish.file, model, tier }, ask);
    return { model: model.id, release: model.release, into: tier.name, ...done };
  } finally {
    await closeBoth(tiers);
  }
}

const copyRows = 50_000;

export function scopeOf(model: Model): PredictionScope {
  return { modelId: model.id, release: model.release, columns: model.columns };
}

export function tiersOf(wish: TierWish, environment: Environment): Record<Source, PredictionTier> {
  const places = placesOf(wish, environment);
  return {
    local: createLocalTier(places.local, wish, () => {}),
    cloud: createCloudTier(places.cloud, environment, () => {}),
  };
}

export async function closeBoth(tiers: Record<Source, PredictionTier>): Promise<void> {
  await Promise.allSettled([tiers.local.close(), tiers.cloud.close()]);
}

export interface CompactResult {
  readonly model: string;
  readonly release: string;
  readonly tier: string;
  readonly filesBefore: number;
  readonly filesAfter: number;
  readonly rows: number;
  /** Rows that stood in more than one file. */
  readonly duplicates: number;
}

/** Merges the files of a model in the cloud tier; readers and other writers are not disturbed. */
export async function compact(
  wish: TierWish & { readonly model: string },
  environment: Environment,
  ask: Ask,
): Promise<CompactResult> {
  const { home, cwd } = environment;
  const model = await findModel({ name: wish.model, home, cwd }, ask);
  const tier = createParquet(placesOf(wish, environment).cloud, environment, () => {});
  try {
    await tier.open(ask);
    const report = await tier.compact(scopeOf(model), ask);
    return { model: model.id, release: model.release, tier: tier.name, ...report };
  } finally {
    await tier.close();
  }
}
