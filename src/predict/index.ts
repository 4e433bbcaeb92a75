/** predict: prediction runs: read, look up, compute, record, write in order; and dumps of what the tiers hold. */
export { type DumpParts, type DumpRequest, type DumpResult, dumpPredictions } from "./dump.ts";
export type { PredictEvent, PredictEventSink, RunCounts } from "./events.ts";
export { inputFormatOf, outputFormatOf } from "./files/format.ts";
export { type ImportReport, type ImportRequest, importPredictions } from "./import.ts";
export { type Mode, modes, planOf, type Source } from "./mode.ts";
export { type FailedInput, type RunParts, type RunRequest, type RunResult, runPredictions } from "./run.ts";
