/** ledger: the durable record of runs, tasks and caches. */
export { Ledger, type LogLine, type LogPage, openLedger, type Remembered } from "./ledger.ts";
export type {
  BatchRecord,
  BatchRunRecord,
  CacheBehavior,
  ConfigurationRecord,
  DefinitionRecord,
  OwnedRecord,
  RunCacheRecord,
  RunGroupRecord,
  RunRecord,
  RunStatus,
  TaskRecord,
  TaskStatus,
  WorkflowRecord,
  WorkflowVersionRecord,
} from "./records.ts";
export type { Page, PageRequest, Table, Where } from "./table.ts";
