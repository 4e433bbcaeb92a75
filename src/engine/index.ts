/** engine: runs of workflows. Find, then reuse, or compute and record. */
export { type CallLeases, folderLeases, LateLeases, objectLeases, tidyLeases } from "./call-leases.ts";
export { type CallRow, type CallState, callRows, foldCall } from "./call-rows.ts";
export type { MadeFile, MissReason, RecordedContent, RunEvent, TimedEvent, UsageFacts } from "./events.ts";
export { type Explanation, explainRun, type NearestEntry, type RunExplanation } from "./explain.ts";
export { filesOf } from "./files-of.ts";
export { exactOutputs } from "./json-values.ts";
export { LateStore } from "./late-store.ts";
export { recordLeftovers } from "./leftover-results.ts";
export { type CallForecast, predictReuse, type ReusePrediction } from "./predict-reuse.ts";
export {
  type CallCounts,
  endCrashedRun,
  type RunJson,
  type RunState,
  readEvents,
  readRunJson,
  replaceFile,
  type ShownState,
  shownState,
} from "./run-folder.ts";
export type { CacheBehavior, RunCacheParts, WorkflowRunParts } from "./run-parts.ts";
export { type RunSummary, runWorkflow } from "./run-workflow.ts";
export { type Capacity, Scheduler, type Turns, type TurnsPlace } from "./scheduler.ts";
export { endAttempt } from "./stop-orphans.ts";
export { countWaiting } from "./waiting-results.ts";
