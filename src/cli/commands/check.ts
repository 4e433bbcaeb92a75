/** memoir check WORKFLOW: everything that is wrong with a workflow, without running it. */

import type { CheckResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { omittedText, plural } from "../format.ts";
import { configurationOf, separatePipelineWords } from "../nextflow/pipeline-words.ts";
import { projectProgram } from "../nextflow/project-program.ts";
import { workflowArgument, workflowOptions } from "../workflow-options.ts";

export const command = defineCommand<CheckResult>({
  name: "check",
  summary: "Check a workflow without running it",
  details: [
    "Reads the document and its imports, and checks syntax, names, types and calls. With -i the inputs are checked, too.",
    "With a Nextflow pipeline -profile, -c and -C choose its configuration, which is checked, too.",
    "At most 1,000 errors and 1,000 warnings are shown; all are counted.",
    "Exits with 3 if there are errors, and with 0 if there are only warnings.",
  ],
  arguments: [workflowArgument],
  options: [
    { flags: "-i, --input <file>", description: "inputs as JSON or YAML to check against the workflow" },
    ...workflowOptions,
  ],
  separate: separatePipelineWords,
  examples: [{ command: "memoir check hello.wdl" }],
  act: async (given, { app, ask }) =>
    (await app()).workflows.check(
      {
        ...(await projectProgram(given, { app, ask })),
        ...configurationOf(given.pipeline),
        ...defined({ inputs: given.text("input") }),
      },
      ask,
    ),
  render: (result, screen) => {
    for (const diagnostic of result.diagnostics) screen.out(`${diagnostic.text}\n`);
    const { omitted } = result;
    if (omitted !== undefined) screen.out(`${omittedText(omitted)}\n`);
    const { green, red } = screen.paint;
    const warnings = result.warnings === 0 ? "" : `, ${plural(result.warnings, "warning")}`;
    if (result.errors > 0)
      screen.out(`${red("wrong")} ${result.workflow}: ${plural(result.errors, "error")}${warnings}`);
    else {
      const about =
        result.interface === undefined ? "" : ` (${result.interface.kind} ${result.interface.name})`;
      screen.out(`${green("ok")} ${result.workflow}${about}${warnings}`);
    }
  },
  exitCode: (result) => (result.errors > 0 ? 3 : 0),
});
