/** memoir runs list */

import type { ListedRun, RunList } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { table } from "../format.ts";
import { listLimit } from "../quantities.ts";
import type { Screen } from "../screen.ts";
import { runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<RunList>({
  name: "runs list",
  summary: "List workflow runs, newest first",
  options: [
    { flags: "-n, --limit <n>", description: "maximum number of runs", default: "20", kind: "count" },
    { flags: "--workflow <name>", description: "only runs of this workflow" },
    runsDirOption,
  ],
  examples: [{ command: "memoir run hello.wdl name=Ada --executor host && memoir runs list" }],
  act: async (given, { app, ask }) =>
    (await app()).workflows.runs.list(
      {
        limit: listLimit(given.count("limit"), 20),
        ...defined({ workflow: given.text("workflow"), runsDir: given.text("runs-dir") }),
      },
      ask,
    ),
  render: ({ runs, folder }, screen) => {
    if (runs.length === 0) screen.out(`no runs in ${folder}`);
    for (const line of table(runs.map((run) => rowCells(run, screen)))) screen.out(line);
  },
});

function rowCells(run: ListedRun, screen: Screen): string[] {
  const { calls } = run;
  const counts =
    calls === undefined ? "" : `${calls.reused} reused, ${calls.computed} computed, ${calls.failed} failed`;
  return [
    run.id,
    stateText(run.state, screen),
    run.workflow,
    (run.startedAt ?? "").slice(0, 19).replace("T", " "),
    counts,
  ];
}

export function stateText(state: ListedRun["state"], screen: Screen): string {
  if (state === "succeeded") return screen.paint.green(state);
  if (state === "failed" || state === "crashed") return screen.paint.red(state);
  return screen.paint.yellow(state);
}
