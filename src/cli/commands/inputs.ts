/** memoir inputs WORKFLOW: a template of the inputs. */
import type { InputsResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { workflowArgument, workflowOptions, workflowWish } from "../workflow-options.ts";

export const command = defineCommand<InputsResult>({
  name: "inputs",
  summary: "Print a template of a workflow's inputs",
  details: [
    "The template is JSON with the name of every required input and, as its value, its type and description: fill in the values and hand the file to `memoir run -i`. --all lists optional inputs with their defaults as well.",
  ],
  arguments: [workflowArgument],
  options: [{ flags: "--all", description: "optional inputs, too" }, ...workflowOptions],
  examples: [{ command: "memoir inputs hello.wdl > inputs.json" }],
  act: async (given, { app, ask }) =>
    (await app()).workflows.inputs({ ...workflowWish(given), all: given.is("all") ? "yes" : "no" }, ask),
  render: (result, screen) => screen.out(JSON.stringify(result.template, null, 2)),
});
