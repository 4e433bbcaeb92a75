/** memoir cwl-runner PROCESS [JOB]: the interface that programs expect which drive CWL runners. */
import type { CwlRunnerResult, FailureFact } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { present } from "../model-options.ts";
import type { Screen } from "../screen.ts";
import { cacheOption, expressionOptions, expressionWish, runsDirOption } from "../workflow-options.ts";
import { createWorkflowProgress } from "../workflow-progress.ts";

/** What CWL runners end with when a document is legal but asks for what they do not have. */
const unsupportedExit = 33;

export const command = defineCommand<CwlRunnerResult>({
  name: "cwl-runner",
  summary: "Run a CWL process as other CWL programs expect it",
  details: [
    "Prints one JSON object, the outputs, on standard output; everything else goes to standard error. Output files are copied flat into --outdir, and renamed where two have one name.",
    "Tools whose DockerRequirement is required run in containers; all others run on this machine, unless they hint at an image and an engine is there. Without --cache nothing is reused or recorded.",
    "Ends with 33 when the process needs something that is not supported, with 1 when it failed.",
  ],
  arguments: [
    {
      name: "PROCESS",
      description: "a document, with #fragment where it holds several; or a job with cwl:tool",
      required: true,
    },
    { name: "JOB", description: "inputs as JSON or YAML" },
  ],
  options: [
    {
      flags: "--outdir <folder>",
      description: "where output files are brought; default: the working directory",
    },
    { flags: "--quiet", description: "say nothing but errors" },
    {
      flags: "--no-container",
      description: "run everything on this machine; what needs a container is unsupported",
    },
    ...expressionOptions,
    { ...cacheOption, description: "name of a cache, its folder, or s3://bucket/prefix; default: no cache" },
    { ...runsDirOption, description: "keep the run's folder here; default: it is removed in the end" },
  ],
  examples: [{ command: "memoir cwl-runner --no-container --outdir out hello.cwl" }],
  act: async (given, { app, ask, screen }) => {
    const { workflows } = await app();
    const place = given.text("cache");
    const progress = given.is("quiet") ? undefined : createWorkflowProgress(screen);
    try {
      return await workflows.cwlRunner(
        {
          process: given.argument(0) ?? "",
          ...present("job", given.argument(1)),
          ...present("outdir", given.text("outdir")),
          containers: given.is("no-container") ? "never" : "allowed",
          ...expressionWish(given),
          cache: place === undefined ? { kind: "none" } : { kind: "at", place },
          ...present("runsDir", given.text("runs-dir")),
        },
        (event) => progress?.event(event),
        ask,
      );
    } finally {
      progress?.end();
    }
  },
  render,
  exitCode: (result) => {
    switch (result.kind) {
      case "succeeded":
        return 0;
      case "unsupported":
        return unsupportedExit;
      case "failed":
        return 1;
      case "cancelled":
        return 130;
    }
  },
});

function render(result: CwlRunnerResult, screen: Screen): void {
  switch (result.kind) {
    case "succeeded":
      screen.out(result.text);
      return;
    case "unsupported":
      screen.say(`not supported: ${result.why}`);
      return;
    case "failed":
      for (const failure of result.failures) screen.say(failureText(failure));
      return;
    case "cancelled":
      screen.say("cancelled");
  }
}

function failureText(failure: FailureFact): string {
  if (failure.kind === "evaluation") return failure.diagnostic.text;
  const { message, stderrTail } = failure.failure;
  return `${failure.call}: ${message}${stderrTail === undefined ? "" : `\n${stderrTail}`}`;
}
