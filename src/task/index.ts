/** task: neutral shapes of calls, values, outcomes and resources. No behaviour beyond small pure helpers. */
export {
  type AttemptFiles,
  type AttemptMember,
  AttemptProblem,
  type AttemptStat,
  type MadeMember,
} from "./attempt-files.ts";
export { isObjectUri, memberOf, nameProblem, objectName } from "./location.ts";
export { MemoryAttemptFiles, type MemoryFiles } from "./memory-attempt-files.ts";
export { originFolder, withOrigin } from "./origin.ts";
export type { CallOutcome, FailureKind, Outputs, TaskFailure } from "./outcome.ts";
export type { CanonicalJson, OutputRule } from "./output-rule.ts";
export type {
  Cell,
  Column,
  ColumnType,
  Prediction,
  PredictionRow,
  PredictionScope,
  Provenance,
} from "./prediction.ts";
export type { StoredContent, StoredFile, StoredMember } from "./stored-content.ts";
export {
  type AcceptedExit,
  type Brought,
  type CachePolicy,
  type FinishedAttempt,
  type ImageRecipe,
  type InputIdentity,
  type LinkedInput,
  type LiteralFile,
  type Resources,
  type StagedInput,
  type TaskCall,
  type TaskDisk,
  type TaskPlacement,
  taskInputs,
  taskRoot,
  taskStderr,
  taskStdout,
  taskWork,
} from "./task-call.ts";
export type { FileValue, RecordValue, Value } from "./value.ts";
