/** What a user chose on the command line or in configuration files, checked before a scheduler is asked. */
import { AppError, defined } from "../../kernel/index.ts";
import type { ExecutorOptions } from "../core/index.ts";
import { type PresetName, presets } from "./presets.ts";
import { parsePattern, parseStates, parseTemplate, type SchedulerTemplates } from "./templates.ts";

export interface TemplateChoices {
  readonly templates: SchedulerTemplates;
  readonly maxJobs?: number;
}

/** @throws AppError CLI_USAGE */
export function readTemplateOptions(options: ExecutorOptions): TemplateChoices {
  const text = (name: string) => {
    const value = options[name];
    return typeof value === "string" ? value : undefined;
  };
  const scheduler = text("scheduler");
  const preset = scheduler === undefined ? undefined : presets[scheduler as PresetName];
  const part = (option: string, ofPreset: string | undefined): string => {
    const value = text(option) ?? ofPreset;
    if (value !== undefined && value.trim() !== "") return value;
    throw new AppError(
      "CLI_USAGE",
      `choosing the executor: --executor template needs --${option}, or --scheduler with one of ${Object.keys(presets).join(", ")}`,
    );
  };
  const templates = {
    submit: parseTemplate(part("submit-command", preset?.submit), "submit"),
    status: parseTemplate(part("status-command", preset?.status), "status"),
    cancel: parseTemplate(part("cancel-command", preset?.cancel), "cancel"),
    jobId: parsePattern(part("job-id-pattern", preset?.jobId), "job-id-pattern", []),
    row: parsePattern(part("status-pattern", preset?.row), "status-pattern", ["id", "state"]),
    states: parseStates(part("job-states", preset?.states)),
  };
  return { templates, ...defined({ maxJobs: maxJobsOf(options["max-jobs"]) }) };
}

function maxJobsOf(most: string | true | undefined): number | undefined {
  if (most === undefined) return undefined;
  const maxJobs = Number(most);
  if (/^\d+$/.test(String(most)) && Number.isSafeInteger(maxJobs) && maxJobs >= 1) return maxJobs;
  throw new AppError("CLI_USAGE", `choosing the executor: --max-jobs ${most}: expected a number above 0`);
}
