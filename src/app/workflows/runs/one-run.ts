/** The run that a command is about. */
import type { RunJson } from "../../../engine/index.ts";
import { type Ask, checkAsk } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { type FoundRun, findRun, runsFolder } from "../runs-folder.ts";

export interface RunsOptions {
  readonly runsDir?: string;
}

export interface OneRunOptions extends RunsOptions {
  /** Id, its beginning or end, a folder; default: the last run. */
  readonly run?: string;
}

/** Throws RUN_NOT_FOUND. */
export function oneRun(options: OneRunOptions, environment: Environment, ask: Ask): Promise<FoundRun> {
  checkAsk(ask, "looking for a run");
  return findRun(options.run, runsFolder(options.runsDir, environment), environment.cwd);
}

/** The location that a run's cache has: its URI without the uuid. */
export function locationOf(record: RunJson): string {
  const uri = (record.cache?.uri ?? "").replace(/\/[0-9a-f-]{36}$/, "");
  return uri.startsWith("file://") ? decodeURIComponent(new URL(uri).pathname) : uri;
}
