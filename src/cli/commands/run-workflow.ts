/** memoir run WORKFLOW: runs a workflow, reusing what was computed before. */
import { resolve } from "node:path";
import type { FailureFact, RunRequest, WorkflowRunResult } from "../../app/index.ts";
import type { ReusePrediction } from "../../engine/index.ts";
import { AppError, defined, type ExactJson, isAppError } from "../../kernel/index.ts";
import { type Context, defineCommand, type Given } from "../command.ts";
import { executorOrder } from "../executor-options.ts";
import { count, duration, fromHere, plural } from "../format.ts";
import { separatePipelineWords } from "../nextflow/pipeline-words.ts";
import { projectProgram } from "../nextflow/project-program.ts";
import { last, settingsOf } from "../nextflow/run.ts";
import { longName } from "../parse.ts";
import { share, sizeBytes } from "../quantities.ts";
import { runOptions } from "../run-options.ts";
import type { Screen } from "../screen.ts";
import { configOptions, configured } from "../settings.ts";
import { programOrder, workflowArgument } from "../workflow-options.ts";
import { createWorkflowProgress } from "../workflow-progress.ts";

type Result =
  | ({ readonly kind: "ran" } & WorkflowRunResult)
  | ({ readonly kind: "predicted" } & ReusePrediction);

export const command = defineCommand<Result>({
  name: "run",
  summary: "Run a workflow, reusing results that were computed before",
  details: [
    "Memoir looks up every task call in the cache by everything that decides its result: the rendered command, the content of its inputs, the container image, the shell, the environment and the declared outputs. Results that are found are reused; missing ones are computed in containers and recorded. `memoir cache explain` explains why a call was computed.",
    "Inputs come from -i and from name=value arguments, which take precedence. The run's folder (~/.memoir/runs/…) contains the outputs and, for every computed call, its command, streams and exit code.",
    "With a Nextflow pipeline these options of Nextflow's command line work as well: -profile, -params-file, -c, -C, -entry, -stub, -preview, -output-dir, -with-docker and its like, -process.name value; and --name value sets a parameter of the pipeline where Memoir has no flag of this name. --input is the pipeline's parameter: a file of inputs is -i. --profile, with two dashes, is that of Memoir's configuration files.",
    "Exits with 1 if the run failed, with 3 if the workflow or its inputs are invalid, and with 130 if it was stopped.",
  ],
  arguments: [
    workflowArgument,
    {
      name: "name=value",
      description: "inputs, such as sample=NA12878 or threads=4; the first may be the inputs file",
      many: true,
    },
  ],
  options: [...runOptions, ...configOptions],
  separate: separatePipelineWords,
  examples: [
    {
      command: "memoir run hello.wdl name=Ada --executor host --cache ./cache --cache-host-tasks",
      note: "a second run of the same line reuses every task",
    },
  ],
  act: async (flags, { app, memoir, ask, screen }) => {
    const { given, taskExecutors } = await configured(flags, { app, screen }, flags.argument(0)).catch(
      (error: unknown) => {
        if (flags.pipeline === undefined || !isAppError(error, "CONFIG_PROFILE_NOT_FOUND")) throw error;
        const other = "-profile, with one dash, chooses profiles of the pipeline";
        throw new AppError(error.code, `${error.message}; ${other}`, { cause: error });
      },
    );
    const requested = requestOf(given);
    const program = { ...requested.program, ...(await projectProgram(given, { app, ask })) };
    const asked = await withPipelineOptions({ ...requested, program }, given, { app, screen });
    const request = { ...asked, ...(taskExecutors.length === 0 ? {} : { taskExecutors }) };
    const open = await memoir();
    if (given.is("dry-run")) return { kind: "predicted", ...(await open.dryRun(request, ask)) };
    // A run that continues after a failure may do so for hours, and JSON does not inform people.
    const endsSoon = request.failure === "fast" && !given.is("json");
    const progress = createWorkflowProgress(screen, undefined, endsSoon ? "last" : "at once");
    try {
      const run = open.start(request, ask);
      for await (const event of run.events) progress.event(event);
      return { kind: "ran", ...(await run) };
    } finally {
      progress.end();
    }
  },
  render: (result, screen) =>
    result.kind === "ran" ? renderRun(result, screen) : renderPrediction(result, screen),
  exitCode: (result) => {
    if (result.kind === "predicted") return 0;
    return result.state === "succeeded" ? 0 : result.state === "failed" ? 1 : 130;
  },
});

function requestOf(given: Given): RunRequest {
  const cpus = given.count("max-cpus");
  if (cpus !== undefined && !(cpus > 0))
    throw new AppError("CLI_USAGE", `--max-cpus: expected more than 0, got ${cpus}`);
  const files = given.text("files");
  return {
    program: { ...programOrder(given), ...(files === undefined ? {} : { files: [files] }) },
    inputs: { words: given.argumentsFrom(1), ...defined({ file: given.text("input") }) },
    cache: {
      off: given.is("no-cache"),
      hostTasks: given.is("cache-host-tasks"),
      ...(given.is("exclude-unstable") ? { excludeUnstable: true } : {}),
      ...defined({
        place: given.text("cache"),
        behavior: given.text("cache-behavior") as "always" | "on-failure" | undefined,
      }),
    },
    executor: executorOrder(given),
    limits: {
      ...defined({
        cpus,
        gpus: given.count("gpus"),
        memoryBytes: sizeBytes(given.text("max-memory"), "--max-memory"),
      }),
      ...(given.is("clamp-resources") ? { clamp: true } : {}),
    },
    copyInputs: given.is("copy-inputs"),
    env: given.texts("env"),
    failure: (given.text("fail") as "fast" | "slow" | undefined) ?? "fast",
    ...defined({
      image: given.text("image"),
      recheck: share(given.text("recheck"), "--recheck"),
      notify: given.text("notify"),
      out: given.text("out"),
      runsDir: given.text("runs-dir"),
    }),
  };
}

/** What Nextflow's users type after the script reaches it. */
async function withPipelineOptions(
  request: RunRequest,
  { pipeline }: Given,
  { app, screen }: Pick<Context, "app" | "screen">,
): Promise<RunRequest> {
  if (pipeline === undefined) return request;
  const { options } = pipeline;
  const names = (option: string) => (options.get(option) ?? []).flatMap((each) => each.split(","));
  const profiles = names("profile").filter((each) => each !== "");
  const only = names("only-config");
  const files = only.length > 0 ? only : names("config");
  const { program } = request;
  const entry = last(options, "entry");
  if (entry !== undefined && program.target !== undefined)
    throw new AppError("CLI_USAGE", "-entry and --target are both given: give one");
  const { inputs, notes } = await (await app()).workflows.nextflow.inputs({
    workflow: program.workflow,
    inputs: request.inputs,
    params: pipeline.params,
    profiles,
    configs: files,
    onlyConfigs: only.length > 0,
    flags: { all: command.options.map(({ flags }) => longName(flags)), given: pipeline.ownFlags },
    ...defined({ main: program.main, paramsFile: last(options, "params-file") }),
  });
  for (const note of notes) screen.say(`${screen.paint.yellow("warning:")} ${note}`);
  if (options.has("resume"))
    screen.say(screen.paint.dim("-resume has no effect: `memoir run` always reuses what its cache has"));
  const outputDir = last(options, "output-dir");
  const settings = settingsOf(pipeline);
  return {
    ...request,
    inputs,
    program: {
      ...program,
      ...defined({ target: entry ?? program.target }),
      configuration: {
        profiles,
        files,
        only: only.length > 0,
        stub: options.has("stub"),
        preview: options.has("preview"),
        ...defined({
          settings: Object.keys(settings).length === 0 ? undefined : settings,
          outputDir: outputDir === undefined ? undefined : resolve(process.cwd(), outputDir),
        }),
      },
    },
  };
}

function renderRun(result: Extract<Result, { kind: "ran" }>, screen: Screen): void {
  for (const failure of result.failures) renderFailure(failure, screen);
  for (const { call, outputs } of result.unstable)
    screen.say(
      `${screen.paint.yellow("not deterministic:")} ${call} gave other outputs: ${outputs.join(", ")}`,
    );
  const { refused } = result.unrecorded;
  if (refused > 0)
    screen.say(
      `${screen.paint.yellow("not recorded:")} ${plural(refused, "result")} that the cache cannot hold`,
    );
  const paint = result.state === "succeeded" ? screen.paint.green : screen.paint.red;
  const saved = result.savedSeconds >= 1 ? `, ${duration(result.savedSeconds)} of computing saved` : "";
  screen.out(
    `${paint(result.state)} ${result.workflow} in ${duration(result.elapsedMs / 1000)}: ${callCounts(result)}${saved}`,
  );
  for (const [name, value] of result.outputs.members)
    if (result.state === "succeeded") screen.out(`  ${name} = ${valueText(value)}`);
  screen.out(screen.paint.dim(`run ${result.run} in ${fromHere(result.directory, process.cwd())}`));
}

function callCounts({ calls }: WorkflowRunResult): string {
  const parts = [
    [calls.reused, "reused"],
    [calls.computed, "computed"],
    [calls.failed, "failed"],
    [calls.cancelled, "cancelled"],
  ] as const;
  const words = parts.filter(([n]) => n > 0).map(([n, word]) => `${count(n)} ${word}`);
  return words.length === 0 ? "no calls" : words.join(", ");
}

const longestValue = 200;

function valueText(value: ExactJson): string {
  if (value.text.startsWith('"')) return fromHere(JSON.parse(value.text) as string, process.cwd());
  // Texts in it contain no line breaks.
  const text = value.text.replace(/,\n */g, ", ").replace(/\n */g, "");
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}

const mostCommandLines = 12;

function renderFailure(failure: FailureFact, screen: Screen): void {
  const { red, dim, bold } = screen.paint;
  if (failure.kind === "evaluation") {
    screen.say(failure.diagnostic.text);
    return;
  }
  const { call, command } = failure;
  const { message, stderrTail, directory, attempts } = failure.failure;
  const tries = attempts > 1 ? ` after ${attempts} attempts` : "";
  screen.say(`${red("failed:")} ${bold(call)}: ${message}${tries}`);
  if (command !== undefined) {
    const lines = command.trimEnd().split("\n");
    screen.say("  command:");
    for (const line of lines.slice(0, mostCommandLines)) screen.say(`    ${line}`);
    if (lines.length > mostCommandLines)
      screen.say(dim(`    … ${lines.length - mostCommandLines} more lines`));
  }
  if (stderrTail !== undefined && stderrTail !== "") {
    screen.say("  last lines of standard error:");
    for (const line of stderrTail.split("\n")) screen.say(`    ${line}`);
  }
  if (directory !== undefined) screen.say(`  files are in ${fromHere(directory, process.cwd())}`);
}

function renderPrediction(result: Extract<Result, { kind: "predicted" }>, screen: Screen): void {
  const { green, yellow, red } = screen.paint;
  const { calls } = result;
  for (const one of calls) {
    if (one.kind === "reuse") screen.out(`${green("reuse")}    ${one.call}  (from run ${one.fromRun})`);
    else if (one.kind === "compute") screen.out(`${yellow("compute")}  ${one.call}  ${one.why.words}`);
    else screen.out(`${red("fail")}     ${one.call}  ${one.words}`);
  }
  const reused = calls.filter((one) => one.kind === "reuse").length;
  const saved = result.savedSeconds >= 1 ? `, saving ${duration(result.savedSeconds)}` : "";
  screen.out(`${plural(reused, "call")} would be reused${saved}, ${calls.length - reused} not.`);
  if (!result.complete)
    screen.out("Calls that depend on a call that would be computed are not known yet and not listed.");
}
