/** memoir cache rechecks */
import type { RechecksResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { lookedAtArgument, lookedAtCache, lookedAtOption } from "../cache-options.ts";
import { defineCommand } from "../command.ts";
import { table } from "../format.ts";

export const command = defineCommand<RechecksResult>({
  name: "cache rechecks",
  summary: "Show which tasks gave other results when `run --recheck` computed them again",
  details: [
    "Findings of the runs on this home are kept when the runs are deleted. Tasks that differ are marked in the cache, for everybody who shares it: with `memoir run --exclude-unstable`, or `memoir cache update NAME --exclude-unstable yes`, they are computed each time.",
  ],
  arguments: [lookedAtArgument],
  options: [
    lookedAtOption,
    {
      flags: "--forget <task>",
      description: "remove the mark of this task, so that runs with --exclude-unstable reuse it again",
    },
  ],
  examples: [
    {
      command:
        "memoir run hello.wdl name=Ada --executor host --cache-host-tasks --recheck 100% && memoir cache rechecks",
    },
  ],
  act: async (given, { app, ask }) =>
    (await app()).workflows.caches.rechecks(
      defined({ cache: lookedAtCache(given), forget: given.text("forget") }),
      ask,
    ),
  render: ({ tasks, location }, screen) => {
    if (tasks.length === 0) screen.out(`nothing of ${location} was computed again for comparison`);
    for (const line of table(
      tasks.map(({ task, same, differs, failed, isMarked }) => [
        task,
        `${same} same`,
        `${differs} differ`,
        `${failed} failed`,
        isMarked ? "marked" : "",
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
