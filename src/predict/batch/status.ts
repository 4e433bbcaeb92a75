/** What is done of a batch: read from the shards themselves, which are checked as a merge would check them. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Ask, checkAsk } from "../../kernel/index.ts";
import { parsed } from "../checked-lines.ts";
import { type BatchPlan, shardName, shardPath } from "./plan.ts";
import { countShard, ShardTrouble } from "./shard.ts";

export interface SliceStatus {
  readonly slice: number;
  /** `damaged`: the shard is there and is not what was written; it counts as not done, and working on it replaces it. */
  readonly state: "done" | "started" | "waiting" | "damaged";
  /** Of the slice. */
  readonly rows: number;
  /** Answered rows, failed ones included; of a started slice those that are certain. */
  readonly done: number;
  readonly failed: number;
  /** Answered rows without a value, in modes that compute nothing. */
  readonly missing: number;
}

export interface BatchStatus {
  readonly plan: string;
  readonly model: string;
  readonly release: string;
  readonly input: string;
  readonly shards: string;
  readonly slices: number;
  readonly rows: number;
  readonly finished: boolean;
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  /** Numbers of the slices that are not done. */
  readonly unfinished: readonly number[];
  /** The same for a matrix of GitHub Actions. */
  readonly matrix: { readonly slice: readonly number[] };
  readonly perSlice: readonly SliceStatus[];
}

export async function statusOf(plan: BatchPlan, folder: string, ask: Ask): Promise<BatchStatus> {
  const perSlice: SliceStatus[] = [];
  const started = await startedRows(folder);
  for (const [at, rows] of plan.rowsPerSlice.entries()) {
    checkAsk(ask, "reading the shards");
    const slice = at + 1;
    perSlice.push({ slice, rows, ...(await sliceStatus({ plan, slice, folder }, started)) });
  }
  const sum = (of: (each: SliceStatus) => number) => perSlice.reduce((total, each) => total + of(each), 0);
  const unfinished = perSlice.filter(({ state }) => state !== "done").map(({ slice }) => slice);
  return {
    plan: plan.id,
    model: plan.model.id,
    release: plan.model.release,
    input: plan.input.path,
    shards: folder,
    slices: plan.rowsPerSlice.length,
    rows: plan.input.rows,
    finished: unfinished.length === 0,
    done: sum(({ done }) => done),
    failed: sum(({ failed }) => failed),
    missing: sum(({ missing }) => missing),
    unfinished,
    matrix: { slice: unfinished },
    perSlice,
  };
}

async function sliceStatus(
  { plan, slice, folder }: { readonly plan: BatchPlan; readonly slice: number; readonly folder: string },
  started: ReadonlyMap<string, number>,
): Promise<Pick<SliceStatus, "state" | "done" | "failed" | "missing">> {
  const nothing = { done: 0, failed: 0, missing: 0 };
  if (plan.rowsPerSlice[slice - 1] === 0) return { state: "done", ...nothing };
  try {
    const { rows, failed, missing } = await countShard({ plan, slice, path: shardPath(plan, folder, slice) });
    return { state: "done", done: rows, failed, missing };
  } catch (error) {
    if (!(error instanceof ShardTrouble)) throw error;
    if (error.kind === "damaged") return { state: "damaged", ...nothing };
    const done = started.get(shardName(plan, slice));
    return done === undefined ? { state: "waiting", ...nothing } : { state: "started", ...nothing, done };
  }
}

/** Rows that are certain, by the name of the shard that they are for. */
async function startedRows(folder: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const names = (of: string) => readdir(of).catch(() => []);
  for (const worker of (await names(folder)).filter((name) => name.startsWith(".work-")))
    for (const name of await names(join(folder, worker))) {
      const [, shard] = /^(.+\.rows)(?:\.\d+-[0-9a-f]{8})?\.memoir-partial$/.exec(name) ?? [];
      if (shard === undefined) continue;
      const state = parsed(await readFile(join(folder, worker, name, "state.json"), "utf8").catch(() => ""));
      const rows = (state as { rows?: unknown } | undefined)?.rows;
      found.set(shard, Math.max(found.get(shard) ?? 0, typeof rows === "number" ? rows : 0));
    }
  return found;
}
