/** task: neutral shapes of calls, values, outcomes and resources. No behaviour beyond small pure helpers. */
export { isObjectUri, memberOf, nameProblem, objectName } from "./location.ts";
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
export {
  type AcceptedExit,
  type Brought,
  type CachePolicy,
  type FinishedAttempt,
  type ImageRecipe,
  type LiteralFile,
  type Resources,
  type StagedInput,
  type TaskCall,
  type TaskDisk,
  taskInputs,
  taskRoot,
  taskWork,
} from "./task-call.ts";
export type { FileValue, RecordValue, Value } from "./value.ts";
