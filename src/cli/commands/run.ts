/** memoir run -i INPUT -o OUTPUT: predictions of the served model. */
import { clusterNames, clusterOptions, imageExecutorNames } from "../../app/index.ts";
import { AppError, defined } from "../../kernel/index.ts";
import { type ManyModelsResult, parseSlice, type RunResult } from "../../predict/index.ts";
import { type Context, defineCommand, type Given } from "../command.ts";
import { executorFlags, executorOrder } from "../executor-options.ts";
import { exitUnfinished } from "../exit-codes.ts";
import { count, duration, fromHere, plural } from "../format.ts";
import {
  delimiterOf,
  delimiterOption,
  isolationOptions,
  localRuleOptions,
  lookUpOptions,
  modeOptions,
  predictionOptionsOf,
  sessionOption,
  stopAfterOption,
  tierOptions,
} from "../model-options.ts";
import { longName } from "../parse.ts";
import { countsText, createProgress } from "../progress.ts";
import { sizeBytes, stopAfter } from "../quantities.ts";
import type { Screen } from "../screen.ts";
import { configOptions, configured } from "../settings.ts";
import {
  inputFormatOption,
  inputOptionsOf,
  outputFormatOption,
  outputOptionsOf,
  standardInput,
  toStandardOutput,
} from "../stream-options.ts";

export const command = defineCommand<RunResult | ManyModelsResult>({
  name: "run",
  summary: "Predict for every input of a file",
  details: [
    "With a workflow as its argument (`memoir run main.wdl`), the command runs the workflow instead; see `memoir run main.wdl --help`.",
    "Reads the inputs, looks them up in the caches of the chosen mode, computes missing rows if the mode allows it, and writes one row per input, in the order of the inputs: key (MD5 of the input), input, and the model's columns.",
    "Inputs: .csv, .tsv, .smi or .json. A file with several columns needs one called smiles or input, or --column. Semicolons, tabs, pipes and spaces between cells are detected from the first lines, or refused if they could be part of the text; --delimiter sets the separator. Empty lines are not rows. Outputs: .csv, .tsv, .json or .h5. The output file appears when it is complete; an interrupted run resumes where it left off when you repeat the command.",
    "With -o - the rows go to standard output as they are computed, and the summary to standard error. Standard input and other pipes can be read only once, so such a run starts again after an interruption; the rows that it computed are in the cache.",
    "With --models the input is read once, and every model answers every row; the caches are opened once for all of them. Such a run starts again after an interruption; the rows that it computed are in the cache.",
    "Exits with 1 if rows had to be computed and all of them failed, and with 75 if --stop-after ended the run before all was done: the same command resumes it.",
  ],
  options: [
    {
      flags: "-i, --input <file>",
      description: "inputs: .csv, .tsv, .smi or .json, or - for standard input",
    },
    {
      flags: "-o, --output <file>",
      description: "predictions: .csv, .tsv, .json or .h5, or - for standard output",
      aliases: ["--output-file"],
    },
    {
      flags: "-b, --batch-size <n>",
      description: "inputs per batch",
      default: "100, increasing while the model is healthy",
      kind: "count",
    },
    inputFormatOption,
    outputFormatOption,
    { flags: "--model <model>", description: "run this model without a session" },
    {
      flags: "--models <list>",
      description: "run several models, separated by commas: one table, whose columns are named MODEL.COLUMN",
      conflicts: ["model", "session", "executor", "slice", "stop-after", "runner-url"],
    },
    sessionOption,
    ...modeOptions,
    ...lookUpOptions,
    {
      flags: "--nearest <similarity>",
      description:
        "answer a row that no cache has with the row of the most similar molecule of the local cache, if it is at least this similar (Tanimoto, 0 to 1); the status column, which is then written, names both, and nothing of it is stored",
      kind: "number",
      conflicts: ["models", "executor", "slice"],
    },
    {
      flags: "--notify <url>",
      description: "post the end of the run to this URL, as JSON",
    },
    ...isolationOptions,
    { flags: "--status-column", description: "add a column with the source of each row" },
    {
      flags: "--column <name>",
      description: "column of the inputs, by header or by number from 1",
    },
    delimiterOption,
    { flags: "--header", description: "the first line is a header, even if it looks like a molecule" },
    { flags: "--no-header", description: "the first line is a row" },
    {
      flags: "--workers <n>",
      description: "batches computed at the same time",
      default:
        "1; for models in folders the processes that suit the memory, at most 4; for built-in models the number of processors, at most 4",
      kind: "count",
    },
    { flags: "--timeout <seconds>", description: "time limit of one batch", default: "600", kind: "number" },
    {
      flags: "--slice <i/k>",
      description:
        "only the inputs of slice i of k, by the ranges of their keys; each input is in exactly one slice",
    },
    stopAfterOption,
    {
      flags: "--executor <where>",
      description:
        "compute in slices, as jobs of this cluster or service; rows that the caches hold are looked up first",
      default: "this machine computes",
      choices: clusterNames,
      conflicts: ["slice", "stop-after"],
    },
    {
      flags: "--slices <k>",
      description: "with --executor: number of slices, each of which is a job",
      default: "about 10,000 rows in each, at most 100",
      kind: "count",
    },
    {
      flags: "--job-cpus <n>",
      description: "with --executor: processors of each job, and batches at the same time",
      default: "1",
      kind: "count",
    },
    {
      flags: "--job-memory <size>",
      description: "with --executor: memory of each job, such as 4G",
      default: "the cluster's; with aws-batch and tes 2 GiB",
    },
    {
      flags: "--image <image>",
      description: "with --executor aws-batch or tes: image that holds Memoir and the model, for the jobs",
    },
    ...executorFlags.filter(({ flags }) => clusterOptions.has(longName(flags).slice(2))),
    ...configOptions,
    ...tierOptions,
    ...localRuleOptions,
  ],
  examples: [
    {
      command:
        "memoir example molecular-weight -n 5 -o in.csv && memoir run --model molecular-weight -i in.csv -o out.csv",
      note: "without a session",
    },
    {
      command:
        "memoir example -n 5 -o in.csv && memoir run --models eos3b5e,rdkit-descriptors -i in.csv -o table.csv",
      note: "several models, one table",
    },
    {
      command:
        "memoir example -n 5 -o - | memoir run --model molecular-weight -i - -o - --output-format tsv | cut -f 2,3",
      note: "in a pipe",
    },
    {
      command:
        "memoir example molecular-weight -n 20 -o in.csv && memoir run --model molecular-weight -i in.csv -o part-2.csv --slice 2/4",
      note: "the second quarter of the keys",
    },
    {
      command:
        "memoir serve molecular-weight && memoir example -n 5 -o in.csv && memoir run -i in.csv -o out.csv --status-column",
    },
  ],
  act: async (flags, context) => {
    const { memoir, ask, screen } = context;
    const given = await withCluster(flags, context);
    const executor = given.text("executor");
    const slice = given.text("slice");
    const batchSize = positive(given.count("batch-size"), "--batch-size");
    const workers = positive(given.count("workers"), "--workers");
    const nearest = nearestIn(given);
    const timeout = positive(given.count("timeout"), "--timeout");
    const options = {
      ...predictionOptionsOf(given),
      ...defined({ model: given.text("model") }),
      input: inputName(required(given.text("input"), "-i")),
      output: required(given.text("output"), "-o"),
      ...inputOptionsOf(given, context),
      ...outputOptionsOf(given, context, "run"),
      ...defined({ nearest, notify: given.text("notify") }),
      statusColumn:
        given.is("status-column") || nearest !== undefined ? ("with" as const) : ("without" as const),
      ...defined({ column: given.text("column") }),
      ...delimiterOf(given, "run"),
      ...(given.is("header") ? { header: "present" as const } : {}),
      ...(given.is("no-header") ? { header: "absent" as const } : {}),
      ...defined({
        batchSize,
        workers,
        timeoutMs: timeout === undefined ? undefined : timeout * 1000,
        slice: slice === undefined ? undefined : parseSlice(slice, "memoir run: --slice"),
        stopAfter: stopAfter(given.text("stop-after"), "memoir run: --stop-after"),
      }),
    };
    const progress = createProgress(screen);
    const models = given.text("models");
    try {
      if (models !== undefined)
        return await (await context.app()).runMany(
          { ...options, models: modelsIn(models) },
          (event) => progress.event(event),
          ask,
        );
      if (executor !== undefined)
        return await (await context.app()).runOnExecutor(
          {
            ...options,
            executor: executorOrder(given),
            ...defined({ slices: positive(given.count("slices"), "--slices") }),
            job: defined({
              cpus: positive(given.count("job-cpus"), "--job-cpus"),
              memoryBytes: sizeBytes(given.text("job-memory"), "memoir run: --job-memory"),
            }),
            ...defined({ image: imageFor(executor, flags, given) }),
            program: [process.execPath, ...process.argv.slice(1, 2)],
          },
          (event) => progress.event(event),
          ask,
        );
      const run = (await memoir()).predictFile(options, ask);
      for await (const event of run.events) progress.event(event);
      return await run;
    } finally {
      progress.end();
    }
  },
  render: (result, screen, given) => {
    if ("models" in result) return renderMany(result, screen, given);
    const line = toStandardOutput(given) ? screen.say : screen.out;
    line(
      `${screen.paint.green("predicted")} ${plural(result.rows, "row")} with ${result.model}${result.rows === 0 ? "" : `: ${countsText(result.counts)}`}`,
    );
    renderFailures(result, screen);
    renderNotStored(result, screen);
    if (!result.finished) {
      screen.say(
        `${screen.paint.yellow("stopped")} before all was done, as --stop-after asked; repeat the command to resume`,
      );
      return;
    }
    const resumed = result.resumedRows === 0 ? "" : `, ${count(result.resumedRows)} rows of them from before`;
    if (toStandardOutput(given)) return;
    screen.out(
      `written to ${screen.paint.bold(fromHere(result.output, process.cwd()))} in ${duration(result.seconds)} (${count(result.rowsPerSecond)} rows/s${resumed})`,
    );
  },
  exitCode: (result) =>
    "models" in result
      ? result.models.some(nothingWorked)
        ? 1
        : 0
      : !result.finished
        ? exitUnfinished
        : nothingWorked(result)
          ? 1
          : 0,
});

export function nothingWorked({ counts }: Pick<RunResult, "counts">): boolean {
  return counts.failed > 0 && counts.computed + counts.reusedLocal + counts.reusedCloud === 0;
}

/** @throws CLI_USAGE */
function nearestIn(given: Given): number | undefined {
  const nearest = given.count("nearest");
  if (nearest !== undefined && /\.(h5|hdf5)$/i.test(given.text("output") ?? ""))
    throw new AppError(
      "CLI_USAGE",
      "memoir run: --nearest needs an output with a status column, and HDF5 has none; write .csv, .tsv or .json",
    );
  return nearest;
}

/** @throws CLI_USAGE */
function modelsIn(list: string): readonly string[] {
  const names = list.split(",").map((name) => name.trim());
  if (names.every((name) => name !== "")) return names;
  throw new AppError(
    "CLI_USAGE",
    `memoir run: --models takes names separated by commas, got ${JSON.stringify(list)}`,
  );
}

function renderMany(result: ManyModelsResult, screen: Screen, given: Given): void {
  const line = toStandardOutput(given) ? screen.say : screen.out;
  line(
    `${screen.paint.green("predicted")} ${plural(result.rows, "row")} with ${plural(result.models.length, "model")}`,
  );
  for (const each of result.models) {
    line(`  ${each.model}: ${countsText(each.counts)}`);
    renderFailures(each, screen);
    renderNotStored(each, screen);
  }
  if (!toStandardOutput(given))
    screen.out(
      `written to ${screen.paint.bold(fromHere(result.output, process.cwd()))} in ${duration(result.seconds)}`,
    );
}

function renderNotStored(result: RunResult, screen: Screen): void {
  for (const { cache, tier, rows, waiting } of result.notStored)
    screen.say(
      `${screen.paint.yellow("not stored:")} ${plural(rows, "answer")} in the ${cache} cache (${tier})${waiting === 0 ? "" : `; ${waiting === rows ? "" : `${count(waiting)} of them `}kept on disk for the next run with it`}`,
    );
}

function renderFailures(result: RunResult, screen: Screen): void {
  const { failures, counts } = result;
  for (const { row, input, reason } of failures.slice(0, 5))
    screen.say(`${screen.paint.yellow("failed:")} row ${count(row)} (${JSON.stringify(input)}): ${reason}`);
  const more = counts.failed - Math.min(5, failures.length);
  if (counts.failed > 0 && more > 0)
    screen.say(`${screen.paint.yellow("failed:")} ${count(more)} more; --status-column marks them`);
  if (nothingWorked(result))
    screen.say(`${screen.paint.red("error:")} no row could be computed [PREDICT_NOTHING_COMPUTED]`);
}

/** Configuration files choose where predictions run only where a flag asks for a cluster or for a profile. */
async function withCluster(flags: Given, { app, screen }: Context): Promise<Given> {
  const isAsked = flags.text("executor") !== undefined || flags.text("profile") !== undefined;
  const given = isAsked ? (await configured(flags, { app, screen })).given : flags;
  const executor = given.text("executor");
  if (executor !== undefined && clusterNames.includes(executor)) {
    const single = ["slice", "stop-after"].find((name) => given.text(name) !== undefined);
    if (single === undefined) return given;
    throw new AppError(
      "CLI_USAGE",
      `memoir run: --${single} is for this machine, and --executor ${executor} for jobs`,
    );
  }
  const jobFlags = ["slices", "job-cpus", "job-memory", "image", ...clusterOptions];
  const lone = jobFlags.find((name) => flags.text(name) !== undefined || flags.is(name));
  if (lone !== undefined) throw new AppError("CLI_USAGE", `memoir run: --${lone} goes with --executor`);
  return flags;
}

/** A configuration file names an image for all executors; those that share files need none. */
function imageFor(executor: string, flags: Given, given: Given): string | undefined {
  return imageExecutorNames.includes(executor) ? given.text("image") : flags.text("image");
}

function inputName(input: string): string {
  return input === "-" ? standardInput : input;
}

function required(value: string | undefined, flag: string): string {
  if (value !== undefined) return value;
  throw new AppError("CLI_USAGE", `memoir run: ${flag} FILE is missing`);
}

function positive(value: number | undefined, flag: string): number | undefined {
  if (value === undefined || value > 0) return value;
  throw new AppError("CLI_USAGE", `memoir run: ${flag} must be more than 0, got ${value}`);
}
