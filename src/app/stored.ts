/** Moving stored predictions: copy, import, compact. */
import type { Separator } from "../csv/index.ts";
import type { Ask } from "../kernel/index.ts";
import { AppError, checkAsk, defined, invariant } from "../kernel/index.ts";
import { findModel, type Model } from "../models/index.ts";
import {
  type ImportTreeReport,
  importPredictions,
  importTree,
  type PredictEventSink,
  RowGroups,
  type Source,
} from "../predict/index.ts";
import {
  columnsDigest,
  type PredictionTier,
  type PutPrice,
  type TierEventSink,
} from "../store/predictions/index.ts";
import type { PredictionScope } from "../task/index.ts";
import type { Environment } from "./environment.ts";
import { importSource } from "./import-sources.ts";
import { warnOf } from "./tier-warnings.ts";
import {
  createCloudTier,
  createLocalTier,
  createParquet,
  type LocalRules,
  parquetOf,
  placesOf,
} from "./tiers.ts";

/** Tiers other than the default ones. */
export interface TierOptions extends LocalRules {
  readonly local?: string;
  readonly cloud?: string;
}

/** Only count what would be written, and what that costs. */
export interface DryRunOptions {
  readonly dryRun?: true;
}

/** `dryRun`: nothing was written. `price`: of a cache that charges for each row. */
export interface DryRunFacts {
  readonly dryRun?: true;
  readonly price?: PutPrice;
}

export interface CopyResult extends DryRunFacts {
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
  options: TierOptions & DryRunOptions & { readonly model: string; readonly from: Source },
  environment: Environment,
  emit: PredictEventSink,
  ask: Ask,
): Promise<CopyResult> {
  const { home, cwd } = environment;
  const model = await findModel({ name: options.model, home, cwd }, ask);
  const tiers = tiersOf(options, environment, warnOf(emit));
  const from = tiers[options.from];
  const to = tiers[options.from === "local" ? "cloud" : "local"];
  const { writer, facts } = writerTo(to, options);
  const groups = new RowGroups((rows) => writer.putMany(scopeOf(model), rows, ask));
  let read = 0;
  try {
    await from.open(ask);
    await to.open(ask);
    const total = await aboutHowMany(from, model, ask);
    for await (const rows of from.scan(scopeOf(model), ask)) {
      checkAsk(ask, "copying stored predictions");
      read += rows.length;
      for (const row of rows) if (groups.add(row)) await groups.flush();
      emit({ kind: "storing", rows: read, share: total === undefined ? undefined : read / total });
    }
    await groups.flush();
  } finally {
    await closeBoth(tiers);
  }
  return {
    model: model.id,
    release: model.release,
    from: from.name,
    to: to.name,
    read,
    stored: groups.stored,
    alreadyThere: groups.alreadyThere,
    ...facts(),
  };
}

/** Writes to the tier; for a dry run, plans instead. */
function writerTo(
  tier: PredictionTier,
  { dryRun }: DryRunOptions,
): { readonly writer: Pick<PredictionTier, "putMany">; facts(): DryRunFacts } {
  if (dryRun === undefined) return { writer: tier, facts: () => ({}) };
  let price: PutPrice | undefined;
  const putMany: PredictionTier["putMany"] = async (scope, rows, ask) => {
    const plan = await tier.planPut?.(scope, rows, ask);
    invariant(plan !== undefined, `${tier.name} cannot plan`);
    if (plan.price !== undefined)
      price = {
        ...plan.price,
        once: plan.price.once + (price?.once ?? 0),
        monthly: plan.price.monthly + (price?.monthly ?? 0),
      };
    return { stored: plan.stored, alreadyThere: plan.alreadyThere };
  };
  return { writer: { putMany }, facts: () => ({ dryRun, ...defined({ price }) }) };
}

/** For a percentage: counting exactly would read every row of some tiers. */
async function aboutHowMany(tier: PredictionTier, model: Model, ask: Ask): Promise<number | undefined> {
  const columns = columnsDigest(model.columns);
  const stored = (await tier.listScopes(ask)).find(
    (each) => each.modelId === model.id && each.release === model.release && each.columns === columns,
  );
  return stored?.rows;
}

/** `skipped`: rows without a value in any column, failures and misses of the run that wrote the file. */
export interface ImportResult extends ImportTreeReport, DryRunFacts {
  readonly model: string;
  readonly release: string;
  readonly into: string;
}

/** Stores the rows of a file, of all files below a folder, or of an object or a prefix on S3. */
export async function importFile(
  options: TierOptions &
    DryRunOptions & {
      readonly model: string;
      readonly file: string;
      readonly into: Source;
      readonly delimiter?: Separator;
      readonly missing?: string;
    },
  environment: Environment,
  emit: PredictEventSink,
  ask: Ask,
): Promise<ImportResult> {
  const { home, cwd } = environment;
  const model = await findModel({ name: options.model, home, cwd }, ask);
  if (model.reusable.kind === "never")
    throw new AppError(
      "PREDICT_NOT_REUSABLE",
      `cannot store predictions of ${model.id}: ${model.reusable.reason}`,
    );
  const source = await importSource(options.file, environment, ask);
  const tiers = tiersOf(options, environment);
  try {
    const tier = tiers[options.into];
    const { writer, facts } = writerTo(tier, options);
    await tier.open(ask);
    const how = {
      model,
      tier: writer,
      emit,
      ...defined({ delimiter: options.delimiter, missing: options.missing }),
    };
    const done =
      source.kind === "file"
        ? { ...(await importPredictions({ path: source.path, ...how }, ask)), ...oneFile }
        : await importTree({ place: source.place, files: source.files, ...how }, ask);
    return { model: model.id, release: model.release, into: tier.name, ...done, ...facts() };
  } finally {
    await closeBoth(tiers);
    if (source.kind === "tree") await source.close();
  }
}

const oneFile = { files: 1, otherFiles: { count: 0, names: [] }, leftOut: { count: 0, files: [] } } as const;

export function scopeOf(model: Model): PredictionScope {
  return { modelId: model.id, release: model.release, columns: model.columns };
}

export function tiersOf(
  options: TierOptions,
  environment: Environment,
  onEvent: TierEventSink = () => {},
): Record<Source, PredictionTier> {
  const places = placesOf(options, environment);
  return {
    local: createLocalTier(places.local, options, onEvent),
    cloud: createCloudTier(places.cloud, environment, onEvent),
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
  options: TierOptions & { readonly model: string },
  environment: Environment,
  ask: Ask,
): Promise<CompactResult> {
  const { home, cwd } = environment;
  const model = await findModel({ name: options.model, home, cwd }, ask);
  const tier = createParquet(parquetOf(placesOf(options, environment).cloud), environment, () => {});
  try {
    await tier.open(ask);
    const report = await tier.compact(scopeOf(model), ask);
    return { model: model.id, release: model.release, tier: tier.name, ...report };
  } finally {
    await tier.close();
  }
}
