/** predict: prediction runs: read, look up, compute, record, write in order; and dumps of what the tiers hold. */
export { type DumpResult, dumpPredictions } from "./dump.ts";
export type { PredictEvent, PredictEventSink, RunCounts } from "./events.ts";
export type { InputFormat, StreamedFormat } from "./files/format.ts";
export { importPredictions } from "./import.ts";
export { type ImportFile, type ImportTreeReport, importTree } from "./import-tree.ts";
export { type Mode, planOf, type Source } from "./mode.ts";
export { RowGroups } from "./row-groups.ts";
export type { PredictedRow, RowSink } from "./row-sink.ts";
export { runPredictions } from "./run.ts";
export type { RunResult } from "./run-request.ts";
export type { RowStream } from "./stream-output.ts";
export { forgetUnsent, type UnsentPlace } from "./unsent-rows.ts";
