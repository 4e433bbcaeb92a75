/** predict: prediction runs: read, look up, compute, record, write in order; and dumps of what the tiers hold. */

export {
  type BatchPlan,
  type BatchStatus,
  type MergeResult,
  makePlan,
  mergeBatch,
  mostSlicesOfPlan,
  readPlan,
  rowsToCompute,
  type SliceCount,
  type SliceStatus,
  StoredRowsGone,
  shardFolderOf,
  shardPath,
  statusOf,
  storedRows,
  type WorkResult,
  workSlice,
  writePlan,
} from "./batch/index.ts";
export { BatchTally, type TalliedBatch } from "./batch-tally.ts";
export { type DumpResult, dumpPredictions } from "./dump.ts";
export type { PredictEvent, PredictEventSink, RunCounts } from "./events.ts";
export type { InputFormat, StreamedFormat } from "./files/format.ts";
export { readInputTexts } from "./files/read-inputs.ts";
export { holdFolder } from "./folder-lock.ts";
export { importPredictions } from "./import.ts";
export { type ImportFile, type ImportTreeReport, importTree } from "./import-tree.ts";
export { type Mode, planOf, type Source } from "./mode.ts";
export {
  PredictionService,
  type ServiceAnswer,
  type ServiceRequest,
} from "./prediction-service.ts";
export { RowGroups } from "./row-groups.ts";
export type { PredictedRow, RowSink } from "./row-sink.ts";
export { runPredictions } from "./run.ts";
export { type ManyModelsResult, runManyModels } from "./run-many-models.ts";
export type { FailedInput, RunParts, RunResult, StopAfter } from "./run-request.ts";
export { type IndexUse, openSimilar, type SimilarMolecules } from "./similar/similar-molecules.ts";
export { parseSlice, type Slice } from "./slices.ts";
export type { RowStream } from "./stream-output.ts";
export { forgetUnsent, type UnsentPlace } from "./unsent-rows.ts";
