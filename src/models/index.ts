/** models: model packages, where they are kept, and what runs them. */
export { type Canonical, type Canonicalizer, createCanonicalizer } from "./builtin/canonicalizer.ts";
export { drawMolecule } from "./builtin/draw-molecule.ts";
export { createFingerprinter, type Fingerprinter, fingerprintBytes } from "./builtin/fingerprinter.ts";
export { type ExampleMode, type ExampleRequest, exampleInputs } from "./examples/example-inputs.ts";
export { type CitedModel, citedModel, type HubModel, parseHubList } from "./hub/hub-list.ts";
export {
  type SessionContainer,
  startSessionContainer,
  stopSessionContainer,
  watchSession,
} from "./image/session-container.ts";
export type { Model, ModelGuard, ModelOrigin, ModelSource, Runner } from "./model.ts";
export { isErsiliaId } from "./model-id.ts";
export { exampleOutputOf, inputHeaderOf, readModelPackage } from "./package/read-package.ts";
export { type CatalogRow, catalogRow } from "./registry/catalog.ts";
export { type FetchedModel, type FetchRequest, fetchModel } from "./registry/fetch-model.ts";
export { type FetchSource, parseFetchSource } from "./registry/fetch-source.ts";
export {
  type BrokenModel,
  deleteModel,
  type FindModelRequest,
  findModel,
  listModels,
  type ModelList,
} from "./registry/registry.ts";
export { batchesAtOnce, createRunner, type RunnerOptions } from "./runners/create-runner.ts";
