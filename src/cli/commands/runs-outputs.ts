/** memoir runs outputs */
import type { OutputsResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { runArgument, runOptionsOf, runsDirOption } from "../workflow-options.ts";

export const command = defineCommand<OutputsResult>({
  name: "runs outputs",
  summary: "Print the outputs of a run as JSON",
  arguments: [runArgument],
  options: [runsDirOption],
  examples: [{ command: "memoir run hello.wdl name=Ada --executor host && memoir runs outputs last" }],
  act: async (given, { app, ask }) => (await app()).workflows.runs.outputs(runOptionsOf(given), ask),
  render: ({ text }, screen) => screen.out(text.trimEnd()),
});
