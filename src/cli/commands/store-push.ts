/** memoir store push */
import type { MovedRows } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { count, plural } from "../format.ts";
import { withProgress } from "../progress.ts";
import {
  cloudOption,
  localOption,
  needed,
  projectOption,
  projectOptionsOf,
  storeModelOption,
  versionOption,
  writeAccessOption,
} from "../store-options.ts";

export const command = defineCommand<MovedRows>({
  name: "store push",
  summary: "Copy rows of the local cache into a project",
  details: ["Without --access the rows are private."],
  options: [storeModelOption, versionOption, projectOption, writeAccessOption, localOption, cloudOption],
  examples: [
    {
      command:
        "memoir example -n 3 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir store push -m eos3b5e -pn screening --access public",
    },
  ],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) => {
      const store = await (await app()).projectStore();
      const local = given.text("local");
      return await store.push(
        { ...projectOptionsOf(given), model: needed(given, "model", "push"), ...defined({ local }) },
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
