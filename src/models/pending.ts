/** Signatures whose bodies follow in the next commits. */
import type { Ask } from "../kernel/index.ts";
import type { FetchSource } from "./fetch-source.ts";
import type { Model, Runner } from "./model.ts";

/** Environment of programs that are started (git, models), read once by app/. */
export type ProgramEnv = Readonly<Record<string, string>>;

export interface FetchRequest {
  readonly source: FetchSource;
  /** Memoir's home; the model goes to `<home>/models/<id>`. */
  readonly home: string;
  readonly env: ProgramEnv;
}

export interface FetchedModel {
  readonly model: Model;
  /** What was there before under this id. `changed`: same release, other content: old cached answers may not fit. */
  readonly replaced: "nothing" | "same" | "other-release" | "changed";
}

export async function fetchModel(_request: FetchRequest, _ask: Ask): Promise<FetchedModel> {
  throw new Error("follows");
}

export interface BrokenModel {
  readonly folder: string;
  readonly problem: string;
}

export interface ModelList {
  /** Built-in models first, then fetched ones by id. */
  readonly models: readonly Model[];
  /** Folders under `<home>/models` that cannot be read. */
  readonly broken: readonly BrokenModel[];
}

export async function listModels(_home: string, _ask: Ask): Promise<ModelList> {
  throw new Error("follows");
}

/** `name`: an id, a slug, a path to a model folder (anything with a slash), or the URL of a running server. */
export async function findModel(
  _request: { readonly name: string; readonly home: string; readonly cwd: string },
  _ask: Ask,
): Promise<Model> {
  throw new Error("follows");
}

/** Removes a fetched model; MODEL_NOT_FOUND when there is none, MODEL_BUILTIN for a built-in one. */
export async function deleteModel(
  _request: { readonly name: string; readonly home: string },
  _ask: Ask,
): Promise<Model> {
  throw new Error("follows");
}

export type ExampleMode = "random" | "curated" | "deterministic";

/** Inputs to try a model with. `curated` = the model's own (all of them, `count` ignored). */
export async function exampleInputs(
  _model: Model | undefined,
  _request: { readonly count: number; readonly mode: ExampleMode; readonly seed?: string },
): Promise<readonly string[]> {
  throw new Error("follows");
}

/** One row of `catalog`. */
export interface CatalogRow {
  readonly identifier: string;
  readonly slug: string;
  readonly title: string;
  readonly task: string;
  readonly release: string;
  readonly outputDimension: number;
  /** `reusable`, or why its answers are never stored. */
  readonly reuse: string;
  /** `built in`, or where it was fetched from. */
  readonly from: string;
}

export function catalogRow(_model: Model): CatalogRow {
  throw new Error("follows");
}

export interface RunnerOptions {
  /** Processes, threads or requests at the same time. Default: 1. */
  readonly workers?: number;
  /** Milliseconds one batch may take before it is given up. Default: 600000. */
  readonly timeoutMs?: number;
  /** Environment of model programs; must hold PATH. */
  readonly env: ProgramEnv;
  /** Where private working directories are made. Default: os.tmpdir(). */
  readonly tempDir?: string;
}

/** The runner for a model's source, already wrapped so that a failing batch is bisected to the culprit rows. */
export function createRunner(_model: Model, _options: RunnerOptions): Runner {
  throw new Error("follows");
}

/** Canonical form of a molecule with the toolkit (and its version) that made it. */
export interface Canonical {
  readonly canonical: string;
  readonly toolkit: string;
}

export interface Canonicalizer {
  /** `rdkit-wasm 2026.09.1`. */
  readonly toolkit: string;
  /** Answers in the order of `inputs`; undefined = not a molecule. */
  canonicalize(inputs: readonly string[], ask: Ask): Promise<readonly (Canonical | undefined)[]>;
  close(): Promise<void>;
}

/** Loads RDKit; `workers` threads are used for large batches. */
export async function createCanonicalizer(_options: { readonly workers?: number }): Promise<Canonicalizer> {
  throw new Error("follows");
}
