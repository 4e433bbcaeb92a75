/** What is stored, of every model and release, and deleting it: `predictions stats` and `predictions drop`. */
import { AppError, type Ask, checkAsk, defined, isAppError } from "../kernel/index.ts";
import { findModel, listModels, type Model } from "../models/index.ts";
import { forgetUnsent, type Source } from "../predict/index.ts";
import { columnsDigest, type PredictionTier, type StoredScope } from "../store/predictions/index.ts";
import type { Environment } from "./environment.ts";
import { closeBoth, scopeOf, type TierOptions, tiersOf } from "./stored.ts";
import { unsentPlaces } from "./tiers.ts";

export interface StatsRow {
  readonly model: string;
  /** undefined = rows that Ersilia wrote into a Redis, whose release nobody knows. */
  readonly release?: string;
  /**
   * `current`: of the model that is here. `other-release`, `other-columns`: of another state of it; never answered.
   * `unknown-release`: Ersilia's. `no-model`: the model is not installed.
   */
  readonly state: "current" | "other-release" | "other-columns" | "unknown-release" | "no-model";
  /** undefined = the tier cannot be reached. */
  readonly local?: number;
  readonly cloud?: number;
}

export interface StatsResult {
  readonly local: string;
  readonly cloud: string;
  readonly rows: readonly StatsRow[];
  readonly problems: readonly string[];
}

/** Counts per model, release and set of columns; without a model, of everything that is stored. */
export async function stats(
  options: TierOptions & { readonly model?: string },
  environment: Environment,
  ask: Ask,
): Promise<StatsResult> {
  const tiers = tiersOf(options, environment);
  const problems: string[] = [];
  const from = async <T>(source: Source, read: (tier: PredictionTier) => Promise<T>, otherwise: T) => {
    try {
      await tiers[source].open(ask);
      return await read(tiers[source]);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (!problems.includes(error.message)) problems.push(error.message);
      return otherwise;
    }
  };
  try {
    const named = options.model === undefined ? undefined : await modelNamed(options.model, environment, ask);
    const models = named === undefined ? (await listModels(environment.home, ask)).models : installed(named);
    const rows = new Map<string, StatsRow>();
    for (const model of models) {
      checkAsk(ask, "counting stored predictions");
      const local = await from("local", (tier) => tier.count(scopeOf(model), ask), undefined);
      const cloud = await from("cloud", (tier) => tier.count(scopeOf(model), ask), undefined);
      if ((local ?? 0) + (cloud ?? 0) === 0 && options.model === undefined) continue;
      rows.set(idOf(model.id, model.release, columnsDigest(model.columns)), {
        model: model.id,
        release: model.release,
        state: "current",
        ...defined({ local, cloud }),
      });
    }
    for (const source of ["local", "cloud"] as const) {
      const listed = await from(source, (tier) => tier.listScopes(ask), undefined);
      for (const stored of listed ?? []) {
        if (named !== undefined && stored.modelId !== idOfModel(named)) continue;
        const state = stateOf(stored, models);
        if (state === "current") continue;
        const id = idOf(stored.modelId, stored.release, stored.columns);
        const { modelId: model, release } = stored;
        const row = rows.get(id) ?? { model, ...defined({ release }), state };
        rows.set(id, { ...row, [source]: stored.rows });
      }
      // What a tier does not list it does not hold.
      if (listed === undefined) continue;
      for (const [id, row] of rows) rows.set(id, { ...row, [source]: row[source] ?? 0 });
    }
    const { local, cloud } = tiers;
    return { local: local.name, cloud: cloud.name, rows: sorted([...rows.values()]), problems };
  } finally {
    await closeBoth(tiers);
  }
}

export interface DropResult {
  readonly model: string;
  /** Releases that lost rows, or would. */
  readonly releases: readonly string[];
  readonly from: string;
  /** Rows that were deleted, or would be. */
  readonly rows: number;
  readonly deleted: boolean;
}

export interface DropOptions extends TierOptions {
  readonly model: string;
  readonly from: Source;
  /** `current`: the release of the model that is here. `stale`: everything of the model but that. */
  readonly which: "current" | "stale" | { readonly release: string };
  readonly sure: boolean;
}

/** Deletes stored rows of a model in one tier. Without `sure` it only counts. */
export async function drop(options: DropOptions, environment: Environment, ask: Ask): Promise<DropResult> {
  const found = await modelNamed(options.model, environment, ask);
  const model = typeof found === "string" ? undefined : found;
  const id = idOfModel(found);
  if (model === undefined && options.which === "current")
    throw new AppError(
      "MODEL_NOT_FOUND",
      `cannot determine the current release of ${id}: the model is not installed; use --release or --stale`,
    );
  const release = typeof options.which === "object" ? options.which.release : model?.release;
  const tiers = tiersOf(options, environment);
  try {
    const tier = tiers[options.from];
    await tier.open(ask);
    const current = model === undefined ? undefined : scopeOf(model);
    // The current rows are counted exactly: in a Redis, Ersilia's rows lie between them.
    const ownToo = current !== undefined && options.which !== "stale" && release === current.release;
    const listed = (await tier.listScopes(ask)).filter(
      (stored) =>
        stored.modelId === id &&
        stored.release !== undefined &&
        (current === undefined || stateOf(stored, [model as Model]) !== "current") &&
        (options.which === "stale" || stored.release === release),
    );
    let rows = 0;
    if (ownToo) rows += options.sure ? await tier.drop(current, ask) : await tier.count(current, ask);
    for (const stored of listed) rows += options.sure ? await tier.dropListed(stored, ask) : stored.rows;
    const releases = new Set(listed.map((stored) => stored.release ?? ""));
    if (ownToo) releases.add(current.release);
    const deleted = options.sure;
    // What waits for this tier would bring dropped rows back.
    if (options.sure)
      await forgetUnsent(unsentPlaces(tiers, environment)[options.from], {
        modelId: id,
        release: (each) => (options.which === "stale" ? each !== model?.release : each === release),
      });
    return { model: id, releases: [...releases], from: tier.name, rows, deleted };
  } finally {
    await closeBoth(tiers);
  }
}

/** The model; its id where it is not installed (any more) but may still have rows. */
async function modelNamed(
  name: string,
  { home, cwd }: Pick<Environment, "home" | "cwd">,
  ask: Ask,
): Promise<Model | string> {
  try {
    return await findModel({ name, home, cwd }, ask);
  } catch (error) {
    if (!isAppError(error, "MODEL_NOT_FOUND") || !/^[a-z0-9][a-z0-9_-]*$/i.test(name)) throw error;
    return name;
  }
}

function installed(model: Model | string): readonly Model[] {
  return typeof model === "string" ? [] : [model];
}

function idOfModel(model: Model | string): string {
  return typeof model === "string" ? model : model.id;
}

function idOf(model: string, release: string | undefined, columns: string | undefined): string {
  return JSON.stringify([model, release, columns]);
}

function stateOf(stored: StoredScope, models: readonly Model[]): StatsRow["state"] {
  const model = models.find((each) => each.id === stored.modelId);
  if (model === undefined) return "no-model";
  if (stored.release === undefined) return "unknown-release";
  if (stored.release !== model.release) return "other-release";
  return stored.columns === columnsDigest(model.columns) ? "current" : "other-columns";
}

/** By model; the current release first. */
function sorted(rows: readonly StatsRow[]): readonly StatsRow[] {
  const textOf = (row: StatsRow) =>
    `${row.model} ${row.state === "current" ? 0 : 1} ${row.release ?? ""} ${row.state}`;
  return rows.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}
