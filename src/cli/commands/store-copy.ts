/** memoir store copy */
import type { MovedRows } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { count, plural } from "../format.ts";
import { withProgress } from "../progress.ts";
import {
  accessOf,
  cloudOption,
  isauraOption,
  needed,
  projectOptionsOf,
  sourceOptions,
} from "../store-options.ts";

export const command = defineCommand<MovedRows & { readonly files?: readonly string[] }>({
  name: "store copy",
  summary: "Copy the rows of a model to another project or place",
  details: [
    "Rows that are there are not written again, so you can repeat the command.",
    "--to-isaura adds chunk files to a project of Isaura's, which its queries read. Isaura's index and Bloom filter are not written: see the page of the command.",
  ],
  options: [
    ...sourceOptions,
    isauraOption,
    { flags: "--to <project>", description: "project to copy to" },
    {
      flags: "--to-access <who>",
      description: "part of that project",
      default: "private",
      choices: ["public", "private", "both"],
    },
    {
      flags: "-o, --output-dir <place>",
      description: "copy to this folder or s3:// prefix, which becomes a cache",
    },
    {
      flags: "--to-isaura <place>",
      description: "add chunk files to a project of Isaura's: s3://bucket or a folder",
    },
    {
      flags: "--to-version <version>",
      description: "with --to-isaura: version of the model there",
      default: "v1",
    },
    cloudOption,
  ],
  examples: [
    {
      command:
        "memoir example -n 3 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir store write -i out.csv -m eos3b5e -pn screening && memoir store copy -m eos3b5e -pn screening --to published --to-access public",
    },
  ],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) => {
      const store = await (await app()).projectStore();
      const toAccess = accessOf(given, "to-access");
      return await store.copy(
        {
          ...projectOptionsOf(given),
          model: needed(given, "model", "copy"),
          ...defined({ toProject: given.text("to"), toAccess, toPlace: given.text("output-dir") }),
          ...defined({ toIsaura: given.text("to-isaura"), toVersion: given.text("to-version") }),
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
