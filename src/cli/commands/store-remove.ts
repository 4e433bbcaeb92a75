/** memoir store remove */
import type { RemoveResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../format.ts";
import { withProgress } from "../progress.ts";
import { cloudOption, needed, projectOptionsOf, sourceOptions } from "../store-options.ts";

export const command = defineCommand<RemoveResult>({
  name: "store remove",
  summary: "Delete a model's rows from a project",
  details: ["Without --yes the rows are only counted, and the exit code is 0."],
  options: [...sourceOptions, { flags: "-y, --yes", description: "delete" }, cloudOption],
  examples: [
    {
      command:
        "memoir example -n 3 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir store write -i out.csv -m eos3b5e -pn screening && memoir store remove -m eos3b5e -pn screening --yes",
    },
  ],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) => {
      const store = await (await app()).projectStore();
      return await store.remove(
        { ...projectOptionsOf(given), model: needed(given, "model", "remove"), sure: given.is("yes") },
        emit,
        ask,
      );
    }),
  render: ({ rows, model, release, from, deleted }, screen) => {
    const where = from.join(" and ");
    screen.out(
      `${deleted ? "deleted" : "would delete"} ${plural(rows, "row")} of ${model} ${release} in ${where}`,
    );
    if (!deleted) screen.say("add --yes to delete them");
  },
});
