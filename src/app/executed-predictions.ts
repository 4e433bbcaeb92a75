/**
 * `memoir run --executor slurm` for predictions: planned, computed in slices as jobs, and merged. This machine looks up
 * what its caches hold and records what jobs computed; jobs never open its embedded cache, whose locks do not work between
 * machines. What a job is, and how its shard comes back, depends on whether the executor shares files (`SliceJobs`). Everything is kept in a folder that is named by the plan, so that repeating the command resumes after whatever
 * was killed: slices that are done are not computed again, and jobs that still run are waited for.
 */
import { chmod, existsSync, readdirSync } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import {
  type Attempt,
  type AttemptEnd,
  attemptPaths,
  type Executor,
  type ImageResolver,
} from "../exec/core/index.ts";
import { makeFolders } from "../files/index.ts";
import { AppError, type Ask, checkAsk, defined, isAppError, messageOf } from "../kernel/index.ts";
import {
  type BatchPlan,
  type BatchStatus,
  holdFolder,
  type MergeResult,
  makePlan,
  mergeBatch,
  type PredictEventSink,
  planOf,
  type RunParts,
  type RunResult,
  readPlan,
  rowsToCompute,
  type SliceCount,
  StoredRowsGone,
  shardFolderOf,
  statusOf,
  storedRows,
  writePlan,
} from "../predict/index.ts";
import { readTail } from "../process/index.ts";
import { keptInput } from "./batch.ts";
import type { Environment } from "./environment.ts";
import { type PredictionRequest, run as runHere, settingsOf, type Wiring, withParts } from "./predictions.ts";
import { RemoteSliceJobs } from "./remote-slice-jobs.ts";
import type { PredictionSettings } from "./sessions.ts";
import { SharedSliceJobs, type SliceJobs, type SliceOfPlan } from "./slice-jobs.ts";
import { createNamedExecutor, type ExecutorOrder } from "./workflows/executors.ts";

export interface ExecutedRequest extends PredictionRequest {
  readonly executor: ExecutorOrder;
  /** Default: slices of about 10,000 rows, at most 100. */
  readonly slices?: number;
  /** Of each job. Default: 1 processor, and the cluster's default of memory. */
  readonly job: { readonly cpus?: number; readonly memoryBytes?: number };
  /** This program, for jobs that share files: the words that start it on every machine. */
  readonly program: readonly string[];
  /** Holds Memoir and the model, for jobs that share no files. */
  readonly image?: string;
}

const mostByRows = 100;
const rowsPerSlice = 10_000;
/** Times that a job which vanished is repeated. */
const mostLosses = 2;
const tailBytes = 2_000;

export async function runOnExecutor(
  request: ExecutedRequest,
  wiring: Wiring,
  emit: PredictEventSink,
  ask: Ask,
): Promise<RunResult> {
  const { environment } = wiring;
  const settings = await settingsOf(request, wiring);
  // Look-ups alone need no jobs.
  if ((settings.computes ?? planOf(settings.mode).computes) === "never")
    return await runHere(request, wiring, emit, ask);
  const { executor, images } = await createNamedExecutor(request.executor, environment, (message) =>
    emit({ kind: "warning", message }),
  );
  const { image } = request;
  const isShared = executor.can.sharesFiles;
  if (executor.can.elsewhere !== true || (!isShared && images === undefined))
    throw new AppError(
      "CLI_USAGE",
      `memoir run: --executor ${request.executor.name} cannot compute slices of predictions: expected a cluster or a service of tasks`,
    );
  if (isShared === (image !== undefined))
    throw new AppError(
      "CLI_USAGE",
      isShared
        ? `memoir run: --image is for jobs that share no files with this machine; those of --executor ${request.executor.name} run this program`
        : `memoir run: --executor ${request.executor.name} needs --image IMAGE: an image that holds Memoir and the model`,
    );
  try {
    return await withParts(settings, request, { environment, emit }, ask, async (parts) => {
      const batch = new ExecutedBatch(request, settings, { environment, executor, images, parts, emit });
      return await batch.run(ask);
    });
  } finally {
    await executor.close();
  }
}

class ExecutedBatch {
  readonly #request: ExecutedRequest;
  readonly #settings: PredictionSettings;
  readonly #environment: Environment;
  readonly #executor: Executor;
  readonly #images: ImageResolver | undefined;
  readonly #parts: RunParts;
  readonly #emit: PredictEventSink;
  readonly #warnings: string[] = [];

  constructor(
    request: ExecutedRequest,
    settings: PredictionSettings,
    world: {
      readonly environment: Environment;
      readonly executor: Executor;
      readonly images: ImageResolver | undefined;
      readonly parts: RunParts;
      readonly emit: PredictEventSink;
    },
  ) {
    this.#request = request;
    this.#settings = settings;
    this.#environment = world.environment;
    this.#executor = world.executor;
    this.#images = world.images;
    this.#emit = world.emit;
    this.#parts = {
      ...world.parts,
      emit: (event) => {
        // The look-ups of the plan are not the answers.
        if (event.kind === "warning") this.#warn(event.message);
      },
    };
  }

  #warn(message: string): void {
    if (this.#warnings.includes(message)) return;
    this.#warnings.push(message);
    this.#emit({ kind: "warning", message });
  }

  async run(ask: Ask): Promise<RunResult> {
    const startedAt = performance.now();
    const root = join(this.#environment.home, "batches");
    await makeFolders(root);
    const whole = await this.#wholePlan(root, ask);
    const folder = join(root, whole.id);
    await makeFolders(folder);
    // Holds the environment of the jobs.
    await promisify(chmod)(folder, 0o700);
    const hold = await holdFolder(folder, `predicting ${this.#request.input} on ${this.#executor.name}`);
    try {
      const merged = await this.#inFolder(whole, folder, ask);
      await rm(folder, { recursive: true, force: true });
      return this.#result(merged, startedAt);
    } catch (error) {
      // Nothing was submitted, and nothing is there to be resumed.
      const begun = ["jobs", "plan.json.shards"].flatMap((name) => namesIn(join(folder, name)));
      if (begun.length === 0) await rm(folder, { recursive: true, force: true });
      throw error;
    } finally {
      await hold.release();
    }
  }

  #jobs(whole: BatchPlan): SliceJobs {
    const { job, image, batchSize, workers, timeoutMs, program } = this.#request;
    const parts = {
      options: defined({ ...job, batchSize, workers, timeoutMs }),
      settings: this.#settings,
      environment: this.#environment,
    };
    if (image === undefined || this.#images === undefined) return new SharedSliceJobs({ ...parts, program });
    return new RemoteSliceJobs({
      ...parts,
      executor: this.#executor,
      images: this.#images,
      image,
      input: whole.input.path,
    });
  }

  /** The input, and how it is read, in a plan of all its rows: its id names the folder. */
  async #wholePlan(root: string, ask: Ask): Promise<BatchPlan> {
    const { input, inputStream, inputFormat: format, delimiter, column, header, slices } = this.#request;
    const { id, release, columns } = this.#parts.model;
    const { model: name, mode, match } = this.#settings;
    const kept =
      inputStream && (await keptInput(inputStream, join(root, `input-${process.pid}`), format, ask));
    const count: SliceCount =
      slices === undefined
        ? { kind: "rows", rows: rowsPerSlice, most: mostByRows }
        : { kind: "count", slices };
    const plan = await makePlan(
      {
        input: {
          path: kept ?? resolve(this.#environment.cwd, input),
          ...defined({ format, delimiter, column, header }),
        },
        model: { name, id, release, columns: columns.map((each) => ({ name: each.name, type: each.type })) },
        mode,
        match,
        slices: count,
        caches: {},
      },
      ask,
    );
    if (kept === undefined) return plan;
    const path = join(root, plan.id, "input");
    await makeFolders(join(root, plan.id));
    await rename(kept, path);
    return { ...plan, input: { ...plan.input, path } };
  }

  async #inFolder(
    whole: BatchPlan,
    folder: string,
    ask: Ask,
  ): Promise<MergeResult & Pick<RunResult, "notStored">> {
    const jobs = this.#jobs(whole);
    for (let again = 0; ; again++) {
      const plan = await this.#planOfMissing(whole, folder, ask);
      await this.#compute(plan, { folder, jobs }, ask);
      try {
        return await this.#merge(plan, { folder, jobs, input: whole.input.path }, ask);
      } catch (error) {
        if (!(error instanceof StoredRowsGone)) throw error;
        await rm(join(folder, "plan.json"), { force: true });
        // Rows that have gone to a pipe cannot be taken back.
        if (again === 2 || this.#request.outputStream !== undefined)
          throw new AppError("BATCH_UNFINISHED", `merging the batch: ${messageOf(error)}`, {
            cause: error,
            hint: "The caches lost rows while the others were computed. Run the same command again.",
          });
        this.#warn(`${messageOf(error)}; planning again`);
      }
    }
  }

  /** The plan of an earlier run of the same is used again, with all that was computed for it. */
  async #planOfMissing(whole: BatchPlan, folder: string, ask: Ask): Promise<BatchPlan> {
    const file = join(folder, "plan.json");
    if (existsSync(file)) {
      const earlier = await readPlan(file).catch(() => undefined);
      if (earlier !== undefined) return earlier;
    }
    const rows = await rowsToCompute(whole, this.#parts, ask);
    await rows.write(join(folder, "rows"));
    const { input, model, mode, match, rowsPerSlice: all } = whole;
    const plan = await makePlan(
      {
        input,
        model,
        mode,
        match,
        slices: { kind: "count", slices: all.length },
        only: { path: "rows", rows },
        caches: {},
      },
      ask,
    );
    await rm(file, { force: true });
    await writePlan(file, plan);
    return await readPlan(file);
  }

  async #compute(
    plan: BatchPlan,
    { folder, jobs }: { readonly folder: string; readonly jobs: SliceJobs },
    ask: Ask,
  ): Promise<void> {
    const before = await this.#status(plan, folder, ask);
    if (before.finished) return;
    this.#emit({ kind: "model-opening" });
    await this.#executor.open(ask);
    await jobs.prepare(folder, ask);
    let rows = before.done;
    const ended = await Promise.allSettled(
      before.unfinished.map(async (slice) => {
        await this.#computeSlice({ plan, slice }, { folder, jobs }, ask);
        rows += plan.rowsPerSlice[slice - 1] ?? 0;
        const counts = { reusedLocal: 0, reusedCloud: 0, computed: rows, failed: 0, missing: 0 };
        this.#emit({ kind: "progress", counts, bytesAnswered: 0, bytesTotal: undefined });
      }),
    );
    checkAsk(ask, "computing the slices");
    for (const each of ended) if (each.status === "rejected") throw each.reason;
  }

  async #status(plan: BatchPlan, folder: string, ask: Ask): Promise<BatchStatus> {
    return await statusOf(plan, shardFolderOf(join(folder, "plan.json")), ask);
  }

  async #computeSlice(
    of: SliceOfPlan,
    { folder, jobs }: { readonly folder: string; readonly jobs: SliceJobs },
    ask: Ask,
  ): Promise<void> {
    const { plan, slice } = of;
    const attempts = join(folder, "jobs");
    let number = Math.max(0, latest(attempts, slice));
    for (let losses = 0; ; number++) {
      const directory = join(attempts, `${slice}-${number}`);
      const attempt = await jobs.attemptOf(of, { folder, directory, number });
      // An earlier run may have started it: then it is only waited for.
      const { rc, stopped } = attemptPaths(directory);
      const wasThere = existsSync(rc) || existsSync(stopped);
      const end = await this.#end(attempt, async () => jobs.bring({ ...of, folder }, attempt, ask), ask);
      checkAsk(ask, `computing slice ${slice}`);
      if (await this.#isDone(plan, folder, slice, ask)) return;
      if (wasThere) continue;
      const lost =
        end.kind === "lost" || end.kind === "cancelled" || (end.kind === "exited" && end.exitCode === 75);
      if (lost && losses++ < mostLosses) continue;
      throw new AppError(
        "BATCH_SLICE_FAILED",
        `computing slice ${slice} of ${plan.rowsPerSlice.length} on ${this.#executor.name}: ${await endWords(end, directory)}`,
      );
    }
  }

  async #end(attempt: Attempt, bring: () => Promise<void>, ask: Ask): Promise<AttemptEnd> {
    try {
      await this.#executor.start(attempt, ask);
      const end = await this.#executor.wait(attempt, ask);
      if (end.kind === "exited") await bring();
      return end;
    } catch (error) {
      // Nothing of it is left.
      if (isAppError(error, "EXEC_JOB_REFUSED"))
        await rm(attempt.directory, { recursive: true, force: true });
      if (!isAppError(error, "EXEC_ENGINE_FAILED")) throw error;
      return { kind: "lost", message: error.message };
    } finally {
      await this.#executor.remove(attempt, ask).catch(() => undefined);
    }
  }

  /** Its shard says it, and nothing else: a job may have ended badly after its work was done. */
  async #isDone(plan: BatchPlan, folder: string, slice: number, ask: Ask): Promise<boolean> {
    const { perSlice } = await this.#status(
      { ...plan, rowsPerSlice: plan.rowsPerSlice.map((rows, at) => (at === slice - 1 ? rows : 0)) },
      folder,
      ask,
    );
    return perSlice[slice - 1]?.state === "done";
  }

  async #merge(
    plan: BatchPlan,
    place: { readonly folder: string; readonly jobs: SliceJobs; readonly input: string },
    ask: Ask,
  ): Promise<MergeResult & Pick<RunResult, "notStored">> {
    const { folder, jobs, input } = place;
    const shards = shardFolderOf(join(folder, "plan.json"));
    const { output, outputStream, outputFormat, statusColumn } = this.#request;
    const computedAt = (await stat(shards).catch(() => undefined))?.mtime ?? new Date();
    const stored = storedRows(plan, this.#parts, {
      computedAt: computedAt.toISOString(),
      records: jobs.unrecorded(plan),
      ask,
    });
    try {
      const merged = await mergeBatch(
        {
          plan,
          input,
          folder: shards,
          output: outputStream === undefined ? resolve(this.#environment.cwd, output) : output,
          statusColumn,
          stored,
          ...defined({ outputStream, outputFormat, missing: this.#settings.missing }),
        },
        this.#emit,
        ask,
      );
      await stored.recorder?.settle("everything");
      return { ...merged, notStored: (await stored.recorder?.close()) ?? [] };
    } catch (error) {
      await stored.recorder?.close().catch(() => undefined);
      throw error;
    }
  }

  #result(merged: MergeResult & Pick<RunResult, "notStored">, startedAt: number): RunResult {
    const seconds = (performance.now() - startedAt) / 1000;
    const { model, release, rows, counts, failures, output, notStored } = merged;
    return {
      model,
      release,
      mode: this.#settings.mode,
      input: this.#request.input,
      output,
      rows,
      counts,
      finished: true,
      resumedRows: 0,
      seconds: Math.round(seconds * 1000) / 1000,
      rowsPerSecond: Math.round(rows / Math.max(seconds, 0.001)),
      failures,
      notStored,
      warnings: this.#warnings,
    };
  }
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** The number of the slice's last job; -1 = there is none. */
function latest(jobs: string, slice: number): number {
  const names = namesIn(jobs);
  return Math.max(
    -1,
    ...names.flatMap((name) => {
      const [, of, number] = /^(\d+)-(\d+)$/.exec(name) ?? [];
      return Number(of) === slice ? [Number(number)] : [];
    }),
  );
}

async function endWords(end: AttemptEnd, directory: string): Promise<string> {
  const { stderr } = attemptPaths(directory);
  const read = await readTail(stderr, tailBytes).catch(() => undefined);
  const tail = read?.text.trim() ?? "";
  const said = tail === "" ? "" : `: ${tail}`;
  switch (end.kind) {
    case "exited":
      return `the job ended with ${end.exitCode}${end.outOfMemory ? " (out of memory)" : ""}${said}`;
    case "timed-out":
      return `the job's time was over${said}`;
    case "cancelled":
      return "the job was cancelled";
    default:
      return `the job was lost: ${end.message}`;
  }
}
