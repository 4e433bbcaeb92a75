/** `memoir runs list` */
import type { Environment } from "../../environment.ts";
import { homeRuns, type ListWish, listRunPage, type RunPage } from "../list-runs.ts";
import { runsFolder } from "../runs-folder.ts";
import type { RunsWish } from "./one-run.ts";

export interface RunList extends RunPage {
  /** Of the runs of the command line. */
  readonly folder?: string;
}

export async function listRunsOfFolder(
  wish: RunsWish & ListWish,
  environment: Environment,
): Promise<RunList> {
  const folder = runsFolder(wish.runsDir, environment);
  return { folder, ...(await listRunPage({ home: homeRuns(folder) }, wish)) };
}
