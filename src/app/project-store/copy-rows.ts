/** Rows on their way from one place to another: files, projects, projects of Isaura's and the local cache. */
import { resolve } from "node:path";
import { AppError, type Ask, checkAsk, defined } from "../../kernel/index.ts";
import type { Model } from "../../models/index.ts";
import { importPredictions, type PredictEventSink, RowGroups, readInputTexts } from "../../predict/index.ts";
import { newestVersion, type PredictionTier, writeIsauraChunks } from "../../store/predictions/index.ts";
import type { PredictionRow } from "../../task/index.ts";
import type { Environment } from "../environment.ts";
import { scopeOf } from "../stored.ts";
import { warnOf } from "../tier-warnings.ts";
import { createLocalTier, placesOf } from "../tiers.ts";
import {
  type Asked,
  type CopyTarget,
  closeAll,
  copyTargets,
  type InputColumn,
  requireReusable,
  targetsOf,
} from "./asked.ts";
import {
  isauraAt,
  modelIn,
  type ProjectOptions,
  type ProjectPart,
  partsOf,
  type SourceOptions,
  sourceOf,
  tierAt,
} from "./places.ts";

/** Rows of one place on their way to another. */
export interface MovedRows {
  readonly model: string;
  readonly release: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly read: number;
  readonly stored: number;
  readonly alreadyThere: number;
}

/** Stores the rows of a file of results. */
export async function write(
  options: SourceOptions & { readonly model: string; readonly input: string },
  { environment, emit }: Asked,
  ask: Ask,
): Promise<MovedRows & { readonly skipped: number }> {
  const model = await modelIn(options.model, options, environment, ask);
  requireReusable(model);
  const targets = targetsOf(options, environment);
  const tiers = targets.map((part) => tierAt(part, environment, warnOf(emit)));
  const path = resolve(environment.cwd, options.input);
  let done = { read: 0, stored: 0, alreadyThere: 0, skipped: 0 };
  try {
    for (const tier of tiers) {
      await tier.open(ask);
      done = await importPredictions({ path, model, tier, emit }, ask);
    }
  } finally {
    await closeAll(tiers);
  }
  return {
    model: model.id,
    release: model.release,
    from: path,
    to: targets.map(({ label }) => label),
    ...done,
  };
}

/** Copies every row of a model; rows that are there are not written again. */
export async function copy(
  options: SourceOptions & CopyTarget & { readonly model: string },
  { environment, emit }: Asked,
  ask: Ask,
): Promise<MovedRows & { readonly files?: readonly string[] }> {
  const model = await modelIn(options.model, options, environment, ask);
  const source = sourceOf(options, environment, warnOf(emit));
  try {
    await source.open(ask);
    if (options.toIsaura !== undefined)
      return await toIsaura(
        source,
        model,
        { ...options, toIsaura: options.toIsaura },
        { environment, emit },
        ask,
      );
    await requireKnownRelease(options, model, environment, ask);
    const targets = copyTargets(options, environment);
    if (options.isaura === undefined) refuseSame(partsOf(options, environment), targets);
    const tiers = targets.map((part) => tierAt(part, environment, warnOf(emit)));
    try {
      return await copied(source, { tiers, targets: targets.map(({ label }) => label), model }, emit, ask);
    } finally {
      await closeAll(tiers);
    }
  } finally {
    await source.close();
  }
}

/**
 * Isaura numbers the versions of a model itself: whether its `v2` holds rows of release v1.4.0 is not known, and rows
 * that are recorded as those of another release would be reused as such. Where the numbers differ, the user decides.
 * @throws CLI_USAGE
 */
async function requireKnownRelease(
  { isaura, version }: SourceOptions,
  { id, release }: Model,
  environment: Environment,
  ask: Ask,
): Promise<void> {
  if (isaura === undefined || version !== undefined) return;
  const { tier } = isauraAt({ isaura }, environment, () => {});
  try {
    await tier.open(ask);
    const versions = await tier.versions(id, ask);
    const newest = newestVersion(versions);
    if (newest === undefined || majorOf(newest) === majorOf(release)) return;
    throw new AppError(
      "CLI_USAGE",
      `the newest version of ${id} in ${tier.name} is ${newest}, but the model's release is ${release}: rows of another release would be reused as if they were of ${release}. If you know that they are, name the version with --version (there: ${versions.toSorted().join(", ")})`,
    );
  } finally {
    await tier.close();
  }
}

/** `v1` of `v1.4.0`. */
function majorOf(release: string): string | undefined {
  return /^v?(\d+)/.exec(release)?.[1];
}

function refuseSame(from: readonly ProjectPart[], to: readonly ProjectPart[]): void {
  const same = to.find(({ place }) => from.some((part) => part.place === place));
  if (same !== undefined)
    throw new AppError("CLI_USAGE", `${same.label} is both read and written; name another place or access`);
}

async function copied(
  source: Pick<PredictionTier, "name" | "scan">,
  to: {
    readonly tiers: readonly PredictionTier[];
    readonly targets: readonly string[];
    readonly model: Model;
  },
  emit: PredictEventSink,
  ask: Ask,
): Promise<MovedRows> {
  const { tiers, targets, model } = to;
  const scope = scopeOf(model);
  requireReusable(model);
  const groups = tiers.map((tier) => new RowGroups((rows) => tier.putMany(scope, rows, ask)));
  for (const tier of tiers) await tier.open(ask);
  let read = 0;
  for await (const rows of source.scan(scope, ask)) {
    checkAsk(ask, "copying stored predictions");
    read += rows.length;
    for (const group of groups) for (const row of rows) if (group.add(row)) await group.flush();
    emit({ kind: "storing", rows: read, share: undefined });
  }
  for (const group of groups) await group.flush();
  return {
    model: model.id,
    release: model.release,
    from: source.name,
    to: targets,
    read,
    stored: Math.max(0, ...groups.map(({ stored }) => stored)),
    alreadyThere: Math.max(0, ...groups.map(({ alreadyThere }) => alreadyThere)),
  };
}

export async function toIsaura(
  source: PredictionTier,
  model: Model,
  {
    toIsaura: place,
    toVersion,
    version: asked,
    isaura,
  }: SourceOptions & CopyTarget & { readonly toIsaura: string },
  { environment, emit }: Asked,
  ask: Ask,
): Promise<MovedRows & { readonly files: readonly string[] }> {
  const version = toVersion ?? (isaura !== undefined ? asked : undefined) ?? "v1";
  if (!/^v[0-9][A-Za-z0-9._-]*$/.test(version))
    throw new AppError("CLI_USAGE", `--to-version must be v1, v2 and so on, got ${JSON.stringify(version)}`);
  const { tier: there, store } = isauraAt({ isaura: place, version }, environment, warnOf(emit));
  const scope = scopeOf(model);
  let read = 0;
  let known = 0;
  async function* fresh(): AsyncGenerator<readonly PredictionRow[]> {
    for await (const rows of source.scan(scope, ask)) {
      read += rows.length;
      const found = await there.getMany(
        scope,
        rows.map(({ input }) => input),
        ask,
      );
      const left = rows.filter((_, at) => found[at] === undefined);
      known += rows.length - left.length;
      emit({ kind: "storing", rows: read, share: undefined });
      yield left;
    }
  }
  try {
    // Isaura makes projects; a folder may be new.
    await store.open(ask);
    await there.open(ask);
    const written = await writeIsauraChunks({ store, scope, version }, fresh(), ask);
    return {
      model: model.id,
      release: model.release,
      from: source.name,
      to: [there.name],
      read,
      stored: written.rows,
      alreadyThere: known,
      files: written.files,
    };
  } finally {
    await there.close();
  }
}

/** Copies rows of the local cache into a project. */
export async function push(
  options: ProjectOptions & { readonly model: string; readonly local?: string; readonly version?: string },
  { environment, emit }: Asked,
  ask: Ask,
): Promise<MovedRows> {
  const model = await modelIn(options.model, options, environment, ask);
  const targets = targetsOf(options, environment);
  const local = createLocalTier(
    placesOf(defined({ local: options.local }), environment).local,
    {},
    warnOf(emit),
  );
  const tiers = targets.map((part) => tierAt(part, environment, warnOf(emit)));
  try {
    await local.open(ask);
    return await copied(local, { tiers, targets: targets.map(({ label }) => label), model }, emit, ask);
  } finally {
    await closeAll([local, ...tiers]);
  }
}

/** Copies rows of a project (or a project of Isaura's) into the local cache: all, or those of a file's inputs. */
export async function pull(
  options: SourceOptions &
    InputColumn & { readonly model: string; readonly local?: string; readonly input?: string },
  { environment, emit }: Asked,
  ask: Ask,
): Promise<MovedRows> {
  const model = await modelIn(options.model, options, environment, ask);
  const scope = scopeOf(model);
  const source = sourceOf(options, environment, warnOf(emit));
  const local = createLocalTier(
    placesOf(defined({ local: options.local }), environment).local,
    {},
    warnOf(emit),
  );
  try {
    await source.open(ask);
    await requireKnownRelease(options, model, environment, ask);
    const to = { tiers: [local], targets: [local.name], model };
    if (options.input === undefined) return await copied(source, to, emit, ask);
    const path = resolve(environment.cwd, options.input);
    return await copied({ name: source.name, scan: () => wanted() }, to, emit, ask);
    async function* wanted(): AsyncGenerator<readonly PredictionRow[]> {
      for await (const inputs of readInputTexts({ path, ...defined({ column: options.column }) }, ask))
        yield (await source.getMany(scope, inputs, ask)).filter((row) => row !== undefined);
    }
  } finally {
    await closeAll([source, local]);
  }
}
