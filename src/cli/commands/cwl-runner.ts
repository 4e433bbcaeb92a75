/** memoir cwl-runner PROCESS [JOB]: the interface that programs expect which drive CWL runners. */
import type { CheckResult, CwlRunnerOptions, CwlRunnerResult, FailureFact } from "../../app/index.ts";
import { AppError, defined } from "../../kernel/index.ts";
import { defineCommand, type Given } from "../command.ts";
import { cwltoolFlags, refuseElsewhere } from "../cwltool-flags.ts";
import { omittedText } from "../format.ts";
import type { Screen } from "../screen.ts";
import { version } from "../version.ts";
import { cacheOption, expressionOptions, expressionOptionsOf, runsDirOption } from "../workflow-options.ts";
import { createWorkflowProgress } from "../workflow-progress.ts";

type Result =
  | CwlRunnerResult
  | { readonly kind: "version" }
  | { readonly kind: "validated"; readonly process: string; readonly check: CheckResult };

/** What CWL runners end with when a document is legal but asks for what they do not have. */
const unsupportedExit = 33;

export const command = defineCommand<Result>({
  name: "cwl-runner",
  summary: "Run a CWL process with the interface that other CWL programs expect",
  details: [
    "Prints the outputs as one JSON object on standard output; everything else goes to standard error. Output files are copied into --outdir without subfolders, and renamed if two have the same name. An output folder replaces one that is empty; a folder of that name with other contents is moved aside, to NAME.previous. An output never replaces an input of the run.",
    "Tools with DockerRequirement as a requirement run in containers. Tools with it as a hint run in a container if an engine and the image are available, and all others on this machine. Without --cache nothing is reused or recorded.",
    "Inputs come from JOB and from flags after the process, such as --threads 4, which take precedence. Repeat the flag for an array; use --record.field for a record. `memoir inputs PROCESS` lists the inputs. If an input has the same name as a flag of the runner, pass it after --.",
    "Exits with 33 if the process needs an unsupported feature, and with 1 if it failed.",
  ],
  arguments: [
    {
      name: "PROCESS",
      description: "a document, with #fragment if it contains several processes; or a job with cwl:tool",
    },
    {
      name: "JOB",
      description: "inputs as JSON or YAML, or - for standard input; and --name value for single inputs",
      many: true,
    },
  ],
  foreignFlags: "after-arguments",
  options: [
    {
      flags: "--outdir <folder>",
      description: "folder for output files",
      default: "the current folder",
    },
    { flags: "--quiet", description: "print only errors" },
    { flags: "--version", description: "print the version" },
    { flags: "--validate", description: "check the document and, if given, JOB; run nothing" },
    {
      flags: "--basedir <folder>",
      description: "folder that relative paths in JOB start from",
      default: "the folder of JOB",
    },
    {
      flags: "--tmpdir-prefix <path>",
      description: "prefix of the path of the working folder",
      default: "in the temporary folder of the system",
    },
    {
      flags: "--tmp-outdir-prefix <path>",
      description:
        "the same; takes precedence, because outputs are there, too, until they are copied to --outdir",
    },
    {
      flags: "--on-error <how>",
      description: "after a failure, stop, or continue with steps that do not depend on it",
      default: "stop",
      choices: ["stop", "continue"],
    },
    { flags: "--non-strict", description: "accept fields that CWL does not define" },
    {
      flags: "--podman",
      description: "run containers with Podman",
      default: "the first engine that answers",
    },
    { flags: "--singularity", description: "run containers with Singularity, or Apptainer under that name" },
    {
      flags: "--no-container",
      description: "run everything on this machine; tools that require a container are unsupported",
    },
    ...expressionOptions,
    { ...cacheOption, default: "no cache" },
    { flags: "--cachedir <folder>", description: "the same as --cache with a folder", conflicts: ["cache"] },
    { ...runsDirOption, description: "keep the run's folder here", default: "removed at the end" },
    { flags: "--notify <url>", description: "post the end of the run to this URL, as JSON" },
    ...cwltoolFlags,
  ],
  examples: [
    { command: "memoir cwl-runner --no-container --outdir out hello.cwl" },
    { command: "memoir cwl-runner --no-container hello.cwl --name Ada", note: "inputs as flags" },
  ],
  act: async (given, { app, ask, screen }) => {
    if (given.is("version")) return { kind: "version" };
    refuseElsewhere(given);
    const options = optionsOf(given);
    const { workflows } = await app();
    if (given.is("validate")) {
      const { process, job, lenient } = options;
      const [workflow = process, target] = process.split("#");
      const asked = {
        workflow,
        language: "cwl" as const,
        lenient,
        ...defined({ target, inputs: job }),
      };
      return { kind: "validated", process, check: await workflows.check(asked, ask) };
    }
    const progress = given.is("quiet")
      ? undefined
      : createWorkflowProgress(screen, undefined, options.failure === "fast" ? "last" : "at once");
    try {
      return await workflows.cwlRunner(options, (event) => progress?.event(event), ask);
    } finally {
      progress?.end();
    }
  },
  render,
  exitCode: (result) => {
    switch (result.kind) {
      case "succeeded":
      case "version":
        return 0;
      case "validated":
        return result.check.errors > 0 ? 1 : 0;
      case "unsupported":
        return unsupportedExit;
      case "failed":
        return 1;
      case "cancelled":
        return 130;
    }
  },
});

function optionsOf(given: Given): CwlRunnerOptions {
  const [process, ...rest] = given.argumentsFrom(0);
  if (process === undefined)
    throw new AppError("CLI_USAGE", "memoir cwl-runner: missing required argument 'PROCESS'");
  const job = rest.find((word, at) => at === 0 && (word === "-" || !word.startsWith("-")));
  const place = given.text("cache");
  const cachedir = given.text("cachedir");
  return {
    process,
    ...defined({ job }),
    flags: { words: job === undefined ? rest : rest.slice(1), taken: given.flagsAfterArgument() },
    ...defined({
      basedir: given.text("basedir"),
      tmpPrefix: given.text("tmp-outdir-prefix") ?? given.text("tmpdir-prefix"),
      outdir: given.text("outdir"),
    }),
    containers: given.is("no-container") ? "never" : "allowed",
    ...defined({
      engine: given.is("podman")
        ? ("podman" as const)
        : given.is("singularity")
          ? ("singularity" as const)
          : undefined,
    }),
    failure: given.text("on-error") === "continue" ? "slow" : "fast",
    lenient: given.is("non-strict"),
    ...expressionOptionsOf(given),
    cache:
      cachedir !== undefined
        ? // A word alone would be the name of a cache.
          { place: cachedir.includes("/") ? cachedir : `./${cachedir}` }
        : place === undefined
          ? { off: true }
          : { place },
    ...defined({ runsDir: given.text("runs-dir"), notify: given.text("notify") }),
  };
}

function render(result: Result, screen: Screen): void {
  switch (result.kind) {
    case "version":
      screen.out(`memoir ${version()}`);
      return;
    case "validated":
      for (const { text } of result.check.diagnostics) screen.say(text);
      if (result.check.omitted !== undefined) screen.say(omittedText(result.check.omitted));
      screen.out(`${result.process} is ${result.check.errors > 0 ? "not valid" : "valid"} CWL`);
      return;
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
  return `failed: ${failure.call}: ${message}${stderrTail === undefined ? "" : `\n${stderrTail}`}`;
}
