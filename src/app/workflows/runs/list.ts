/** `memoir runs list` */
import type { Ask } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { homeRuns, type ListRunsOptions, listRunPage, type RunPage } from "../list-runs.ts";
import { runsFolder } from "../runs-folder.ts";
import type { RunsOptions } from "./one-run.ts";

export interface RunList extends RunPage {
  /** Of the runs of the command line. */
  readonly folder?: string;
}

export async function listRunsOfFolder(
  options: RunsOptions & ListRunsOptions,
  environment: Environment,
  ask: Ask,
): Promise<RunList> {
  const folder = runsFolder(options.runsDir, environment);
  return { folder, ...(await listRunPage({ home: homeRuns(folder) }, options, ask)) };
}
