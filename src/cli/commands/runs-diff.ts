/** memoir runs diff */

import type { DiffResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../format.ts";
import { runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<DiffResult>({
  name: "runs diff",
  summary: "Compare two runs, call by call",
  details: [
    "Compares the components of the calls' keys: commands, contents of inputs, images, environments and outputs.",
  ],
  arguments: [
    { name: "BEFORE", description: "a run", required: true },
    { name: "AFTER", description: "another run", default: "the last run" },
  ],
  options: [runsDirOption],
  examples: [
    {
      command:
        "memoir run hello.wdl name=Ada --executor host && memoir run hello.wdl name=Bob --executor host && memoir runs diff last",
    },
  ],
  act: async (given, { app, ask }) =>
    (await app()).workflows.runs.diff(
      {
        before: given.argument(0) ?? "last",
        after: given.argument(1) ?? "last",
        ...defined({ runsDir: given.text("runs-dir") }),
      },
      ask,
    ),
  render: (result, screen) => {
    for (const row of result.rows) {
      screen.out(`${screen.paint.bold(row.call)}: ${row.change.replace("-", " ")}`);
      for (const difference of row.differences) {
        screen.out(`  ${difference.words}`);
        for (const line of difference.lines ?? []) screen.out(`    ${line}`);
      }
    }
    screen.out(
      `${plural(result.same, "call")} the same, ${result.rows.length} not (${result.before} -> ${result.after})`,
    );
  },
});
