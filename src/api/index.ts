/** api: Memoir for programs. This is the package's public interface: `import { openMemoir } from "memoir"`. */

export type {
  CacheRecord,
  CacheRequest,
  CatalogResult,
  CheckResult,
  DeleteCacheResult,
  DiagnosticFact,
  DiffResult,
  DoctorResult,
  EntriesTouched,
  EntryPage,
  ExecutorOrder,
  Extensions,
  FailureFact,
  FetchResult,
  InfoResult,
  InputsResult,
  LogsResult,
  OutputsResult,
  PredictionRequest,
  PruneResult,
  RunLimits,
  RunOrder,
  RunRequest,
  RunRow,
  ShowCacheResult,
  ShowResult,
  WorkflowRunResult,
} from "../app/index.ts";
export type { ReusePrediction, RunEvent, TimedEvent } from "../engine/index.ts";
export type {
  Attempt,
  AttemptEnd,
  AttemptState,
  CreatedExecutor,
  Executor,
  ExecutorAbilities,
  ExecutorCheck,
  ExecutorKind,
  ExecutorOption,
  ExecutorOptions,
  ExecutorWorld,
  ImageResolver,
  PinnedImage,
  Usage,
} from "../exec/core/index.ts";
export { AppError, type Ask, type Diagnostic, ExactJson, isAppError } from "../kernel/index.ts";
export type {
  FrontEnd,
  FrontEndAbilities,
  FrontEndKind,
  FrontEndOptions,
  Host,
  Loaded,
  LoadOptions,
  ParameterValues,
  Program,
  SourceTree,
  WorkflowInterface,
} from "../lang/core/index.ts";
export type { PredictEvent, PredictedRow, RunResult as PredictionResult } from "../predict/index.ts";
export type {
  PredictionTier,
  PutReport,
  SampleRequest,
  StoredScope,
  TierAbilities,
} from "../store/predictions/index.ts";
export type {
  CallOutcome,
  Cell,
  Column,
  FinishedAttempt,
  PredictionRow,
  PredictionScope,
  TaskCall,
} from "../task/index.ts";
export type { ActiveRun } from "./active-run.ts";
export {
  type CallOptions,
  type Memoir,
  type MemoirOptions,
  openMemoir,
  type PredictOptions,
} from "./memoir.ts";
export type { PredictedRows } from "./predicted-rows.ts";
export type { RunOptions, WorkflowOptions } from "./workflow-options.ts";
