/** models: model packages, where they are kept, and what runs them. */
export { type FetchSource, parseFetchSource } from "./fetch-source.ts";
export type { Model, ModelOrigin, ModelSource, Runner } from "./model.ts";
export { isErsiliaId, isModelId } from "./model-id.ts";
export {
  type BrokenModel,
  type Canonical,
  type Canonicalizer,
  type CatalogRow,
  catalogRow,
  createCanonicalizer,
  createRunner,
  deleteModel,
  type ExampleMode,
  exampleInputs,
  type FetchedModel,
  type FetchRequest,
  fetchModel,
  findModel,
  listModels,
  type ModelList,
  type ProgramEnv,
  type RunnerOptions,
} from "./pending.ts";
