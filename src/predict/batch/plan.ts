/**
 * The plan of a batch: a file that says which input is predicted by which model in how many slices. It holds no secrets and
 * no time, so planning the same again gives the same plan, and slices of it that are done stay done.
 */
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { Separator } from "../../csv/index.ts";
import { digestOf, sha256File } from "../../hash/index.ts";
import { AppError, type Ask, defined, type ModelId, messageOf, systemErrorCode } from "../../kernel/index.ts";
import type { Column } from "../../task/index.ts";
import { type InputFormat, inputFormatOf } from "../files/format.ts";
import type { HeaderOptions } from "../files/header.ts";
import { readInputs } from "../files/read-inputs.ts";
import type { Mode } from "../mode.ts";
import { slicer } from "../slices.ts";
import { RowSet } from "./row-set.ts";

export interface BatchPlan {
  /** Digest of everything that decides the rows of the batch and their order; names the shards. */
  readonly id: string;
  readonly input: PlannedInput;
  readonly model: PlannedModel;
  readonly mode: Mode;
  readonly computes?: "never";
  readonly match: "exact" | "canonical";
  /** Rows of each slice, in order; their number is the number of slices. */
  readonly rowsPerSlice: readonly number[];
  /** Only these rows are computed: the others were stored when the plan was made. A `RowSet` next to the plan. */
  readonly only?: { readonly path: string; readonly sha256: string };
  /** Of the caches, where the plan names them; not part of the id. */
  readonly caches: { readonly local?: string; readonly cloud?: string };
}

export interface PlannedInput extends HeaderOptions {
  /** Absolute; in the file relative to the plan where it is below the plan's folder. */
  readonly path: string;
  readonly format: InputFormat;
  readonly delimiter?: Separator;
  readonly bytes: number;
  readonly sha256: string;
  readonly rows: number;
}

export interface PlannedModel {
  /** As the user named it. */
  readonly name: string;
  readonly id: ModelId;
  readonly release: string;
  readonly columns: readonly Column[];
}

export interface PlanRequest extends Pick<BatchPlan, "model" | "mode" | "computes" | "match" | "caches"> {
  readonly input: HeaderOptions & {
    readonly path: string;
    readonly format?: InputFormat;
    readonly delimiter?: Separator;
  };
  readonly slices: SliceCount;
  readonly only?: { readonly path: string; readonly rows: RowSet };
}

export type SliceCount =
  | { readonly kind: "count"; readonly slices: number }
  /** As many as give about so many rows each, but no more than `most`. */
  | { readonly kind: "rows"; readonly rows: number; readonly most: number };

const format = 1;
/** A merge reads all shards at the same time. */
export const mostSlicesOfPlan = 1_000;
const chunkRows = 20_000;

/** Reads the whole input: what is wrong with it shows before anything is computed. Throws FILE_*, PREDICT_INPUT_*. */
export async function makePlan(request: PlanRequest, ask: Ask): Promise<BatchPlan> {
  const { path } = request.input;
  const inputFormat = request.input.format ?? inputFormatOf(path);
  const input = { ...request.input, format: inputFormat };
  const before = await sizeOf(path);
  const { only } = request;
  let inputRows = 0;
  // The number of slices may depend on the number of rows, which is known at the end.
  const count = async (slices: number) => {
    const sliceOf = slicer(slices);
    const rows = new Array<number>(slices).fill(0);
    let row = 0;
    for await (const chunk of readInputs({ ...input, chunkRows }, ask))
      for (const each of chunk.inputs) {
        const at = sliceOf(each) - 1;
        if (only?.rows.has(row) !== false) rows[at] = (rows[at] ?? 0) + 1;
        row++;
      }
    inputRows = row;
    return rows;
  };
  const rowsPerSlice = await count(await sliceCount(request, { ...input, chunkRows }, ask));
  const sha256 = await sha256File(path, ask.signal);
  if ((await sizeOf(path)) !== before)
    throw new AppError("FILE_CHANGED", `planning the batch: ${path} changed while it was read`);
  const { model, mode, computes, match, caches } = request;
  const body = {
    input: { ...input, bytes: before, sha256, rows: inputRows },
    model,
    mode,
    match,
    rowsPerSlice,
    caches,
    ...defined({
      computes,
      only: only === undefined ? undefined : { path: only.path, sha256: only.rows.digest },
    }),
  };
  return { id: idOf(body), ...body };
}

async function sliceCount(
  { slices }: PlanRequest,
  input: Parameters<typeof readInputs>[0],
  ask: Ask,
): Promise<number> {
  if (slices.kind === "count") return slices.slices;
  let rows = 0;
  for await (const chunk of readInputs(input, ask)) rows += chunk.inputs.length;
  return Math.max(1, Math.min(slices.most, Math.ceil(rows / slices.rows)));
}

function idOf(plan: Omit<BatchPlan, "id">): string {
  const { input, model, mode, computes, match, rowsPerSlice, only } = plan;
  return digestOf({
    format,
    input: {
      sha256: input.sha256,
      format: input.format,
      delimiter: input.delimiter ?? "detected",
      column: input.column ?? "detected",
      header: input.header ?? "detected",
    },
    model: model.id,
    release: model.release,
    columns: model.columns.map(({ name, type }) => [name, type]),
    mode,
    computes: computes ?? "as the mode says",
    match,
    rowsPerSlice: [...rowsPerSlice],
    ...(only === undefined ? {} : { only: only.sha256 }),
  }).slice(0, 24);
}

/** Replaces an earlier plan, and nothing else. */
export async function writePlan(path: string, plan: BatchPlan): Promise<void> {
  const there = await readFile(path, "utf8").catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw new AppError("FILE_NOT_WRITABLE", `cannot write the plan to ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  });
  if (there !== undefined && there.trim() !== "" && !isPlanText(there))
    throw new AppError("FILE_NOT_WRITABLE", `cannot write the plan to ${path}: there is another file`, {
      hint: "Plans replace only plans. Name another file with -o.",
    });
  const below = relative(dirname(path), plan.input.path);
  const input = {
    ...plan.input,
    path: below.startsWith("..") || isAbsolute(below) ? plan.input.path : below,
  };
  const { id, ...body } = plan;
  const text = `${JSON.stringify({ format, kind: "memoir batch plan", id, ...body, input }, null, 2)}\n`;
  const fresh = `${path}.${process.pid}.new`;
  try {
    const file = await open(fresh, "w");
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    const code = systemErrorCode(error) === "ENOSPC" ? "DISK_FULL" : "FILE_NOT_WRITABLE";
    throw new AppError(code, `cannot write the plan to ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function isPlanText(text: string): boolean {
  return text.includes('"kind": "memoir batch plan"');
}

/** @throws FILE_NOT_FOUND, BATCH_PLAN_INVALID */
export async function readPlan(path: string): Promise<BatchPlan> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    const code = systemErrorCode(error) === "ENOENT" ? "FILE_NOT_FOUND" : "FILE_NOT_READABLE";
    throw new AppError(code, `cannot read the plan ${path}: ${messageOf(error)}`, { cause: error });
  });
  const invalid = (why: string, cause?: unknown) =>
    new AppError("BATCH_PLAN_INVALID", `cannot read the plan ${path}: ${why}`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid("it is not JSON", error);
  }
  const { format: written, kind, ...rest } = (value ?? {}) as Record<string, unknown>;
  if (kind !== "memoir batch plan") throw invalid("it is not a plan of a batch");
  if (written !== format) throw invalid(`its format is ${JSON.stringify(written)}, expected ${format}`);
  const plan = rest as unknown as BatchPlan;
  let id: string;
  try {
    id = idOf(plan);
    if (plan.rowsPerSlice.length < 1 || plan.rowsPerSlice.length > mostSlicesOfPlan)
      throw new Error(`it has ${plan.rowsPerSlice.length} slices`);
  } catch (error) {
    throw invalid("a part of it is missing or has another form", error);
  }
  if (id !== plan.id) throw invalid("it was changed after it was written (its id does not fit)");
  const at = (name: string) => resolve(dirname(path), name);
  const only = plan.only && { ...plan.only, path: at(plan.only.path) };
  return { ...plan, input: { ...plan.input, path: at(plan.input.path) }, ...defined({ only }) };
}

/** @throws BATCH_PLAN_INVALID */
export async function rowsOfPlan({ only }: BatchPlan): Promise<RowSet | undefined> {
  if (only === undefined) return undefined;
  const rows = await RowSet.read(only.path).catch((error: unknown) => {
    throw new AppError(
      "BATCH_PLAN_INVALID",
      `reading the rows of the plan in ${only.path}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  });
  if (rows.digest === only.sha256) return rows;
  throw new AppError("BATCH_PLAN_INVALID", `reading the rows of the plan: ${only.path} was changed`);
}

/** The folder of the shards, unless another one is named: next to the plan. */
export function shardFolderOf(planPath: string): string {
  return `${planPath}.shards`;
}

export function shardName(plan: BatchPlan, slice: number): string {
  const digits = String(plan.rowsPerSlice.length).length;
  return `slice-${String(slice).padStart(digits, "0")}-of-${plan.rowsPerSlice.length}-${plan.id}.rows`;
}

export function shardPath(plan: BatchPlan, folder: string, slice: number): string {
  return join(folder, shardName(plan, slice));
}

/** @throws BATCH_INPUT_CHANGED, FILE_NOT_FOUND */
export async function checkInput(plan: BatchPlan, path: string, ask: Ask): Promise<void> {
  const bytes = await sizeOf(path);
  const changed = (words: string) =>
    new AppError("BATCH_INPUT_CHANGED", `${path} is not the input that was planned: ${words}`);
  if (bytes !== plan.input.bytes) throw changed(`got ${bytes} bytes, expected ${plan.input.bytes}`);
  const sha256 = await sha256File(path, ask.signal);
  if (sha256 !== plan.input.sha256)
    throw changed(
      `its content has sha-256 ${sha256.slice(0, 12)}…, expected ${plan.input.sha256.slice(0, 12)}…`,
    );
}

async function sizeOf(path: string): Promise<number> {
  const stats = await stat(path).catch((error: unknown) => {
    const code = systemErrorCode(error) === "ENOENT" ? "FILE_NOT_FOUND" : "FILE_NOT_READABLE";
    throw new AppError(code, `cannot read the inputs from ${path}: ${messageOf(error)}`, { cause: error });
  });
  if (!stats.isFile())
    throw new AppError("FILE_NOT_REGULAR", `cannot read the inputs from ${path}: it is not a regular file`);
  return stats.size;
}
