/** memoir runs delete */
import type { DeleteRunsResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { present } from "../model-options.ts";
import { ageMs } from "../quantities.ts";
import { plural } from "../words.ts";
import { runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<DeleteRunsResult>({
  name: "runs delete",
  summary: "Delete the folders of runs that ended; what they recorded in a cache stays",
  details: [
    "A run's folder holds its streams, its work folders and its outputs; copies made with --out are not touched. A run that is going on is never deleted. A crashed run that is deleted can no longer be taken up. A run whose results still wait to be recorded stays: the next run with its cache records them.",
  ],
  arguments: [
    {
      name: "RUN",
      description: "ids of runs, their beginnings or ends, or their folders; none: all, with --older-than",
      many: true,
    },
  ],
  options: [
    {
      flags: "--older-than <age>",
      description: "only runs that started so long ago or earlier, such as 30d",
    },
    {
      flags: "--force",
      description: "also runs whose results still wait to be recorded; those results are lost",
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
        ...present("olderThanMs", ageMs(given.text("older-than"), "--older-than")),
        force: given.is("force") ? "yes" : "no",
        ...present("runsDir", given.text("runs-dir")),
      },
      ask,
    ),
  render: ({ deleted, running, waiting, folder }, screen) => {
    for (const { run, workflow, state } of deleted) screen.out(`${run}  ${state}  ${workflow}`);
    for (const run of running) screen.out(`${run}  is running and stays`);
    for (const run of waiting)
      screen.out(
        `${run}  has results that wait to be recorded and stays; the next run with its cache records them, --force deletes them`,
      );
    screen.out(`${plural(deleted.length, "run")} deleted in ${folder}`);
  },
});
