/** memoir runs show */
import type { ShowResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { duration, table } from "../format.ts";
import { runArgument, runOptionsOf, runsDirOption } from "../workflow-options.ts";
import { stateText } from "./runs-list.ts";

export const command = defineCommand<ShowResult>({
  name: "runs show",
  summary: "Show a run and its calls",
  details: [
    "A run whose process was killed is shown as crashed; if you repeat its command, the new run reuses what it had recorded.",
  ],
  arguments: [runArgument],
  options: [runsDirOption],
  examples: [{ command: "memoir run hello.wdl name=Ada --executor host && memoir runs show last" }],
  act: async (given, { app, ask }) => (await app()).workflows.runs.show(runOptionsOf(given), ask),
  render: (run, screen) => {
    const { record } = run;
    screen.out(`${screen.paint.bold(run.id)} ${stateText(run.state, screen)} ${run.workflow}`);
    screen.out(`  source    ${record.source}`);
    screen.out(`  started   ${run.startedAt}${run.endedAt === undefined ? "" : `, ended ${run.endedAt}`}`);
    screen.out(`  executor  ${record.executor}`);
    if (record.cache !== undefined) screen.out(`  cache     ${record.cache.uri} (${record.cache.behavior})`);
    screen.out(`  folder    ${run.directory}`);
    for (const failure of record.failures ?? []) screen.out(`  ${screen.paint.red("failed")}    ${failure}`);
    const rows = run.rows.map((row) => [
      `  ${row.state}`,
      row.call,
      row.state === "reused"
        ? `from run ${row.fromRun ?? "?"}`
        : row.usage === undefined
          ? (row.failure?.message ?? "")
          : duration(row.usage.wallSeconds),
    ]);
    for (const line of table(rows)) screen.out(line);
    for (const note of run.notes) screen.out(screen.paint.dim(`  ${note}`));
  },
});
