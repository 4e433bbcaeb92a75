/** `memoir store …`: stored predictions in projects, and Isaura's projects in place. */
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { quotedWhere } from "../../csv/index.ts";
import { md5Hex } from "../../hash/index.ts";
import { AppError, type Ask, checkAsk, defined, messageOf } from "../../kernel/index.ts";
import { createCanonicalizer, createRunner, type Model } from "../../models/index.ts";
import {
  importPredictions,
  type PredictEventSink,
  RowGroups,
  type RunResult,
  readInputTexts,
  runPredictions,
} from "../../predict/index.ts";
import {
  type PredictionTier,
  releaseFiles,
  type StoredScope,
  writeIsauraChunks,
} from "../../store/predictions/index.ts";
import type { PredictionRow, PredictionScope } from "../../task/index.ts";
import type { Environment } from "../environment.ts";
import { scopeOf } from "../stored.ts";
import { warnOf } from "../tier-warnings.ts";
import { createLocalTier, placesOf } from "../tiers.ts";
import {
  type Access,
  accesses,
  checkProject,
  isauraAt,
  modelIn,
  type ProjectOptions,
  type ProjectPart,
  partsOf,
  type SourceOptions,
  sourceOf,
  storeAt,
  tierAt,
} from "./places.ts";

interface Asked {
  readonly environment: Environment;
  readonly emit: PredictEventSink;
}

interface InputColumn {
  /** Column of the input file, by name or number from 1. Default: smiles or input. */
  readonly column?: string;
}

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

/** The places that rows are written to. Without an access they are private: nothing is published by omission. */
function targetsOf(options: ProjectOptions, environment: Environment): readonly ProjectPart[] {
  return partsOf(
    { ...options, ...(options.project === undefined ? {} : { access: options.access ?? "private" }) },
    environment,
  );
}

/** Stores the rows of a file of results. */
async function write(
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

/** Looks the inputs of a file up; nothing is computed. */
async function read(
  options: SourceOptions &
    InputColumn & { readonly model: string; readonly input: string; readonly output: string },
  { environment, emit }: Asked,
  ask: Ask,
): Promise<RunResult> {
  const model = await modelIn(options.model, options, environment, ask);
  const tier = sourceOf(options, environment, warnOf(emit));
  try {
    return await runPredictions(
      {
        mode: "cloud-cache-only",
        input: resolve(environment.cwd, options.input),
        output: resolve(environment.cwd, options.output),
        ...defined({ column: options.column }),
        statusColumn: "without",
        match: "exact",
      },
      {
        model,
        local: undefined,
        cloud: tier,
        runner: createRunner(model, { env: environment.programs }),
        canonicalizer: () => createCanonicalizer({}, ask),
        emit,
      },
      ask,
    );
  } finally {
    await tier.close();
  }
}

export interface CopyTarget {
  /** Another project, with its access. */
  readonly toProject?: string;
  readonly toAccess?: Access | "both";
  /** A folder or bucket that becomes a cache of Memoir's. */
  readonly toPlace?: string;
  /** A project of Isaura's: chunk files are added to it. */
  readonly toIsaura?: string;
  /** Default: the version that the rows were read from, else v1. */
  readonly toVersion?: string;
}

/** Copies every row of a model; rows that are there are not written again. */
async function copy(
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

function copyTargets(options: CopyTarget & ProjectOptions, environment: Environment): readonly ProjectPart[] {
  const { toProject, toAccess, toPlace, cloud } = options;
  if (toPlace !== undefined) return partsOf({ cloud: toPlace }, environment);
  if (toProject !== undefined)
    return targetsOf({ ...defined({ cloud, access: toAccess }), project: toProject }, environment);
  throw new AppError(
    "CLI_USAGE",
    "name where to copy to: --to PROJECT, --output-dir PLACE or --to-isaura PLACE",
  );
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

async function toIsaura(
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

export interface MovedFiles {
  readonly model: string;
  readonly release: string;
  readonly from: readonly string[];
  readonly to: string;
  readonly files: number;
}

/**
 * Moves the files of a model from one part of a project to another. A file is removed only when its copy was read back
 * and has the same digest, and no other file is touched: rows that others write meanwhile stay where they are.
 */
async function move(
  options: SourceOptions & CopyTarget & { readonly model: string },
  { environment }: Asked,
  ask: Ask,
): Promise<MovedFiles> {
  if (options.isaura !== undefined)
    throw new AppError("CLI_USAGE", "projects of Isaura's are never changed; use memoir store copy");
  const model = await modelIn(options.model, options, environment, ask);
  const from = partsOf(options, environment);
  const [to, another] = copyTargets(options, environment);
  if (to === undefined || another !== undefined)
    throw new AppError("CLI_USAGE", "rows are moved to one place: name --to-access public or private");
  const sources = from.filter(({ place }) => place !== to.place);
  if (sources.length === 0) throw new AppError("CLI_USAGE", `${to.label} is where the rows are`);
  const folder = await mkdtemp(join(tmpdir(), "memoir-move-"));
  const target = storeAt(to.place, environment);
  let files = 0;
  try {
    await target.open(ask);
    for (const part of sources) {
      const source = storeAt(part.place, environment);
      try {
        await source.open(ask);
        for (const info of await releaseFiles(source, scopeOf(model), ask)) {
          checkAsk(ask, "moving stored predictions");
          const path = join(folder, randomUUID());
          const { sizeBytes } = info;
          const { sha256 } = await source.fetchFile(info.name, path, { sizeBytes }, ask);
          if ((await target.head(info.name, ask)) === undefined) await target.putFile(info.name, path, ask);
          await rm(path);
          const back = await target.fetchFile(info.name, path, { sizeBytes }, ask);
          await rm(path);
          if (back.sha256 !== sha256)
            throw new AppError(
              "STORE_OBJECT_DAMAGED",
              `moving ${info.name} to ${to.label}: what was read back is not what was written; it stays in ${part.label}`,
            );
          await source.remove([info.name], ask);
          files++;
        }
      } finally {
        await source.close();
      }
    }
  } finally {
    await target.close();
    await rm(folder, { recursive: true, force: true });
  }
  return {
    model: model.id,
    release: model.release,
    from: sources.map(({ label }) => label),
    to: to.label,
    files,
  };
}

export interface RemoveResult {
  readonly model: string;
  readonly release: string;
  readonly from: readonly string[];
  readonly rows: number;
  readonly deleted: boolean;
}

/** Deletes the rows of a model and release. Without `sure` they are only counted. */
async function remove(
  options: SourceOptions & { readonly model: string; readonly sure: boolean },
  { environment }: Asked,
  ask: Ask,
): Promise<RemoveResult> {
  if (options.isaura !== undefined)
    throw new AppError(
      "CLI_USAGE",
      "projects of Isaura's are never changed; use Isaura to remove rows there",
    );
  if (options.project === undefined)
    throw new AppError(
      "CLI_USAGE",
      "name the --project; memoir predictions drop is for the caches themselves",
    );
  const model = await modelIn(options.model, options, environment, ask);
  const parts = partsOf(options, environment);
  const tiers = parts.map((part) => tierAt(part, environment, () => {}));
  let rows = 0;
  try {
    for (const tier of tiers) {
      await tier.open(ask);
      rows += options.sure ? await tier.drop(scopeOf(model), ask) : await tier.count(scopeOf(model), ask);
    }
  } finally {
    await closeAll(tiers);
  }
  return {
    model: model.id,
    release: model.release,
    from: parts.map(({ label }) => label),
    rows,
    deleted: options.sure,
  };
}

export interface InspectResult {
  readonly model: string;
  readonly release: string;
  readonly place: string;
  readonly rows: number;
  /** With inputs: how many of them are stored. */
  readonly available?: number;
  readonly output?: string;
  /** The first of them, in order. */
  readonly first: readonly { readonly input: string; readonly stored: string }[];
}

const shownRows = 20;

/** Which inputs of a file are stored and where, or all stored inputs; written to a file where one is named. */
async function inspect(
  options: SourceOptions &
    InputColumn & { readonly model: string; readonly input?: string; readonly output?: string },
  { environment, emit }: Asked,
  ask: Ask,
): Promise<InspectResult> {
  const model = await modelIn(options.model, options, environment, ask);
  const scope = scopeOf(model);
  const onEvent = warnOf(emit);
  const labelled: readonly (readonly [string, PredictionTier])[] =
    options.isaura === undefined
      ? partsOf(options, environment).map((part) => [
          part.access ?? "yes",
          tierAt(part, environment, onEvent),
        ])
      : [["yes", sourceOf(options, environment, onEvent)]];
  const output = options.output === undefined ? undefined : resolve(environment.cwd, options.output);
  const first: { input: string; stored: string }[] = [];
  const text = quotedWhere(",");
  const lines: string[] = ["key,input,stored"];
  let rows = 0;
  let available = 0;
  const note = (input: string, stored: string) => {
    rows++;
    if (stored !== "no") available++;
    if (first.length < shownRows) first.push({ input, stored });
    if (output !== undefined) lines.push(`${md5Hex(input)},${text(input)},${stored}`);
  };
  try {
    for (const [, tier] of labelled) await tier.open(ask);
    if (options.input === undefined) {
      const all = eachInput(labelled);
      for await (const { input, stored } of all(scope, ask)) note(input, stored);
    } else {
      const from = { path: resolve(environment.cwd, options.input), ...defined({ column: options.column }) };
      for await (const inputs of readInputTexts(from, ask)) {
        const found: string[] = inputs.map(() => "no");
        for (const [label, tier] of labelled) {
          const answers = await tier.getMany(scope, inputs, ask);
          for (const [at, row] of answers.entries())
            if (row !== undefined && found[at] === "no") found[at] = label;
        }
        for (const [at, input] of inputs.entries()) note(input, found[at] ?? "no");
      }
    }
  } finally {
    await closeAll(labelled.map(([, tier]) => tier));
  }
  if (output !== undefined) await writeText(output, `${lines.join("\n")}\n`);
  return {
    model: model.id,
    release: model.release,
    place: options.isaura ?? options.project ?? "the cloud cache",
    rows,
    ...(options.input === undefined ? {} : { available }),
    ...defined({ output }),
    first,
  };
}

/** Every stored input once, with the place that answers for it. */
function eachInput(labelled: readonly (readonly [string, PredictionTier])[]) {
  return async function* (scope: PredictionScope, ask: Ask) {
    for (const [at, [stored, tier]] of labelled.entries())
      for await (const rows of tier.scan(scope, ask)) {
        const inputs = rows.map(({ input }) => input);
        const known = new Set<number>();
        for (const [, earlier] of labelled.slice(0, at))
          for (const [n, row] of (await earlier.getMany(scope, inputs, ask)).entries())
            if (row !== undefined) known.add(n);
        for (const [n, input] of inputs.entries()) if (!known.has(n)) yield { input, stored };
      }
  };
}

export interface ProjectRow {
  readonly project: string;
  readonly access?: Access;
  readonly model: string;
  /** Of Isaura's projects a version. */
  readonly release?: string;
  readonly rows: number;
  /** Of Isaura's projects: Parquet files. */
  readonly files?: number;
}

export interface ProjectCatalog {
  readonly place: string;
  readonly rows: readonly ProjectRow[];
}

/** What every project (or one) holds. */
async function catalog(
  options: SourceOptions,
  { environment, emit }: Asked,
  ask: Ask,
): Promise<ProjectCatalog> {
  if (options.isaura !== undefined) {
    const { isaura, version } = options;
    const { tier } = isauraAt({ isaura, ...defined({ version }) }, environment, warnOf(emit));
    try {
      await tier.open(ask);
      const models = await tier.models(ask);
      const project = isaura.replace(/\/+$/, "").split("/").at(-1) ?? isaura;
      return {
        place: isaura,
        rows: models.map((each) => ({
          project,
          model: each.model,
          release: each.version,
          rows: each.rows,
          files: each.files,
        })),
      };
    } finally {
      await tier.close();
    }
  }
  const [root] = partsOf(defined({ cloud: options.cloud }), environment);
  const place = root?.place ?? "";
  const projects =
    options.project === undefined ? await projectsIn(place, environment, ask) : [options.project];
  const rows: ProjectRow[] = [];
  for (const project of projects)
    for (const part of partsOf(
      { ...defined({ cloud: options.cloud, access: options.access }), project },
      environment,
    )) {
      const tier = tierAt(part, environment, warnOf(emit));
      try {
        await tier.open(ask);
        for (const scope of await tier.listScopes(ask)) rows.push(rowOf(part, project, scope));
      } finally {
        await tier.close();
      }
    }
  return { place, rows };
}

function rowOf(
  { access }: ProjectPart,
  project: string,
  { modelId, release, rows }: StoredScope,
): ProjectRow {
  return { project, ...defined({ access, release }), model: modelId, rows };
}

/** Folders of the cache that have a part of a project in them. */
async function projectsIn(place: string, environment: Environment, ask: Ask): Promise<readonly string[]> {
  const store = storeAt(place, environment);
  try {
    await store.open(ask);
    const found: string[] = [];
    for (const name of await store.folders("", ask)) {
      if (name === "predictions" || name.startsWith(".")) continue;
      const parts = await store.folders(`${name}/`, ask);
      if (accesses.some((access) => parts.includes(access))) found.push(name);
    }
    for (const name of found) checkProject(name);
    return found;
  } finally {
    await store.close();
  }
}

export interface ProjectStats {
  readonly place: string;
  readonly projects: number;
  readonly models: number;
  readonly rows: number;
  /** Of every model, over all projects. */
  readonly perModel: readonly { readonly model: string; readonly release?: string; readonly rows: number }[];
  readonly output?: string;
}

async function stats(
  options: SourceOptions & { readonly outputFolder?: string },
  asked: Asked,
  ask: Ask,
): Promise<ProjectStats> {
  const { place, rows } = await catalog(options, asked, ask);
  const perModel = new Map<string, { model: string; release?: string; rows: number }>();
  for (const { model, release, rows: count } of rows) {
    const id = JSON.stringify([model, release]);
    const known = perModel.get(id) ?? { model, ...defined({ release }), rows: 0 };
    perModel.set(id, { ...known, rows: known.rows + count });
  }
  const result = {
    place,
    projects: new Set(rows.map(({ project }) => project)).size,
    models: new Set(rows.map(({ model }) => model)).size,
    rows: rows.reduce((sum, row) => sum + row.rows, 0),
    perModel: [...perModel.values()].toSorted((a, b) => b.rows - a.rows),
  };
  if (options.outputFolder === undefined) return result;
  const folder = resolve(asked.environment.cwd, options.outputFolder);
  const output = join(folder, "stats.json");
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new AppError("FILE_NOT_WRITABLE", `making the folder ${folder}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  await writeText(output, `${JSON.stringify({ ...result, catalog: rows }, null, 2)}\n`);
  return { ...result, output };
}

/** Copies rows of the local cache into a project. */
async function push(
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
async function pull(
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

function requireReusable(model: Model): void {
  if (model.reusable.kind === "never")
    throw new AppError(
      "PREDICT_NOT_REUSABLE",
      `cannot store predictions of ${model.id}: ${model.reusable.reason}`,
    );
}

async function closeAll(tiers: readonly PredictionTier[]): Promise<void> {
  await Promise.allSettled(tiers.map((tier) => tier.close()));
}

async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new AppError("FILE_NOT_WRITABLE", `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}

export type ProjectStore = ReturnType<typeof projectStore>;

/** Every verb of `memoir store`. */
export function projectStore(environment: Environment) {
  const bound =
    <Options, Result>(verb: (options: Options, asked: Asked, ask: Ask) => Promise<Result>) =>
    (options: Options, emit: PredictEventSink, ask: Ask): Promise<Result> =>
      verb(options, { environment, emit }, ask);
  return {
    write: bound(write),
    read: bound(read),
    copy: bound(copy),
    move: bound(move),
    remove: bound(remove),
    inspect: bound(inspect),
    catalog: bound(catalog),
    stats: bound(stats),
    push: bound(push),
    pull: bound(pull),
  };
}
