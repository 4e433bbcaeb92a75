/** memoir store pull */
import type { MovedRows } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { count, plural } from "../format.ts";
import { withProgress } from "../progress.ts";
import {
  cloudOption,
  inputColumnOption,
  isauraOption,
  localOption,
  needed,
  projectOptionsOf,
  sourceOptions,
} from "../store-options.ts";

export const command = defineCommand<MovedRows>({
  name: "store pull",
  summary: "Copy a project's rows into the local cache",
  details: [
    "With -i only the rows of the inputs of that file. With --isaura the rows of a project of Isaura's; nobody knows with which release of the model they were computed, so pull them only if you know that it is the one that is installed.",
  ],
  options: [
    {
      flags: "-i, --input <file>",
      description: "only these inputs",
      default: "all rows",
      aliases: ["--input-file"],
    },
    inputColumnOption,
    ...sourceOptions,
    isauraOption,
    localOption,
    cloudOption,
  ],
  examples: [
    {
      command:
        "memoir example -n 3 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir store push -m eos3b5e -pn screening && memoir store pull -m eos3b5e -pn screening -i in.csv",
    },
  ],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) => {
      const store = await (await app()).projectStore();
      return await store.pull(
        {
          ...projectOptionsOf(given),
          model: needed(given, "model", "pull"),
          ...defined({
            local: given.text("local"),
            input: given.text("input"),
            column: given.text("column"),
          }),
        },
        emit,
        ask,
      );
    }),
  render: (result, screen) => {
    screen.out(
      `copied ${plural(result.read, "row")} of ${result.model} ${result.release} from ${result.from} to ${result.to.join(" and ")}: ${count(result.stored)} new, ${count(result.alreadyThere)} already there`,
    );
  },
});
