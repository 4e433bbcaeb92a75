/** memoir cache explain */

import type { RunExplanation } from "../../engine/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../format.ts";
import { runArgument, runOptionsOf, runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<RunExplanation>({
  name: "cache explain",
  summary: "Explain why calls of a run were computed instead of reused",
  details: [
    "Shows for every computed call the nearest recorded result of the same task and the differences, before -> after.",
  ],
  arguments: [runArgument, { name: "CALL", description: "only this call: its path, or the end of it" }],
  options: [runsDirOption],
  examples: [
    {
      command:
        "memoir run hello.wdl name=Ada --executor host --cache-host-tasks --cache ./lab && sed -i s/hello/bonjour/ hello.wdl && memoir run hello.wdl name=Ada --executor host --cache-host-tasks --cache ./lab && memoir cache explain last",
    },
  ],
  act: async (given, { app, ask }) =>
    (await app()).workflows.caches.explain(
      { ...runOptionsOf(given), ...defined({ call: given.argument(1) }) },
      ask,
    ),
  render: ({ run, reused, computed }, screen) => {
    for (const one of computed) {
      screen.out(`${screen.paint.bold(one.call)} was computed:`);
      if (one.differences.length === 0) screen.out(`  ${one.words}`);
      for (const difference of one.differences) {
        screen.out(`  ${difference.words}`);
        for (const line of difference.lines ?? []) screen.out(`    ${line}`);
      }
      if (one.nearest !== undefined)
        screen.out(
          screen.paint.dim(
            `  nearest: ${one.nearest.call} of run ${one.nearest.run}, ${one.nearest.createdAt}`,
          ),
        );
    }
    screen.out(`run ${run}: ${plural(reused, "call")} reused, ${computed.length} computed`);
  },
});
