/** memoir inputs WORKFLOW: a template of the inputs. */
import type { InputsResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { configurationOf, separatePipelineWords } from "../nextflow/pipeline-words.ts";
import { projectProgram } from "../nextflow/project-program.ts";
import { workflowArgument, workflowOptions } from "../workflow-options.ts";

export const command = defineCommand<InputsResult>({
  name: "inputs",
  summary: "Print a template of a workflow's inputs",
  details: [
    "The template is JSON with the name of every required input and, as its value, the type and description. Replace these by your values and pass the file to `memoir run -i`. --all also lists optional inputs with their defaults.",
    "With a Nextflow pipeline -profile, -c and -C choose its configuration, whose values are defaults.",
  ],
  arguments: [workflowArgument],
  options: [{ flags: "--all", description: "include optional inputs" }, ...workflowOptions],
  separate: separatePipelineWords,
  examples: [{ command: "memoir inputs hello.wdl > inputs.json" }],
  act: async (given, { app, ask }) =>
    (await app()).workflows.inputs(
      {
        ...(await projectProgram(given, { app, ask })),
        ...configurationOf(given.pipeline),
        all: given.is("all"),
      },
      ask,
    ),
  render: (result, screen) => screen.out(JSON.stringify(result.template, null, 2)),
});
