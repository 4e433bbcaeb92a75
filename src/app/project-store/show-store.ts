/** What is stored in projects. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { quotedWhere } from "../../csv/index.ts";
import { md5Hex } from "../../hash/index.ts";
import { AppError, type Ask, defined, messageOf } from "../../kernel/index.ts";
import { readInputTexts } from "../../predict/index.ts";
import type { PredictionTier, StoredScope } from "../../store/predictions/index.ts";
import type { PredictionScope } from "../../task/index.ts";
import type { Environment } from "../environment.ts";
import { scopeOf } from "../stored.ts";
import { warnOf } from "../tier-warnings.ts";
import { type Asked, closeAll, type InputColumn, writeText } from "./asked.ts";
import {
  type Access,
  accesses,
  checkProject,
  isauraAt,
  modelIn,
  type ProjectPart,
  partsOf,
  type SourceOptions,
  sourceOf,
  storeAt,
  tierAt,
} from "./places.ts";

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
export async function inspect(
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
export async function catalog(
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

export async function stats(
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
