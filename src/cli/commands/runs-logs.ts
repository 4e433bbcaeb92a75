/** memoir runs logs */

import type { LogsResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { runArgument, runOptionsOf, runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<LogsResult>({
  name: "runs logs",
  summary: "Print the command, the output streams and the exit code of a run's calls",
  details: [
    "Without CALL, shows the failed calls, or all computed calls if none failed. Of long streams only the end is shown.",
  ],
  arguments: [
    runArgument,
    { name: "CALL", description: "only this call: its path, the end of its path, or a task's name" },
  ],
  options: [{ flags: "--call <call>", description: "the same as CALL" }, runsDirOption],
  examples: [{ command: "memoir run hello.wdl name=Ada --executor host && memoir runs logs last greet" }],
  act: async (given, { app, ask }) =>
    (await app()).workflows.runs.logs(
      {
        ...runOptionsOf(given),
        ...defined({ call: given.argument(1) ?? given.text("call") }),
      },
      ask,
    ),
  render: ({ calls }, screen) => {
    for (const call of calls) {
      screen.out(screen.paint.bold(`${call.call} (${call.state})`));
      if (call.directory === undefined) {
        screen.out("  not computed in this run");
        continue;
      }
      const parts = [
        ["command", call.command],
        ["standard output", call.stdout],
        ["standard error", call.stderr],
      ] as const;
      for (const [title, text] of parts) {
        if (text === undefined || text === "") continue;
        screen.out(screen.paint.dim(`-- ${title}`));
        screen.out(text.replace(/\n$/, ""));
      }
      screen.out(screen.paint.dim(`-- exit code ${call.exitCode ?? "unknown"}, in ${call.directory}`));
    }
  },
});
