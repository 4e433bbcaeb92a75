/** memoir similar MODEL -i INPUT */
import type { SimilarResult } from "../../app/index.ts";
import { AppError, defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { count, plural, table } from "../format.ts";
import { tierOptions, tierOptionsOf } from "../model-options.ts";
import { withProgress } from "../progress.ts";
import { tierChoices } from "../tier-choice.ts";

export const command = defineCommand<SimilarResult>({
  name: "similar",
  summary: "List the stored molecules that are most similar to those of a file",
  details: [
    "Compares Morgan fingerprints (radius 2, 1,024 bits) by Tanimoto similarity, exactly: no molecule that is similar enough is missed. The values are those of the neighbours, not of the inputs. Nothing is computed or stored.",
    "The fingerprints are kept in an index next to the cache. Before each search Memoir checks whether it is older than the cache, and adds what is new (about 3,000 molecules per second and processor).",
    "-o writes key, input, rank, neighbour, similarity and the model's columns, one row per neighbour; an input without neighbours has one row without them. The screen shows the first 50.",
  ],
  arguments: [{ name: "MODEL", description: "id, slug, folder or URL", required: true }],
  options: [
    { flags: "-i, --input <file>", description: "molecules: .csv, .tsv, .smi or .json" },
    { flags: "--column <name>", description: "column of the inputs, by header or by number from 1" },
    { flags: "-o, --output <file>", description: "also write the neighbours to a .csv file" },
    {
      flags: "--similarity <n>",
      description: "least similarity, more than 0 and at most 1",
      default: "0.7",
      kind: "number",
    },
    {
      flags: "-k, --neighbours <n>",
      description: "neighbours of each molecule",
      default: "5",
      kind: "count",
    },
    { flags: "--from <cache>", description: "cache to search", default: "local", choices: tierChoices },
    {
      flags: "--index <how>",
      description:
        "an index that is older than the cache: update it, refuse it (current), or use it with a warning (as-is)",
      default: "update",
      choices: ["update", "current", "as-is"],
    },
    ...tierOptions,
  ],
  examples: [
    {
      command:
        "memoir example -n 50 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir similar eos3b5e -i in.csv --similarity 0.3 -k 2 -o neighbours.csv",
    },
  ],
  act: async (given, { app, ask, screen }) => {
    const input = given.text("input");
    if (input === undefined) throw new AppError("CLI_USAGE", "memoir similar: -i FILE is missing");
    const index = given.text("index");
    return await withProgress(screen, async (emit) =>
      (await app()).similar(
        {
          model: given.argument(0) ?? "",
          input,
          ...defined({ output: given.text("output"), column: given.text("column") }),
          from: given.text("from") === "cloud" ? "cloud" : "local",
          count: given.count("neighbours") ?? 5,
          similarity: given.count("similarity") ?? 0.7,
          index: index === "current" || index === "as-is" ? index : "update",
          ...tierOptionsOf(given),
        },
        emit,
        ask,
      ),
    );
  },
  render: (result, screen) => {
    const rows = result.neighbours.map(({ input, rank, neighbour, similarity }) => [
      input,
      String(rank),
      similarity.toFixed(4),
      neighbour,
    ]);
    if (rows.length > 0)
      for (const line of table([["input", "rank", "similarity", "neighbour"], ...rows])) screen.out(line);
    const { inputs, withNeighbours, unreadable, molecules, model, release, output } = result;
    screen.out(
      `${count(withNeighbours)} of ${plural(inputs, "molecule")} have neighbours among ${plural(molecules, "molecule")} of ${model} ${release}`,
    );
    if (unreadable > 0)
      screen.say(
        `${screen.paint.yellow("warning:")} ${plural(unreadable, "input")} could not be read as a molecule`,
      );
    if (output !== undefined) screen.out(`written to ${output}`);
  },
});
