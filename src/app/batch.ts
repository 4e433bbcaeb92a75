/** Batches of predictions in slices, as the commands of `memoir batch` ask for them. */
import { createWriteStream, existsSync } from "node:fs";
import { realpath, rename, rm } from "node:fs/promises";
import { dirname, isAbsolute, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Separator } from "../csv/index.ts";
import { AppError, type Ask, defined, messageOf, redact, systemErrorCode } from "../kernel/index.ts";
import type { Runner } from "../models/index.ts";
import {
  type BatchPlan,
  type BatchStatus,
  BatchTally,
  type InputFormat,
  type MergeResult,
  makePlan,
  mergeBatch,
  mostSlicesOfPlan,
  type PredictEventSink,
  type RowStream,
  readPlan,
  type SliceCount,
  type StopAfter,
  type StreamedFormat,
  shardFolderOf,
  statusOf,
  type WorkResult,
  workSlice,
  writePlan,
} from "../predict/index.ts";
import { batchesOfSlices, keepPredictions } from "./history/prediction-history.ts";
import { modelOf, type PredictionOptions, settingsOf, type Wiring, withParts } from "./predictions.ts";

export interface PlanOptions extends PredictionOptions {
  readonly input: string;
  /** Instead of the file: kept next to the plan, since every slice reads it. */
  readonly inputStream?: Readable;
  readonly inputFormat?: InputFormat;
  readonly delimiter?: Separator;
  readonly column?: string;
  readonly header?: "present" | "absent";
  readonly slices: SliceCount;
  readonly output: string;
}

export interface PlanResult {
  readonly plan: string;
  readonly file: string;
  readonly input: string;
  readonly model: string;
  readonly release: string;
  readonly rows: number;
  readonly slices: number;
  readonly rowsPerSlice: readonly number[];
  /** For `strategy.matrix` of GitHub Actions. */
  readonly matrix: { readonly slice: readonly number[] };
  /** Where `work` puts the shards. */
  readonly shards: string;
}

interface PlaceOptions {
  readonly plan: string;
  /** Where the planned input is now. Default: where it was planned. */
  readonly input?: string;
  /** Default: next to the plan. */
  readonly shards?: string;
}

export type StatusOptions = Pick<PlaceOptions, "plan" | "shards">;

export interface WorkOptions extends PlaceOptions, PredictionOptions {
  readonly slice: number;
  /** Number of slices, where it was given as well. */
  readonly ofSlices?: number;
  readonly stopAfter?: StopAfter;
  readonly batchSize?: number;
  readonly workers?: number;
  readonly timeoutMs?: number;
}

export interface MergeOptions extends PlaceOptions {
  readonly output: string;
  readonly outputStream?: RowStream;
  readonly outputFormat?: StreamedFormat;
  readonly missing?: string;
  readonly statusColumn: "with" | "without";
}

export async function plan(options: PlanOptions, wiring: Wiring, ask: Ask): Promise<PlanResult> {
  const { environment } = wiring;
  const file = resolve(environment.cwd, options.output);
  checkSlices(options.slices);
  const settings = await settingsOf(options, wiring);
  const { id, release, columns } = await modelOf(settings, environment, ask);
  const input = await plannedInput(options, file, environment.cwd, ask);
  if (input.path === file)
    throw new AppError("PREDICT_INPUT_IS_OUTPUT", `cannot write the plan over the inputs: ${file}`);
  const made = await makePlan(
    {
      input,
      model: {
        name: settings.model,
        id,
        release,
        columns: columns.map(({ name, type }) => ({ name, type })),
      },
      mode: settings.mode,
      match: settings.match,
      slices: options.slices,
      caches: {
        ...defined({
          local: withoutSecret("local", settings.local),
          cloud: withoutSecret("cloud", settings.cloud),
        }),
      },
      ...defined({ computes: settings.computes }),
    },
    ask,
  );
  await writePlan(file, made);
  return {
    plan: made.id,
    file,
    input: input.path,
    model: id,
    release,
    rows: made.input.rows,
    slices: made.rowsPerSlice.length,
    rowsPerSlice: made.rowsPerSlice,
    matrix: { slice: made.rowsPerSlice.map((_, at) => at + 1) },
    shards: shardFolderOf(file),
  };
}

function checkSlices(slices: SliceCount): void {
  const count = slices.kind === "count" ? slices.slices : slices.most;
  if (count >= 1 && count <= mostSlicesOfPlan && (slices.kind === "count" || slices.rows >= 1)) return;
  throw new AppError(
    "CLI_USAGE",
    `planning the batch: expected 1 to ${mostSlicesOfPlan} slices of at least 1 row, got ${slices.kind === "count" ? count : slices.rows}`,
  );
}

/** Plans are passed on to other machines, and kept. */
function withoutSecret(which: "local" | "cloud", place: string | undefined): string | undefined {
  if (place === undefined || redact(place) === place) return place;
  throw new AppError(
    "CLI_USAGE",
    `planning the batch: --${which} ${redact(place)} has a password, and plans hold none: give it to \`memoir batch work\`, or set MEMOIR_${which.toUpperCase()} there`,
  );
}

async function plannedInput(options: PlanOptions, plan: string, cwd: string, ask: Ask) {
  const { inputStream, inputFormat: format, delimiter, column, header } = options;
  const reading = defined({ format, delimiter, column, header });
  if (inputStream === undefined) return { path: resolve(cwd, options.input), ...reading };
  return { path: await keptInput(inputStream, plan, format, ask), ...reading };
}

/** Writes a stream to a file next to the path `nextTo`, since every slice reads the input. */
export async function keptInput(
  stream: Readable,
  nextTo: string,
  format: InputFormat | undefined,
  ask: Ask,
): Promise<string> {
  const path = `${nextTo}.input.${format ?? "csv"}`;
  const fresh = `${path}.${process.pid}.new`;
  try {
    await pipeline(stream, createWriteStream(fresh, { mode: 0o600 }), { signal: ask.signal });
    await rename(fresh, path);
    return path;
  } catch (error) {
    await rm(fresh, { force: true });
    const code = systemErrorCode(error);
    if (code === undefined || code === "ABORT_ERR") throw error;
    throw new AppError(
      code === "ENOSPC" ? "DISK_FULL" : "FILE_NOT_WRITABLE",
      `cannot keep standard input in ${dirname(path)}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

export async function work(
  options: WorkOptions,
  wiring: Wiring,
  emit: PredictEventSink,
  ask: Ask,
): Promise<WorkResult> {
  const { environment } = wiring;
  const placed = await placesOf(options, environment.cwd);
  const { plan, slice } = { ...placed, slice: options.slice };
  const slices = plan.rowsPerSlice.length;
  const { ofSlices = slices } = options;
  if (!Number.isSafeInteger(slice) || slice < 1 || slice > slices || ofSlices !== slices)
    throw new AppError(
      "CLI_USAGE",
      `computing a slice: the plan has the slices 1 to ${slices}, got ${ofSlices === slices ? slice : `${slice}/${ofSlices}`}`,
    );
  const { plan: _, input: __, shards: ___, slice: ____, ...given } = options;
  const settings = await settingsOf(
    {
      ...defined({ local: plan.caches.local, cloud: plan.caches.cloud }),
      ...given,
      model: options.model ?? modelName(plan),
      mode: plan.mode,
      match: plan.match,
      ...defined({ computes: plan.computes }),
    },
    wiring,
  );
  const startedAt = new Date();
  const batches = new BatchTally();
  let runner: Runner | undefined;
  const done = await withParts(settings, options, { environment, emit }, ask, (parts, parallel) => {
    runner = parts.runner;
    return workSlice(
      {
        plan,
        slice,
        input: placed.input,
        folder: placed.folder,
        parallel,
        ...defined({ stopAfter: options.stopAfter, batchSize: options.batchSize }),
      },
      { ...parts, batches },
      ask,
    );
  });
  if (done.state === "done")
    await keepPredictions(
      {
        ...{ result: done, startedAt, batches: batches.list(batchesKept) },
        ...{ input: placed.input, output: done.shard },
        ...defined({ runner: runner?.kind, toolkit: runner?.toolkit }),
      },
      { environment, emit },
    );
  return done;
}

/** Each line of the history stays small. */
const batchesKept = 100;

/** A folder of the machine that planned need not be here; the model may be known by its id. */
function modelName({ model }: BatchPlan): string {
  return isAbsolute(model.name) && !existsSync(model.name) ? model.id : model.name;
}

export async function status(
  options: StatusOptions,
  { environment }: Wiring,
  ask: Ask,
): Promise<BatchStatus> {
  const { plan, folder } = await placesOf(options, environment.cwd);
  return await statusOf(plan, folder, ask);
}

export async function merge(
  options: MergeOptions,
  { environment }: Wiring,
  emit: PredictEventSink,
  ask: Ask,
): Promise<MergeResult> {
  const { plan, input, folder, file } = await placesOf(options, environment.cwd);
  const { outputStream, outputFormat, missing, statusColumn } = options;
  const output = outputStream === undefined ? resolve(environment.cwd, options.output) : options.output;
  if (outputStream === undefined) await refusePlan(file, output);
  const startedAt = new Date();
  const merged = await mergeBatch(
    { plan, input, folder, output, statusColumn, ...defined({ outputStream, outputFormat, missing }) },
    emit,
    ask,
  );
  if (outputStream === undefined)
    await keepPredictions(
      {
        ...{ result: { ...merged, seconds: 0 }, startedAt, input, output, isMerge: true },
        batches: await batchesOfSlices(folder, environment),
      },
      { environment, emit },
    );
  return merged;
}

/** A plan has the extension of an output. */
async function refusePlan(plan: string, output: string): Promise<void> {
  const [from, to] = await Promise.all([plan, output].map((path) => realpath(path).catch(() => path)));
  if (from === to)
    throw new AppError(
      "PREDICT_INPUT_IS_OUTPUT",
      `cannot write the predictions over their own plan: ${plan}`,
    );
}

async function placesOf({ plan, input, shards }: PlaceOptions, cwd: string) {
  const file = resolve(cwd, plan);
  const read = await readPlan(file);
  return {
    file,
    plan: read,
    input: input === undefined ? read.input.path : resolve(cwd, input),
    folder: shards === undefined ? shardFolderOf(file) : resolve(cwd, shards),
  };
}
