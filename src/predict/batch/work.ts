/**
 * Computes one slice of a planned batch into its shard. Rows grow in a separate folder per machine, so that workers on other
 * machines cannot meet them, and a shard gets its name only when it is whole: whoever is killed and whatever is repeated,
 * a shard is there with every row of its slice, or it is not there.
 */
import { randomBytes } from "node:crypto";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { AppError, type Ask, defined, isAppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import { isRunning, thisOwner } from "../../process/index.ts";
import { noCounts } from "../events.ts";
import { runPredictions } from "../run.ts";
import type { RunParts, RunRequest, RunResult, StopAfter } from "../run-request.ts";
import { type BatchPlan, checkInput, rowsOfPlan, shardPath } from "./plan.ts";
import { countShard, type ShardCounts, ShardTrouble, shardFormat } from "./shard.ts";

export interface WorkRequest extends Pick<RunRequest, "batchSize" | "parallel"> {
  readonly plan: BatchPlan;
  readonly slice: number;
  /** The planned input; it may have been moved. */
  readonly input: string;
  /** Of the shards. */
  readonly folder: string;
  readonly stopAfter?: StopAfter;
}

export interface WorkResult
  extends Pick<RunResult, "counts" | "failures" | "notStored" | "warnings" | "seconds"> {
  readonly plan: string;
  readonly slice: number;
  readonly slices: number;
  /** `already-done`: the shard was there, whole and without failed rows. */
  readonly state: "done" | "already-done" | "unfinished";
  readonly model: string;
  readonly release: string;
  /** Of the shard; of an unfinished slice those that are certain. */
  readonly rows: number;
  readonly failed: number;
  readonly missing: number;
  readonly shard: string;
}

/**
 * A shard with failed rows is made again: looking up answers the others.
 * @throws BATCH_INPUT_CHANGED, BATCH_OTHER_MODEL, and what a run throws
 */
export async function workSlice(request: WorkRequest, parts: RunParts, ask: Ask): Promise<WorkResult> {
  const { plan, slice, folder, input } = request;
  checkModel(plan, parts);
  await checkInput(plan, input, ask);
  const shard = shardPath(plan, folder, slice);
  const facts = {
    plan: plan.id,
    slice,
    slices: plan.rowsPerSlice.length,
    model: plan.model.id,
    release: plan.model.release,
    shard,
  };
  const there = await countOf({ plan, slice, path: shard });
  if (there !== undefined && there.failed === 0) {
    const nothing = { counts: noCounts(), failures: [], notStored: [], warnings: [], seconds: 0 };
    return { ...facts, state: "already-done", ...there, ...nothing };
  }
  const { host, bootId } = thisOwner();
  const own = join(folder, `.work-${host.replaceAll(/[^A-Za-z0-9.-]/g, "_")}-${bootId.slice(0, 8)}`);
  await writingIn(folder, () => makeFolders(own));
  const output = join(own, basename(shard));
  await sweep(output, own);
  const wanted = await rowsOfPlan(plan);
  const isWanted = wanted && ((row: number) => wanted.has(row));
  const result = await attempt({ ...request, ...defined({ isWanted }) }, output, parts, ask);
  const { counts, failures, notStored, warnings, seconds, rows } = result;
  const said = { counts, failures, notStored, warnings, seconds };
  if (!result.finished)
    return { ...facts, state: "unfinished", rows, failed: counts.failed, missing: counts.missing, ...said };
  // A disk that lost bytes is noticed before the shard counts as done.
  const whole = await countShard({ plan, slice, path: result.output }).catch((error: unknown) => {
    if (!(error instanceof ShardTrouble)) throw error;
    throw new AppError("FILE_CHANGED", `finishing slice ${slice}: ${error.message}`, { cause: error });
  });
  await writingIn(folder, () => rename(result.output, shard));
  return { ...facts, state: "done", ...whole, ...said };
}

/** Another worker on this machine has the slice as well: both are right, and the last one to end names the shard. */
async function attempt(
  request: WorkRequest & Pick<RunRequest, "isWanted">,
  output: string,
  parts: RunParts,
  ask: Ask,
): Promise<RunResult> {
  const { plan, slice, input, stopAfter, batchSize, parallel, isWanted } = request;
  const { format, delimiter, column, header } = plan.input;
  const run = (path: string) =>
    runPredictions(
      {
        input,
        inputFormat: format,
        ...defined({ delimiter, column, header }),
        output: path,
        mode: plan.mode,
        ...defined({ computes: plan.computes }),
        match: plan.match,
        statusColumn: "without",
        slice: { number: slice, of: plan.rowsPerSlice.length },
        rowFormat: { format: shardFormat(plan, slice), identity: `shard of ${plan.id}` },
        ...defined({ stopAfter, batchSize, parallel, isWanted }),
      },
      parts,
      ask,
    );
  try {
    return await run(output);
  } catch (error) {
    if (!isAppError(error, "PREDICT_OUTPUT_BUSY")) throw error;
    return await run(`${output}.${process.pid}-${randomBytes(4).toString("hex")}`);
  }
}

/** What second workers left that were killed. */
async function sweep(output: string, folder: string): Promise<void> {
  const prefix = `${basename(output)}.`;
  for (const name of await readdir(folder)) {
    const [, pid] = name.startsWith(prefix)
      ? (/^(\d+)-[0-9a-f]{8}/.exec(name.slice(prefix.length)) ?? [])
      : [];
    if (pid !== undefined && !isRunning(Number(pid)))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** undefined = no whole shard is there. */
async function countOf(place: Parameters<typeof countShard>[0]): Promise<ShardCounts | undefined> {
  try {
    return await countShard(place);
  } catch (error) {
    if (error instanceof ShardTrouble) return undefined;
    throw error;
  }
}

function checkModel({ model }: BatchPlan, { model: found }: RunParts): void {
  const columns = (of: typeof model.columns) => JSON.stringify(of.map(({ name, type }) => [name, type]));
  if (found.id !== model.id || found.release !== model.release)
    throw new AppError(
      "BATCH_OTHER_MODEL",
      `computing a slice: the plan is for ${model.id} ${model.release}, got ${found.id} ${found.release}`,
    );
  if (columns(found.columns) !== columns(model.columns))
    throw new AppError(
      "BATCH_OTHER_MODEL",
      `computing a slice: ${found.id} ${found.release} has other columns than the plan: got ${found.columns.map(({ name }) => name).join(", ")}, expected ${model.columns.map(({ name }) => name).join(", ")}`,
    );
}

async function writingIn<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined || isAppError(error)) throw error;
    throw new AppError(
      code === "ENOSPC" || code === "EDQUOT" ? "DISK_FULL" : "FILE_NOT_WRITABLE",
      `cannot write a shard to ${folder}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
