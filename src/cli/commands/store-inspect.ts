/** memoir store inspect */
import type { InspectResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { count, plural, table } from "../format.ts";
import { withProgress } from "../progress.ts";
import {
  cloudOption,
  inputColumnOption,
  isauraOption,
  needed,
  projectOptionsOf,
  sourceOptions,
} from "../store-options.ts";

export const command = defineCommand<InspectResult>({
  name: "store inspect",
  summary: "Show which inputs are stored in a project",
  details: [
    "With -i: for each input of the file, whether it is stored and in which part of the project. Without: every stored input. -o writes all of them to a file; the screen shows the first 20.",
  ],
  options: [
    {
      flags: "-i, --input <file>",
      description: "inputs to look for",
      default: "every stored input",
      aliases: ["--input-file"],
    },
    {
      flags: "-o, --output <file>",
      description: "write the list to a .csv file: key, input, stored",
      aliases: ["--output-file"],
    },
    inputColumnOption,
    ...sourceOptions,
    isauraOption,
    cloudOption,
  ],
  examples: [
    {
      command:
        "memoir example -n 3 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir store write -i out.csv -m eos3b5e -pn screening && memoir store inspect -m eos3b5e -pn screening -i in.csv",
    },
  ],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) => {
      const store = await (await app()).projectStore();
      return await store.inspect(
        {
          ...projectOptionsOf(given),
          model: needed(given, "model", "inspect"),
          ...defined({ input: given.text("input"), output: given.text("output") }),
          ...defined({ column: given.text("column") }),
        },
        emit,
        ask,
      );
    }),
  render: (result, screen) => {
    for (const line of table(result.first.map(({ input, stored }) => [stored, input]))) screen.out(line);
    const { rows, available, model, release, place, output } = result;
    screen.out(
      available === undefined
        ? `${plural(rows, "input")} of ${model} ${release} stored in ${place}`
        : `${count(available)} of ${plural(rows, "input")} stored for ${model} ${release} in ${place}`,
    );
    if (output !== undefined) screen.out(`written to ${output}`);
  },
});
