/** memoir store write */
import type { MovedRows } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { count, plural } from "../format.ts";
import { withProgress } from "../progress.ts";
import {
  cloudOption,
  needed,
  projectOption,
  projectOptionsOf,
  storeModelOption,
  versionOption,
  writeAccessOption,
} from "../store-options.ts";

export const command = defineCommand<MovedRows & { readonly skipped: number }>({
  name: "store write",
  summary: "Write the results of a model into a project",
  details: [
    "Reads a file of results (.csv, .tsv, .parquet or compressed shards) with the columns of the model, as memoir run and Ersilia write them, and stores its rows. Failed rows are left out. Without --access the rows are private.",
  ],
  options: [
    { flags: "-i, --input <file>", description: "results", aliases: ["--input-file"] },
    storeModelOption,
    versionOption,
    projectOption,
    writeAccessOption,
    cloudOption,
  ],
  examples: [
    {
      command:
        "memoir example -n 3 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir store write -i out.csv -m eos3b5e -pn screening --access public",
    },
  ],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) => {
      const store = await (await app()).projectStore();
      return await store.write(
        {
          ...projectOptionsOf(given),
          model: needed(given, "model", "write"),
          input: needed(given, "input", "write"),
        },
        emit,
        ask,
      );
    }),
  render: (result, screen) => {
    screen.out(
      `stored ${plural(result.read, "row")} of ${result.model} ${result.release} from ${result.from} to ${result.to.join(" and ")}: ${count(result.stored)} new, ${count(result.alreadyThere)} already there${result.skipped === 0 ? "" : `, ${count(result.skipped)} without a value`}`,
    );
  },
});
