/** ledger: the durable record of runs, tasks and caches. */
export { Ledger, openLedger, type Remembered } from "./ledger.ts";
export { type LogFileWriter, longestLine } from "./log-file.ts";
export type { LogLine, LogPage, LogWindow, PlacedLine } from "./log-window.ts";
export type { LogStream, Logs, StreamQuery } from "./logs.ts";
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
