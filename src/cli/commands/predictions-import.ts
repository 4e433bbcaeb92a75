/** memoir predictions import MODEL FILE */

import type { ImportResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { count, plural, priceText } from "../format.ts";
import {
  delimiterOf,
  delimiterOption,
  dryRunOption,
  dryRunOptionsOf,
  tierOptions,
  tierOptionsOf,
} from "../model-options.ts";
import { withProgress } from "../progress.ts";
import { requiredTier, tierChoices } from "../tier-choice.ts";

export const command = defineCommand<ImportResult>({
  name: "predictions import",
  summary: "Import predictions from files that a model wrote elsewhere",
  details: [
    "Reads a .csv or .tsv file with a column input (or smiles) and the model's columns, such as Memoir's and Ersilia's outputs; the same files compressed with gzip; shards of Ersilia's cloud cache (.gz, without a header); Parquet files with one column per value or with Ersilia's comma-joined output (Isaura's chunks).",
    "A folder is read recursively, and so is s3://bucket/prefix; objects are downloaded one at a time. Files of unknown formats are counted and listed, and so are files that cannot belong to the model: files in a folder with another model's identifier, with other columns, or empty. A tree with folders of several versions (v1, v2) is refused.",
    "Rows without any value are skipped. The rows count as results of the model's current release: import only rows that this release computed.",
  ],
  arguments: [
    { name: "MODEL", description: "id, slug, folder or URL", required: true },
    {
      name: "FILE",
      description: ".csv, .tsv, .gz or .parquet, a folder of such files, or s3://bucket/key-or-prefix",
      required: true,
    },
  ],
  options: [
    {
      flags: "--into <cache>",
      description: "cache to store them in",
      default: "local",
      choices: tierChoices,
    },
    delimiterOption,
    {
      flags: "--missing <word>",
      description: "additional text for missing values, as passed to memoir run --missing",
    },
    dryRunOption,
    ...tierOptions,
  ],
  examples: [
    {
      command:
        "memoir example molecular-weight -n 5 -o in.csv && memoir run --model molecular-weight -i in.csv -o out.csv && memoir predictions import molecular-weight out.csv --into cloud",
    },
  ],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) =>
      (await app()).predictions.import(
        {
          model: given.argument(0) ?? "",
          file: given.argument(1) ?? "",
          into:
            given.text("into") === undefined ? "local" : requiredTier(given, "into", "predictions import"),
          ...defined({ missing: given.text("missing") }),
          ...delimiterOf(given, "predictions import"),
          ...dryRunOptionsOf(given),
          ...tierOptionsOf(given),
        },
        emit,
        ask,
      ),
    ),
  render: (result, screen) => {
    const { otherFiles, leftOut, files } = result;
    const from =
      files === 1 && otherFiles.count + leftOut.count === 0 ? "" : ` from ${plural(files, "file")}`;
    screen.out(
      `${result.dryRun === true ? "would import" : "imported"} ${plural(result.read, "row")}${from} for ${result.model} ${result.release} into ${result.into}: ${count(result.stored)} new, ${count(result.alreadyThere)} already there, ${count(result.skipped)} without a value`,
    );
    if (result.price !== undefined) screen.out(`storing them costs ${priceText(result.price)}`);
    if (otherFiles.count > 0)
      screen.say(
        `${plural(otherFiles.count, "file")} of no known kind ${otherFiles.count === 1 ? "was" : "were"} not read (${otherFiles.names.join(", ")}${otherFiles.count > otherFiles.names.length ? ", …" : ""})`,
      );
    for (const { file, reason } of leftOut.files) screen.say(`left out: ${file}: ${reason}`);
    if (leftOut.count > leftOut.files.length)
      screen.say(`left out: ${plural(leftOut.count - leftOut.files.length, "more file")}`);
  },
});
