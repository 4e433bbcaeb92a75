/** memoir runs delete */

import type { DeleteRunsResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../format.ts";
import { ageMs } from "../quantities.ts";
import { runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<DeleteRunsResult>({
  name: "runs delete",
  summary: "Delete the folders of ended runs; results in a cache are kept",
  details: [
    "A run's folder contains its streams, its work folders and its outputs; copies made with --out are not deleted. A running run is never deleted. A crashed run can no longer be resumed once it is deleted. A run with results that are not recorded yet is kept: the next run with its cache records them.",
  ],
  arguments: [
    {
      name: "RUN",
      description:
        "ids of runs, beginnings or ends of ids, or folders; without it, all runs that --older-than selects",
      many: true,
    },
  ],
  options: [
    {
      flags: "--older-than <age>",
      description: "only runs that started at least this long ago, such as 30d",
    },
    {
      flags: "--force",
      description: "also delete runs with results that are not recorded yet; those results are lost",
    },
    runsDirOption,
  ],
  examples: [
    { command: "memoir run hello.wdl name=Ada --executor host && memoir runs delete last" },
    { command: "memoir runs delete --older-than 30d" },
  ],
  act: async (given, { app, ask }) =>
    (await app()).workflows.runs.delete(
      {
        runs: given.argumentsFrom(0),
        ...defined({ olderThanMs: ageMs(given.text("older-than"), "--older-than") }),
        force: given.is("force"),
        ...defined({ runsDir: given.text("runs-dir") }),
      },
      ask,
    ),
  render: ({ deleted, running, waiting, folder }, screen) => {
    for (const { run, workflow, state } of deleted) screen.out(`${run}  ${state}  ${workflow}`);
    for (const run of running) screen.out(`${run}  is running and was kept`);
    for (const run of waiting)
      screen.out(
        `${run}  has results that are not recorded yet and was kept; the next run with its cache records them, --force deletes them`,
      );
    screen.out(`${plural(deleted.length, "run")} deleted in ${folder}`);
  },
});
