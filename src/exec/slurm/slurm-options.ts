/** What a user chose on the command line, checked before a scheduler is asked. */
import { AppError } from "../../kernel/index.ts";
import type { ExecutorOptions } from "../core/index.ts";
import type { SlurmPlacement } from "./command-lines.ts";
import { type JobEngine, jobEngines } from "./container-lines.ts";

export interface SlurmChoices {
  readonly placement: SlurmPlacement;
  readonly engine: JobEngine;
  readonly maxJobs?: number;
}

/** @throws AppError CLI_USAGE */
export function readSlurmOptions(options: ExecutorOptions): SlurmChoices {
  const placement: Record<string, string> = {};
  for (const name of ["account", "partition", "qos", "constraint"] as const) {
    const value = options[name];
    if (typeof value !== "string") continue;
    if (value === "" || /[\n\0]/.test(value))
      throw new AppError("CLI_USAGE", `choosing the executor: --${name}: expected a name`);
    placement[name] = value;
  }
  const most = options["max-jobs"];
  const engine = jobEngines.find((each) => each === options["job-engine"]) ?? "auto";
  if (most === undefined) return { placement, engine };
  const maxJobs = Number(most);
  if (!/^\d+$/.test(String(most)) || !Number.isSafeInteger(maxJobs) || maxJobs < 1)
    throw new AppError("CLI_USAGE", `choosing the executor: --max-jobs ${most}: expected a number above 0`);
  return { placement, engine, maxJobs };
}
