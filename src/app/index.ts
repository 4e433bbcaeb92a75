/** app: the application, wired. */

export type { CacheSize, SizeRow, VerifyReport } from "../store/entries/index.ts";
export type { AccessKeyFact } from "./access-keys.ts";
export { type App, type CloseResult, createApp } from "./app.ts";
export type { AthenaInputsTableResult, AthenaTableResult } from "./athena-table.ts";
export type { PlanResult } from "./batch.ts";
export type { Browse } from "./browse/browse.ts";
export type { Followed } from "./browse/run-events.ts";
export type { CatalogResult } from "./catalog.ts";
export type { Config } from "./config/read-config.ts";
export type { Setting, SettingSource, SettingSpec, SettingValue } from "./config/settings.ts";
export type { DoctorOptions, DoctorResult } from "./doctor.ts";
export type { Extensions } from "./environment.ts";
export type { AdviceResult } from "./history/advice.ts";
export type { SavingsResult } from "./history/savings.ts";
export { savingsGroups } from "./history/savings-groups.ts";
export type { CiteResult, HubResult } from "./hub.ts";
export type { LookUpResult } from "./look-up.ts";
export type { ModelServerOptions, ModelServerParts } from "./model-server.ts";
export type {
  DeleteResult,
  ExampleResult,
  FetchResult,
  InfoResult,
} from "./models.ts";
export type { DefinitionAnswer, DefinitionRequest, DefinitionSource } from "./omics/definitions.ts";
export { isResultFolder, readEngineSettings } from "./omics/engine-settings.ts";
export { instanceType } from "./omics/instance-type.ts";
export type { OmicsOptions } from "./omics/omics.ts";
export type { StoreCheck } from "./omics/readiness.ts";
export type { TaskExplanation } from "./omics/run-explanations.ts";
export type { Tallies } from "./omics/run-tallies.ts";
export type { PredictionOptions, PredictionRequest } from "./predictions.ts";
export type { MovedRows } from "./project-store/copy-rows.ts";
export type { MovedFiles, RemoveResult } from "./project-store/move-files.ts";
export type { InspectResult, ProjectCatalog, ProjectStats } from "./project-store/show-store.ts";
export type { ExportResult } from "./provenance/export-run.ts";
export type { TracedCall, TraceResult } from "./provenance/trace.ts";
export type { ServeResult } from "./serve.ts";
export type { ServedPredictions } from "./served-predictions.ts";
export type { SimilarResult } from "./similar.ts";
export type { CompactResult, CopyResult, DryRunFacts, ImportResult } from "./stored.ts";
export type { DropResult, StatsResult } from "./stored-inventory.ts";
export type { CacheRecord } from "./workflows/cache-registry.ts";
export type { EntriesTouched } from "./workflows/caches/choose-entries.ts";
export type { DeleteCacheResult } from "./workflows/caches/delete.ts";
export type { EntryPage } from "./workflows/caches/entries.ts";
export type { CacheList, CacheRow } from "./workflows/caches/list.ts";
export type { PruneResult } from "./workflows/caches/prune.ts";
export type { RechecksResult } from "./workflows/caches/rechecks.ts";
export type { ShowCacheResult } from "./workflows/caches/show.ts";
export type { CheckResult, InputsResult } from "./workflows/check.ts";
export type { CwlRunnerOptions, CwlRunnerResult } from "./workflows/cwl-runner.ts";
export type { DiagnosticFact } from "./workflows/diagnostic-facts.ts";
export {
  clusterNames,
  clusterOptions,
  type ExecutorOrder,
  executorNames,
  executorOptions,
  imageExecutorNames,
  takesOption,
} from "./workflows/executors.ts";
export type { ListedRun, RunRow, ServerRunRow } from "./workflows/list-runs.ts";
export type { ProgramOrder } from "./workflows/load.ts";
export type { NextflowCommands } from "./workflows/nextflow/commands.ts";
export type {
  NextflowConfigurationOptions,
  NextflowEvent,
  NextflowProjectOptions,
  NextflowRunOptions,
  NextflowRunResult,
} from "./workflows/nextflow/run-options.ts";
export type { FailureFact, WorkflowRunResult } from "./workflows/run.ts";
export { runOrders, runStates } from "./workflows/run-lists.ts";
export type { CacheRequest, RunLimits, RunOrder, RunPorts, RunRequest } from "./workflows/run-order.ts";
export type { CancelResult } from "./workflows/runs/cancel.ts";
export type { DeleteRunsResult } from "./workflows/runs/delete.ts";
export type { DiffResult } from "./workflows/runs/diff.ts";
export type { RunList } from "./workflows/runs/list.ts";
export type { LogsResult } from "./workflows/runs/logs.ts";
export type { OutputsResult } from "./workflows/runs/outputs.ts";
export type { ShowResult } from "./workflows/runs/show.ts";
export type { TaskExecutor } from "./workflows/task-executors.ts";
export type { Workflows } from "./workflows/workflows.ts";
