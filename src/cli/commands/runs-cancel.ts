/** memoir runs cancel */
import type { CancelResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { runArgument, runOptionsOf, runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<CancelResult>({
  name: "runs cancel",
  summary: "Stop a running workflow; finished work is kept",
  arguments: [runArgument],
  options: [runsDirOption],
  examples: [
    {
      command:
        "sed -i 's/echo/sleep 600; echo/' hello.wdl; memoir run hello.wdl name=Ada --executor host & until memoir runs cancel last; do sleep 1; done",
      note: "stops a run that would take ten minutes",
    },
  ],
  act: async (given, { app, ask }) => (await app()).workflows.runs.cancel(runOptionsOf(given), ask),
  render: ({ run, state }, screen) =>
    screen.out(state === "running" ? `${run} was asked to stop and is still stopping` : `${run} is ${state}`),
  exitCode: ({ state }) => (state === "running" ? 4 : 0),
});
