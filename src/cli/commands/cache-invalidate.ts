/** memoir cache invalidate */

import type { EntriesTouched } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { cacheOption } from "../workflow-options.ts";

export const command = defineCommand<EntriesTouched>({
  name: "cache invalidate",
  summary: "Delete entries so that their calls are computed again",
  arguments: [{ name: "ENTRY", description: "uuid or key of an entry, or the beginning of one" }],
  options: [
    cacheOption,
    { flags: "--task <name>", description: "all results of this task" },
    { flags: "--run <id>", description: "all results that this run computed" },
  ],
  examples: [
    {
      command:
        "memoir run hello.wdl name=Ada --executor host --cache-host-tasks --cache ./lab && memoir cache invalidate --task greet --cache ./lab",
    },
  ],
  act: async (given, { app, ask }) =>
    (await app()).workflows.caches.invalidate(
      {
        ...defined({
          cache: given.text("cache"),
          entry: given.argument(0),
          task: given.text("task"),
          run: given.text("run"),
        }),
      },
      ask,
    ),
  render: ({ entries }, screen) => {
    for (const entry of entries) screen.out(`${entry.uuid}  ${entry.task}  ${entry.call}`);
    screen.out(`${entries.length} deleted`);
  },
});
