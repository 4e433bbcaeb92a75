/** memoir cache rechecks */
import type { RechecksResult } from "../../app/index.ts";
import { lookedAtArgument, lookedAtCache, lookedAtOption } from "../cache-options.ts";
import { defineCommand } from "../command.ts";
import { table } from "../format.ts";

export const command = defineCommand<RechecksResult>({
  name: "cache rechecks",
  summary: "Show which tasks gave other results when `run --recheck` computed them again",
  details: ["Findings of the runs on this home are kept when the runs are deleted."],
  arguments: [lookedAtArgument],
  options: [lookedAtOption],
  examples: [
    {
      command:
        "memoir run hello.wdl name=Ada --executor host --cache-host-tasks --recheck 100% && memoir cache rechecks",
    },
  ],
  act: async (given, { app, ask }) => (await app()).workflows.caches.rechecks(lookedAtCache(given), ask),
  render: ({ tasks, location }, screen) => {
    if (tasks.length === 0) screen.out(`nothing of ${location} was computed again for comparison`);
    for (const line of table(
      tasks.map(({ task, same, differs, failed }) => [
        task,
        `${same} same`,
        `${differs} differ`,
        `${failed} failed`,
      ]),
    ))
      screen.out(line);
    for (const { task, last } of tasks)
      for (const difference of last?.differences ?? []) {
        const { output, kind, before, after } = difference;
        const where =
          kind === "line" ? ` line ${difference.line}` : kind === "bytes" ? ` byte ${difference.at}` : "";
        screen.out(`${task}: ${output}${where}: ${JSON.stringify(before)} and ${JSON.stringify(after)}`);
      }
  },
});
