/** memoir run -i INPUT -o OUTPUT: predictions of the served model. */
import { AppError, defined } from "../../kernel/index.ts";
import { parseSlice, type RunResult } from "../../predict/index.ts";
import { defineCommand } from "../command.ts";
import { exitUnfinished } from "../exit-codes.ts";
import { count, duration, fromHere, plural } from "../format.ts";
import {
  delimiterOf,
  delimiterOption,
  localRuleOptions,
  lookUpOptions,
  modeOptions,
  predictionOptionsOf,
  sessionOption,
  stopAfterOption,
  tierOptions,
} from "../model-options.ts";
import { countsText, createProgress } from "../progress.ts";
import { stopAfter } from "../quantities.ts";
import type { Screen } from "../screen.ts";
import {
  inputFormatOption,
  inputOptionsOf,
  outputFormatOption,
  outputOptionsOf,
  standardInput,
  toStandardOutput,
} from "../stream-options.ts";

export const command = defineCommand<RunResult>({
  name: "run",
  summary: "Predict for every input of a file",
  details: [
    "With a workflow as its argument (`memoir run main.wdl`), the command runs the workflow instead; see `memoir run main.wdl --help`.",
    "Reads the inputs, looks them up in the caches of the chosen mode, computes missing rows if the mode allows it, and writes one row per input, in the order of the inputs: key (MD5 of the input), input, and the model's columns.",
    "Inputs: .csv, .tsv, .smi or .json. A file with several columns needs one called smiles or input, or --column. Semicolons, tabs, pipes and spaces between cells are detected from the first lines, or refused if they could be part of the text; --delimiter sets the separator. Empty lines are not rows. Outputs: .csv, .tsv, .json or .h5. The output file appears when it is complete; an interrupted run resumes where it left off when you repeat the command.",
    "With -o - the rows go to standard output as they are computed, and the summary to standard error. Standard input and other pipes can be read only once, so such a run starts again after an interruption; the rows that it computed are in the cache.",
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
    sessionOption,
    ...modeOptions,
    ...lookUpOptions,
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
      default: "1; for built-in models the number of processors, at most 4",
      kind: "count",
    },
    { flags: "--timeout <seconds>", description: "time limit of one batch", default: "600", kind: "number" },
    {
      flags: "--slice <i/k>",
      description:
        "only the inputs of slice i of k, by the ranges of their keys; each input is in exactly one slice",
    },
    stopAfterOption,
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
  act: async (given, context) => {
    const { memoir, ask, screen } = context;
    const slice = given.text("slice");
    const batchSize = positive(given.count("batch-size"), "--batch-size");
    const workers = positive(given.count("workers"), "--workers");
    const timeout = positive(given.count("timeout"), "--timeout");
    const options = {
      ...predictionOptionsOf(given),
      ...defined({ model: given.text("model") }),
      input: inputName(required(given.text("input"), "-i")),
      output: required(given.text("output"), "-o"),
      ...inputOptionsOf(given, context),
      ...outputOptionsOf(given, context, "run"),
      statusColumn: given.is("status-column") ? ("with" as const) : ("without" as const),
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
    try {
      const run = (await memoir()).predictFile(options, ask);
      for await (const event of run.events) progress.event(event);
      return await run;
    } finally {
      progress.end();
    }
  },
  render: (result, screen, given) => {
    const line = toStandardOutput(given) ? screen.say : screen.out;
    line(
      `${screen.paint.green("predicted")} ${plural(result.rows, "row")} with ${result.model}${result.rows === 0 ? "" : `: ${countsText(result.counts)}`}`,
    );
    renderFailures(result, screen);
    for (const { cache, tier, rows, waiting } of result.notStored)
      screen.say(
        `${screen.paint.yellow("not stored:")} ${plural(rows, "answer")} in the ${cache} cache (${tier})${waiting === 0 ? "" : `; ${waiting === rows ? "" : `${count(waiting)} of them `}kept on disk for the next run with it`}`,
      );
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
  exitCode: (result) => (!result.finished ? exitUnfinished : nothingWorked(result) ? 1 : 0),
});

export function nothingWorked({ counts }: Pick<RunResult, "counts">): boolean {
  return counts.failed > 0 && counts.computed + counts.reusedLocal + counts.reusedCloud === 0;
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
