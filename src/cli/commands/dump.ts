/** memoir dump */

import { AppError, defined } from "../../kernel/index.ts";
import type { DumpResult } from "../../predict/index.ts";
import { defineCommand } from "../command.ts";
import { count, duration, fromHere, plural } from "../format.ts";
import {
  localRuleOptions,
  modeOptions,
  predictionOptionsOf,
  sessionOption,
  tierOptions,
} from "../model-options.ts";
import { createProgress } from "../progress.ts";
import { outputFormatOption, outputOptionsOf, toStandardOutput } from "../stream-options.ts";

export const command = defineCommand<DumpResult>({
  name: "dump",
  summary: "Write a model's stored predictions to a file",
  details: [
    "Requires a mode, from the session or as a flag. --local-cache-only and --cloud-cache-only write all rows of that cache, or with -n a uniform random sample. --cache-only writes the local rows and then the cloud rows that are not stored locally; with -n the first N local rows, completed with random cloud rows if there are fewer.",
  ],
  options: [
    {
      flags: "-n, --n-samples <n>",
      description: "maximum number of rows; -1 means all",
      default: "all",
      kind: "count",
    },
    {
      flags: "-o, --output <file>",
      description: ".csv, .tsv, .json or .h5 file to write, or - for standard output",
      default: "MODEL_precalc.csv in the current folder",
    },
    outputFormatOption,
    {
      flags: "--seed <text>",
      description: "seed of the random sample, to repeat another dump; printed with each sample",
    },
    { flags: "--status-column", description: "add a column with the cache that each row came from" },
    { flags: "--model <model>", description: "dump this model without a session" },
    sessionOption,
    ...modeOptions,
    ...tierOptions,
    ...localRuleOptions,
  ],
  examples: [
    { command: "memoir dump --model molecular-weight --local-cache-only -n 100 --seed 7 -o sample.csv" },
    {
      command: "memoir serve molecular-weight --local-cache-only && memoir dump -o all.csv",
      note: "every row",
    },
  ],
  act: async (given, context) => {
    const { app, ask, screen } = context;
    const samples = given.count("n-samples");
    if (samples !== undefined && samples < -1)
      throw new AppError("CLI_USAGE", `memoir dump: -n must be 0 or more (or -1 for all), got ${samples}`);
    const progress = createProgress(screen);
    const options = {
      ...predictionOptionsOf(given),
      ...defined({ model: given.text("model"), output: given.text("output") }),
      ...outputOptionsOf(given, context, "dump"),
      ...defined({ count: samples === -1 ? undefined : samples, seed: given.text("seed") }),
      statusColumn: given.is("status-column") ? ("with" as const) : ("without" as const),
    };
    try {
      return await (await app()).dump(options, (event) => progress.event(event), ask);
    } finally {
      progress.end();
    }
  },
  render: (result, screen, given) => {
    const { local, cloud } = result.counts;
    const from = [
      result.mode === "cloud-cache-only" ? "" : `${count(local)} local`,
      result.mode === "local-cache-only" ? "" : `${count(cloud)} cloud`,
    ].filter((part) => part !== "");
    const seed = result.seed === undefined ? "" : `, seed ${result.seed}`;
    const line = toStandardOutput(given) ? screen.say : screen.out;
    line(
      `${screen.paint.green("dumped")} ${plural(result.rows, "row")} of ${result.model} (${from.join(", ")}${seed})`,
    );
    if (!toStandardOutput(given))
      screen.out(
        `written to ${screen.paint.bold(fromHere(result.output, process.cwd()))} in ${duration(result.seconds)}`,
      );
    if (result.rows === 0 && given.count("n-samples") !== 0)
      screen.say(`nothing is stored for ${result.model} ${result.release} there`);
  },
});
