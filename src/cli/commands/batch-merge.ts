/** memoir batch merge PLAN -o OUTPUT: the rows of all slices, in the input's order. */
import { AppError, defined } from "../../kernel/index.ts";
import type { MergeResult } from "../../predict/index.ts";
import { batchPlaceOptions, batchPlacesOf, planArgument, renderBatchFailures } from "../batch-options.ts";
import { defineCommand } from "../command.ts";
import { fromHere, plural } from "../format.ts";
import { countsText, withProgress } from "../progress.ts";
import { outputFormatOption, outputOptionsOf, toStandardOutput } from "../stream-options.ts";
import { nothingWorked } from "./run.ts";

export const command = defineCommand<MergeResult>({
  name: "batch merge",
  summary: "Merge the slices of a planned batch into one output",
  details: [
    "Writes one row per row of the input, in the input's order, as `memoir run` does. Every row must be in its slice exactly once; an input that is not the planned one is refused. If slices are missing or damaged, their numbers are reported, nothing is written, and the exit code is 75.",
    "Exits with 1 if rows had to be computed and all of them failed. Slices stay where they are; delete their folder when you no longer need it.",
  ],
  arguments: [planArgument],
  options: [
    {
      flags: "-o, --output <file>",
      description: "predictions: .csv, .tsv, .json or .h5, or - for standard output",
    },
    ...batchPlaceOptions,
    outputFormatOption,
    { flags: "--missing <word>", description: "text for missing values in CSV and TSV" },
    { flags: "--status-column", description: "add a column with the source of each row" },
  ],
  examples: [
    {
      command:
        "memoir example molecular-weight -n 20 -o in.csv && memoir batch plan --model molecular-weight -i in.csv --slices 2 -o plan.json && memoir batch work plan.json --slice 1 && memoir batch work plan.json --slice 2 && memoir batch merge plan.json -o out.csv",
    },
  ],
  act: async (given, context) => {
    const { app, ask, screen } = context;
    const output = given.text("output");
    if (output === undefined) throw new AppError("CLI_USAGE", "memoir batch merge: -o FILE is missing");
    const options = {
      ...batchPlacesOf(given, "merge"),
      output,
      ...outputOptionsOf(given, context, "batch merge"),
      ...defined({ missing: given.text("missing") }),
      statusColumn: given.is("status-column") ? ("with" as const) : ("without" as const),
    };
    return await withProgress(screen, async (emit) => (await app()).batch.merge(options, emit, ask));
  },
  render: (result, screen, given) => {
    const line = toStandardOutput(given) ? screen.say : screen.out;
    const { rows, slices, counts, output } = result;
    line(
      `${screen.paint.green("merged")} ${plural(rows, "row")} from ${plural(slices, "slice")}${rows === 0 ? "" : `: ${countsText(counts)}`}`,
    );
    renderBatchFailures(result.failures, counts.failed, screen);
    if (!toStandardOutput(given))
      screen.out(`written to ${screen.paint.bold(fromHere(output, process.cwd()))}`);
  },
  exitCode: (result) => (nothingWorked(result) ? 1 : 0),
});
