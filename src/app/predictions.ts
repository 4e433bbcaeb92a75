/** run and dump: settings become tiers, a model and a runner; `predict` does the work. */
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import type { Separator } from "../csv/index.ts";
import { AppError, type Ask, defined, freshAsk, isAppError, redact } from "../kernel/index.ts";
import {
  batchesAtOnce,
  type Canonicalizer,
  createCanonicalizer,
  createRunner,
  findModel,
  type Model,
  type Runner,
  type RunnerOptions,
} from "../models/index.ts";
import {
  BatchTally,
  type DumpResult,
  dumpPredictions,
  type InputFormat,
  type ManyModelsResult,
  openSimilar,
  type PredictEventSink,
  planOf,
  type RowSink,
  type RowStream,
  type RunParts,
  type RunResult,
  runManyModels,
  runPredictions,
  type SimilarMolecules,
  type Slice,
  type StopAfter,
  type StreamedFormat,
} from "../predict/index.ts";
import type { PredictionScope } from "../task/index.ts";
import type { Environment } from "./environment.ts";
import { keepPredictions } from "./history/prediction-history.ts";
import { modelFromCaches } from "./model-from-caches.ts";
import { guardOf } from "./model-guard.ts";
import type { PredictionSettings, Sessions } from "./sessions.ts";
import { checkSimilarity, indexPath } from "./similar-index.ts";
import { absolute } from "./tier-address.ts";
import { warnOf } from "./tier-warnings.ts";
import { createTiers, placesOf, unsentPlaces } from "./tiers.ts";
import { announceEnd, checkNotifyUrl, endOf, type RunEnd } from "./workflows/announce-end.ts";

/** What the flags of one command say; each wins over the session. */
export interface PredictionOptions extends Partial<PredictionSettings> {
  readonly session?: string;
}

export interface PredictionRequest extends PredictionOptions {
  readonly input: string;
  readonly output: string;
  /** Instead of the files: inputs one by one, and rows as values. */
  readonly inputs?: AsyncIterable<string> | Iterable<string>;
  readonly rows?: RowSink;
  /** Instead of the files. */
  readonly inputStream?: Readable;
  readonly outputStream?: RowStream;
  readonly inputFormat?: InputFormat;
  readonly outputFormat?: StreamedFormat;
  readonly delimiter?: Separator;
  readonly column?: string;
  readonly header?: "present" | "absent";
  readonly statusColumn: "with" | "without";
  readonly batchSize?: number;
  readonly workers?: number;
  readonly timeoutMs?: number;
  readonly slice?: Slice;
  readonly stopAfter?: StopAfter;
  /** Rows that no cache has are answered by similar molecules of the local cache, from this similarity on. */
  readonly nearest?: number;
  /** URL to which the end of the run is posted. */
  readonly notify?: string;
}

export interface DumpOptions extends PredictionOptions {
  /** Default: `<model>_precalc.csv` in the current folder. */
  readonly output?: string;
  readonly outputStream?: RowStream;
  readonly outputFormat?: StreamedFormat;
  readonly count?: number;
  readonly seed?: string;
  readonly statusColumn: "with" | "without";
}

export interface Wiring {
  readonly environment: Environment;
  readonly sessions: Sessions;
}

/** The same inputs for several models, one table. */
export async function runMany(
  options: Omit<PredictionRequest, "model"> & { readonly models: readonly string[] },
  { environment }: Wiring,
  emit: PredictEventSink,
  ask: Ask,
): Promise<ManyModelsResult> {
  const { models: names, ...given } = options;
  const settings = names.map((model) =>
    settingsFrom({ ...predictionOptionsIn(given), model }, undefined, environment),
  );
  const [first] = settings;
  if (first === undefined) throw new AppError("CLI_USAGE", "no model is named");
  const models: Model[] = [];
  for (const [at, each] of settings.entries()) {
    const model = await modelOf(each, environment, ask);
    if (models.some(({ id }) => id === model.id))
      throw new AppError("CLI_USAGE", `the model ${model.id} is named twice (${names[at]})`);
    models.push(model);
  }
  const tiers = createTiers(first, environment, warnOf(emit));
  let canonicalizer: Promise<Canonicalizer> | undefined;
  const parts = models.map(
    (model): RunParts => ({
      model,
      local: tiers.local,
      cloud: tiers.cloud,
      unsent: unsentPlaces(tiers, environment),
      batches: new BatchTally(),
      runner: createRunner(model, runnerOptions(first, options, { environment, emit })),
      canonicalizer: async () => {
        canonicalizer ??= createCanonicalizer({}, ask);
        // Closed once, after the last of the models.
        return { ...(await canonicalizer), close: async () => {} };
      },
      emit,
    }),
  );
  const startedAt = new Date();
  try {
    const result = await runManyModels(
      {
        mode: first.mode,
        ...defined({ computes: first.computes }),
        ...filesOf(options, environment),
        ...defined({
          delimiter: options.delimiter,
          column: options.column,
          header: options.header,
          missing: first.missing,
          batchSize: options.batchSize,
        }),
        statusColumn: options.statusColumn,
        match: first.match,
        parallel: options.workers ?? 1,
      },
      parts,
      emit,
      ask,
    );
    for (const [at, each] of result.models.entries()) {
      const { batches, runner } = parts[at] ?? {};
      const facts = {
        ...{ result: each, startedAt, batches: batches?.list(batchesKept) ?? [] },
        ...defined({
          runner: runner?.kind,
          toolkit: runner?.toolkit,
          input: isFile(options.inputStream) ? result.input : undefined,
          output: isFile(options.outputStream) ? result.output : undefined,
        }),
      };
      await keepPredictions(facts, { environment, emit });
    }
    return result;
  } finally {
    await tiers.close();
    await (await canonicalizer?.catch(() => undefined))?.close();
  }
}

function filesOf(options: Omit<PredictionRequest, "model">, { cwd }: Environment) {
  const { input, output, inputStream, inputFormat } = options;
  return {
    input: inputStream === undefined ? resolve(cwd, input) : input,
    output: options.outputStream === undefined ? resolve(cwd, output) : output,
    ...defined({ inputStream, inputFormat }),
    ...streamedOutput(options),
  };
}

/** Of a request, what settings are made of: the rest is about its files. */
function predictionOptionsIn(given: Omit<PredictionRequest, "model">): PredictionOptions {
  const { mode, computes, missing, match, local, expireAfterMs, ersiliaRows, localCache, cloud, cloudUse } =
    given;
  return defined({
    mode,
    computes,
    missing,
    match,
    local,
    expireAfterMs,
    ersiliaRows,
    localCache,
    cloud,
    cloudUse,
  });
}

export async function run(
  options: PredictionRequest,
  wiring: Wiring,
  emit: PredictEventSink,
  ask: Ask,
): Promise<RunResult> {
  const { environment } = wiring;
  const settings = await settingsOf(options, wiring);
  const { nearest } = options;
  if (nearest !== undefined) checkSimilarity(nearest, "--nearest");
  checkNotifyUrl(options.notify);
  const startedAt = new Date();
  const batches = new BatchTally();
  let runner: Runner | undefined;
  const say = (message: string) => emit({ kind: "warning", message });
  const announce = (end: RunEnd) => announceEnd(options.notify, { end, startedAt }, say, freshAsk());
  const result = await withParts(settings, options, { environment, emit }, ask, async (given, parallel) => {
    const plain = { ...given, batches };
    runner = given.runner;
    const { parts, close } =
      nearest === undefined
        ? { parts: plain, close: async () => {} }
        : await withNearest(plain, { nearest, settings, environment }, ask);
    return await runPredictions(
      {
        mode: settings.mode,
        ...defined({ computes: settings.computes }),
        input: options.inputStream === undefined ? resolve(environment.cwd, options.input) : options.input,
        ...defined({
          inputStream: options.inputStream,
          inputs: options.inputs,
          rows: options.rows,
          inputFormat: options.inputFormat,
        }),
        output:
          options.outputStream === undefined ? resolve(environment.cwd, options.output) : options.output,
        ...streamedOutput(options),
        ...defined({
          delimiter: options.delimiter,
          column: options.column,
          header: options.header,
          missing: settings.missing,
          batchSize: options.batchSize,
          slice: options.slice,
          stopAfter: options.stopAfter,
          nearest,
        }),
        statusColumn: options.statusColumn,
        match: settings.match,
        parallel,
      },
      parts,
      ask,
    ).finally(close);
  }).catch(async (error) => {
    await announce({ model: settings.model, ...endOf(error) });
    throw error;
  });
  const id = await keepPredictions(
    {
      ...{ result, startedAt, batches: batches.list(batchesKept) },
      ...defined({
        runner: runner?.kind,
        toolkit: runner?.toolkit,
        input: isFile(options.inputStream ?? options.inputs) ? result.input : undefined,
        output: isFile(options.outputStream ?? options.rows) ? result.output : undefined,
      }),
    },
    { environment, emit },
  );
  const { model, release, counts, output, finished } = result;
  if (finished)
    await announce({
      ...{ ...defined({ run: id }), model, release, state: "succeeded", rows: counts },
      ...(isFile(options.outputStream ?? options.rows) ? { output } : {}),
    });
  return result;
}

/** Each line of the history stays small. */
const batchesKept = 100;

/** A finished file, not a stream in its place. */
function isFile(instead: unknown): boolean {
  return instead === undefined;
}

/** The index is opened when the first row is missing. */
async function withNearest(
  parts: RunParts,
  {
    nearest,
    settings,
    environment,
  }: {
    readonly nearest: number;
    readonly settings: PredictionSettings;
    readonly environment: Environment;
  },
  ask: Ask,
): Promise<{ readonly parts: RunParts; close(): Promise<void> }> {
  const { model, local: tier, emit } = parts;
  if (tier === undefined || settings.localCache === "off")
    throw new AppError(
      "CLI_USAGE",
      "--nearest looks for similar molecules in the local cache, which is switched off",
    );
  const scope: PredictionScope = { modelId: model.id, release: model.release, columns: model.columns };
  const path = indexPath({ tier, scope, from: "local" }, settings, environment);
  let search: Promise<SimilarMolecules> | undefined;
  return {
    parts: {
      ...parts,
      nearest: async (inputs, each) => {
        search ??= openSimilar({ scope, tier, path, use: "update", emit }, ask);
        const found = await (await search).find(inputs, { count: 1, similarity: nearest }, each);
        return found.map((near) => near?.[0]);
      },
    },
    close: async () => await (await search?.catch(() => undefined))?.close(),
  };
}

/** What a run of predictions works with, made from settings and closed afterwards. */
export async function withParts<T>(
  settings: PredictionSettings,
  options: Pick<PredictionRequest, "workers" | "timeoutMs">,
  { environment, emit }: { readonly environment: Environment; readonly emit: PredictEventSink },
  ask: Ask,
  work: (parts: RunParts, parallel: number) => Promise<T>,
): Promise<T> {
  const model = await modelOf(settings, environment, ask);
  const tiers = createTiers(settings, environment, warnOf(emit));
  const runner = createRunner(model, runnerOptions(settings, options, { environment, emit }));
  const parts: RunParts = {
    model,
    local: tiers.local,
    cloud: tiers.cloud,
    unsent: unsentPlaces(tiers, environment),
    runner,
    canonicalizer: () => createCanonicalizer({}, ask),
    emit,
  };
  try {
    return await work(parts, options.workers ?? (await batchesAtOnce(model)));
  } finally {
    await tiers.close();
  }
}

function runnerOptions(
  settings: PredictionSettings,
  { workers, timeoutMs }: Pick<PredictionRequest, "workers" | "timeoutMs">,
  { environment, emit }: { readonly environment: Environment; readonly emit: PredictEventSink },
): RunnerOptions {
  const guard = guardOf(settings, environment, (message) => emit({ kind: "warning", message }));
  const container = settings.container?.name;
  return { env: environment.programs, ...defined({ workers, timeoutMs, guard, container }) };
}

export async function dump(
  options: DumpOptions,
  wiring: Wiring,
  emit: PredictEventSink,
  ask: Ask,
): Promise<DumpResult> {
  const { environment } = wiring;
  const settings = await settingsOf(options, wiring);
  const model = await modelOf(settings, environment, ask, "never");
  const tiers = createTiers(settings, environment, warnOf(emit));
  try {
    return await dumpPredictions(
      {
        mode: settings.mode,
        output:
          options.outputStream === undefined
            ? resolve(environment.cwd, options.output ?? `${model.id}_precalc.csv`)
            : (options.output ?? ""),
        ...streamedOutput(options),
        ...defined({ count: options.count }),
        seed: options.seed ?? randomBytes(6).toString("hex"),
        statusColumn: options.statusColumn,
      },
      { model, local: tiers.local, cloud: tiers.cloud, emit },
      ask,
    );
  } finally {
    await tiers.close();
  }
}

function streamedOutput({ outputStream, outputFormat }: Pick<DumpOptions, "outputStream" | "outputFormat">) {
  return {
    ...defined({ outputStream, outputFormat }),
  };
}

/** The open session's settings with the options over them; without a session the options must name the model. */
export async function settingsOf(
  options: PredictionOptions,
  { environment, sessions }: Wiring,
): Promise<PredictionSettings> {
  if (options.model !== undefined && options.session === undefined)
    return settingsFrom(options, undefined, environment);
  const name = await sessions.nameOf(options.session);
  const session = await sessions.find(name);
  if (session === undefined) {
    const which = options.session ?? environment.session;
    const whose = which === undefined ? "this shell has no open session" : `no session ${which} is open`;
    throw new AppError("SESSION_NOT_OPEN", `no model is served: ${whose}`);
  }
  return settingsFrom(options, session.settings, environment);
}

/**
 * The model of the settings; with a runner URL it is run by that server, whatever it is described by. Where nothing is
 * computed the model need not be here: the caches know its columns.
 */
export async function modelOf(
  settings: PredictionSettings,
  environment: Environment,
  ask: Ask,
  computes: "allowed" | "never" = settings.computes ?? planOf(settings.mode).computes,
): Promise<Model> {
  const { home, cwd } = environment;
  const plan = planOf(settings.mode);
  try {
    const model = await findModel({ name: settings.model, home, cwd }, ask);
    return settings.runnerUrl === undefined
      ? model
      : { ...model, source: { kind: "http", url: settings.runnerUrl } };
  } catch (error) {
    if (computes === "allowed" || !isAppError(error, "MODEL_NOT_FOUND")) throw error;
    const tiers = createTiers(settings, environment, () => {});
    try {
      return await modelFromCaches(
        settings.model,
        plan.lookUp.map((source) => tiers[source]),
        error,
        ask,
      );
    } finally {
      await tiers.close();
    }
  }
}

export function settingsFrom(
  options: PredictionOptions,
  base: PredictionSettings | undefined,
  environment: Environment,
): PredictionSettings {
  const { cwd } = environment;
  const { session: _, ...wanted } = options;
  const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  const merged: Partial<PredictionSettings> = { ...base, ...given };
  if (merged.model === undefined) throw new AppError("SESSION_NOT_OPEN", "no model is named");
  // A mode of the flags is meant whole: it does not keep "never compute" of the session.
  const keepsComputes = options.mode === undefined || options.computes !== undefined;
  const { computes, ...rest } = merged;
  const isPath =
    !/^https?:/i.test(merged.model) && (merged.model.includes("/") || /^\.\.?$/.test(merged.model));
  return {
    mode: "compute",
    match: "exact",
    localCache: "on",
    cloudUse: "read-write",
    ...rest,
    model: isPath ? resolve(cwd, merged.model) : merged.model,
    ...(computes !== undefined && keepsComputes ? { computes } : {}),
    ...(merged.local === undefined ? {} : { local: absolute(merged.local, cwd) }),
    ...(merged.cloud === undefined ? {} : { cloud: absolute(merged.cloud, cwd) }),
  };
}

export function runnerText(model: Model): string {
  switch (model.source.kind) {
    case "builtin":
      return "builtin";
    case "folder":
      return `script ${model.source.path}`;
    case "cache":
      return "none: look-ups only";
    case "image":
      return `image ${model.source.image} (sha256:${model.source.digest.slice(0, 12)}, ${model.source.engine})`;
    default:
      return `http ${redact(model.source.url)}`;
  }
}

/** Where the settings' tiers lie, for people. No secrets. */
export function tierNames(
  settings: PredictionSettings,
  environment: Environment,
): { local: string; cloud: string } {
  const { local, cloud } = placesOf(settings, environment);
  return { local: redact(local), cloud: redact(cloud) };
}
