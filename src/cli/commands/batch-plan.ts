/** memoir batch plan -i INPUT --slices K -o PLAN: what will be predicted, in how many slices. */
import type { PlanResult } from "../../app/index.ts";
import { AppError, defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { count, fromHere, plural } from "../format.ts";
import {
  delimiterOf,
  delimiterOption,
  lookUpOptions,
  modeOptions,
  predictionOptionsOf,
  sessionOption,
  tierOptions,
} from "../model-options.ts";
import { inputFormatOption, inputOptionsOf, standardInput } from "../stream-options.ts";

/** No more jobs fit into a matrix of GitHub Actions. */
const mostByRows = 256;

export const command = defineCommand<PlanResult>({
  name: "batch plan",
  summary: "Write a plan for predictions in slices",
  details: [
    "Reads the whole input, and writes a small file that holds its digest, the model's release and columns, how the inputs are read, and the number of rows in each slice. `memoir batch work` then computes single slices, on any machine and in any order, and `memoir batch merge` puts them together.",
    "An input belongs to a slice by its key, so equal inputs are computed once. The same input, model and options give the same plan: slices that are done stay done. Standard input is kept next to the plan. Plans hold no passwords.",
    "With --json, `matrix` is what `strategy.matrix` of GitHub Actions takes.",
  ],
  options: [
    {
      flags: "-i, --input <file>",
      description: "inputs: .csv, .tsv, .smi or .json, or - for standard input",
    },
    { flags: "-o, --output <file>", description: "the plan" },
    {
      flags: "--slices <k>",
      description: "number of slices, at most 1000",
      kind: "count",
      conflicts: ["rows-per-slice"],
    },
    {
      flags: "--rows-per-slice <n>",
      description: `in place of --slices: about this number of rows in each, in at most ${mostByRows} slices`,
      default: "10000",
      kind: "count",
    },
    inputFormatOption,
    { flags: "--model <model>", description: "plan for this model without a session" },
    sessionOption,
    ...modeOptions,
    ...lookUpOptions.filter(({ flags }) => !/^--(missing|runner-url)\b/.test(flags)),
    { flags: "--column <name>", description: "column of the inputs, by header or by number from 1" },
    delimiterOption,
    { flags: "--header", description: "the first line is a header, even if it looks like a molecule" },
    { flags: "--no-header", description: "the first line is a row" },
    ...tierOptions,
  ],
  examples: [
    {
      command:
        "memoir example molecular-weight -n 20 -o in.csv && memoir batch plan --model molecular-weight -i in.csv --slices 4 -o plan.json",
    },
  ],
  act: async (given, context) => {
    const { app, ask } = context;
    const input = given.text("input");
    const output = given.text("output");
    if (input === undefined || output === undefined || output === "-")
      throw new AppError(
        "CLI_USAGE",
        `memoir batch plan: ${input === undefined ? "-i FILE is missing" : output === "-" ? "-o expects a file, which the other commands read" : "-o FILE is missing"}`,
      );
    const slices = given.count("slices");
    return (await app()).batch.plan(
      {
        ...predictionOptionsOf(given),
        ...defined({ model: given.text("model"), column: given.text("column") }),
        input: input === "-" ? standardInput : input,
        ...inputOptionsOf(given, context),
        ...delimiterOf(given, "batch plan"),
        ...(given.is("header") ? { header: "present" as const } : {}),
        ...(given.is("no-header") ? { header: "absent" as const } : {}),
        slices:
          slices === undefined
            ? { kind: "rows", rows: given.count("rows-per-slice") ?? 10_000, most: mostByRows }
            : { kind: "count", slices },
        output,
      },
      ask,
    );
  },
  render: ({ file, rows, slices, rowsPerSlice, model, release }, screen) => {
    const [least, most] = [Math.min(...rowsPerSlice), Math.max(...rowsPerSlice)];
    screen.out(
      `${screen.paint.green("planned")} ${plural(rows, "row")} with ${model} ${release} in ${plural(slices, "slice")} of ${least === most ? count(least) : `${count(least)} to ${count(most)}`} rows`,
    );
    screen.out(`written to ${screen.paint.bold(fromHere(file, process.cwd()))}`);
  },
});
