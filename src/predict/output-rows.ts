/** What a run and a dump need of the place that their rows go to. */
import type { ResumableOutput } from "./resumable-output.ts";

export type OutputRows = Pick<
  ResumableOutput,
  "path" | "resumable" | "restart" | "write" | "checkpoint" | "finish" | "abandon"
>;
