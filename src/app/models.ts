/** info, example, fetch and delete. */
import { writeFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { AppError, type Ask, defined, messageOf, redact, systemErrorCode } from "../kernel/index.ts";
import {
  catalogRow,
  deleteModel,
  type ExampleMode,
  exampleInputs,
  type FetchSource,
  fetchModel,
  findModel,
  listModels,
  type Model,
  parseFetchSource,
} from "../models/index.ts";
import type { RowStream, StreamedFormat } from "../predict/index.ts";
import { runnerText, settingsOf, tierNames, type Wiring } from "./predictions.ts";
import type { PredictionSettings } from "./sessions.ts";

export interface InfoResult {
  readonly model: string;
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly release: string;
  readonly columns: Model["columns"];
  readonly runner: string;
  readonly from: string;
  readonly fetchedAt?: string;
  readonly reuse: string;
  /** What the model asks to have installed; Memoir does not install it. */
  readonly needs?: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The open session, where the model was not named. */
  readonly session?: {
    readonly mode: PredictionSettings["mode"];
    readonly local: string;
    readonly cloud: string;
  };
}

export async function info(
  options: { readonly model?: string; readonly session?: string },
  wiring: Wiring,
  ask: Ask,
): Promise<InfoResult> {
  const { home, cwd } = wiring.environment;
  const settings = options.model === undefined ? await settingsOf(options, wiring) : undefined;
  const model = await findModel({ name: options.model ?? settings?.model ?? "", home, cwd }, ask);
  const row = catalogRow(model);
  return {
    model: model.id,
    slug: model.slug,
    title: model.title,
    description: model.description,
    release: model.release,
    columns: model.columns,
    runner: settings?.runnerUrl === undefined ? runnerText(model) : `http ${redact(settings.runnerUrl)}`,
    from: row.from,
    ...defined({ fetchedAt: model.origin?.fetchedAt }),
    reuse: model.reusable.kind === "reusable" ? "reusable" : model.reusable.reason,
    ...defined({ needs: model.needs }),
    metadata: model.metadata,
    ...(settings === undefined
      ? {}
      : { session: { mode: settings.mode, ...tierNames(settings, wiring.environment) } }),
  };
}

export interface ExampleOptions {
  /** Default: the session's model where one is served; needed for `curated` only. */
  readonly model?: string;
  readonly session?: string;
  readonly count: number;
  readonly mode: ExampleMode;
  readonly seed?: string;
  /** `.csv`, `.tsv` or `.json`; undefined = nothing is written. */
  readonly output?: string;
  readonly outputStream?: RowStream;
  /** Default: by the extension of the output. */
  readonly outputFormat?: StreamedFormat;
}

export interface ExampleResult {
  readonly inputs: readonly string[];
  readonly output?: string;
}

export async function example(options: ExampleOptions, wiring: Wiring, ask: Ask): Promise<ExampleResult> {
  const { home, cwd } = wiring.environment;
  let model: Model | undefined;
  if (options.model !== undefined) model = await findModel({ name: options.model, home, cwd }, ask);
  else if (options.mode === "curated") {
    const session = options.session === undefined ? {} : { session: options.session };
    const { model: name } = await settingsOf(session, wiring);
    model = await findModel({ name, home, cwd }, ask);
  }
  const seed = options.seed === undefined ? {} : { seed: options.seed };
  const inputs = exampleInputs(model, { count: options.count, mode: options.mode, ...seed });
  if (options.output === undefined) return { inputs };
  if (options.outputStream !== undefined) {
    await options.outputStream.write(inputsText(inputs, options.outputFormat ?? "csv"));
    return { inputs, output: options.output };
  }
  const output = resolve(cwd, options.output);
  await writeInputs(output, inputs, options.outputFormat);
  return { inputs, output };
}

function inputsText(inputs: readonly string[], format: StreamedFormat): string {
  if (format !== "json") return `input\n${inputs.map((input) => `${quoted(input)}\n`).join("")}`;
  const objects = inputs.map((input) => ({ input }));
  return `${JSON.stringify(objects, null, 4)}\n`;
}

const exampleFormats: Readonly<Record<string, StreamedFormat>> = {
  ".csv": "csv",
  ".tsv": "tsv",
  ".json": "json",
};

async function writeInputs(
  path: string,
  inputs: readonly string[],
  asked: StreamedFormat | undefined,
): Promise<void> {
  const extension = extname(path).toLowerCase();
  const format = asked ?? (Object.hasOwn(exampleFormats, extension) ? exampleFormats[extension] : undefined);
  if (format === undefined)
    throw new AppError(
      "PREDICT_FORMAT_UNKNOWN",
      `cannot write examples to ${path}: got ${extension || "no extension"}, expected one of ${Object.keys(exampleFormats).join(", ")}`,
    );
  try {
    await writeFile(path, inputsText(inputs, format));
  } catch (error) {
    const code = systemErrorCode(error);
    throw new AppError(
      code === "ENOSPC" ? "DISK_FULL" : "FILE_NOT_WRITABLE",
      `cannot write ${path}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

function quoted(input: string): string {
  return /[",\t\r\n]/.test(input) ? `"${input.replaceAll('"', '""')}"` : input;
}

export interface FetchModelOptions {
  /** A folder, a git URL, an archive, the URL of a running server, or an id. */
  readonly source: string;
  /** Tag or branch of a git source. */
  readonly version?: string;
  /** An image that holds the model's server; `source`, where it is named, is the id that it must have. */
  readonly image?: string;
  readonly memoryBytes?: number;
  readonly cpus?: number;
}

export interface FetchResult {
  readonly model: string;
  readonly slug: string;
  readonly title: string;
  readonly release: string;
  readonly replaced: string;
  readonly from: string;
  /** What the model asks to have installed; Memoir does not install it. */
  readonly needs?: readonly string[];
  /** Why it cannot compute: its cached rows can be looked up all the same. */
  readonly lookUpsOnly?: string;
}

export async function fetchOne(
  options: FetchModelOptions,
  { environment }: Wiring,
  ask: Ask,
): Promise<FetchResult> {
  const { cwd, home, programs } = environment;
  const version = options.version === undefined ? {} : { version: options.version };
  const { image, memoryBytes, cpus } = options;
  const wanted = options.source === "" ? undefined : options.source;
  const source: FetchSource =
    image === undefined
      ? parseFetchSource(options.source, { cwd, ...version })
      : { kind: "image", image, ...defined({ id: wanted, memoryBytes, cpus }) };
  const { model, replaced, lookUpsOnly } = await fetchModel({ source, home, env: programs }, ask);
  const { id, slug, title, release, needs } = model;
  const asked = needs === undefined ? {} : { needs };
  const only = lookUpsOnly === undefined ? {} : { lookUpsOnly: lookUpsOnly.message };
  return { model: id, slug, title, release, replaced, from: image ?? options.source, ...asked, ...only };
}

export interface DeleteResult {
  readonly deleted: readonly string[];
}

export async function deleteSome(
  options: { readonly model?: string; readonly all: boolean },
  { environment }: Wiring,
  ask: Ask,
): Promise<DeleteResult> {
  const { home } = environment;
  if (!options.all) {
    if (options.model === undefined)
      throw new AppError("CLI_USAGE", "memoir delete: name a model, or say --all");
    const { id } = await deleteModel({ name: options.model, home }, ask);
    return { deleted: [id] };
  }
  const { models, broken } = await listModels(home, ask);
  const fetched = [...models.filter((model) => model.source.kind !== "builtin"), ...broken];
  const deleted: string[] = [];
  for (const { id } of fetched) deleted.push((await deleteModel({ name: id, home }, ask)).id);
  return { deleted };
}
