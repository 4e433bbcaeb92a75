/** One process with its inputs, as a job or a step asks for it. */
import type { Process } from "../model/process.ts";
import type { Requirements } from "../model/requirements.ts";
import type { CwlFailure } from "../plan/failure.ts";
import type { InputFault } from "../values/bind-inputs.ts";
import type { CwlRecord } from "../values/value.ts";
import type { CwlRunState } from "./run-state.ts";

export interface ProcessCall {
  readonly process: Process;
  /** In force: its own and what it inherits. */
  readonly requirements: Requirements;
  /** As a job or a step gives them. */
  readonly given: CwlRecord;
  /** `main.align[3]`; the name of the process itself at the top. */
  readonly path: string;
  /** Whether secondary files are looked for next to the files, as for the job of a run. */
  readonly siblings: "discover" | "given";
  /** What is wrong with inputs is reported here. */
  readonly failureOf?: (fault: InputFault) => CwlFailure;
}

/** Outputs; undefined when it failed, was cancelled or not started, which the state knows by then. */
export type RunCall = (run: CwlRunState, call: ProcessCall) => Promise<CwlRecord | undefined>;
