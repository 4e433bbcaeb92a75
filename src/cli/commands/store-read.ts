/** memoir store read */

import { defined } from "../../kernel/index.ts";
import type { RunResult } from "../../predict/index.ts";
import { defineCommand } from "../command.ts";
import { refusedFlag } from "../ersilia-flags.ts";
import { count, plural } from "../format.ts";
import { withProgress } from "../progress.ts";
import {
  cloudOption,
  inputColumnOption,
  isauraOption,
  needed,
  projectOptionsOf,
  sourceOptions,
} from "../store-options.ts";

export const command = defineCommand<RunResult>({
  name: "store read",
  summary: "Look up the inputs of a file in a project",
  details: [
    "Writes one row per input, in their order; values that are not stored are \\N. Nothing is computed, and the exit code is 0 also when inputs are not stored.",
    "With --isaura a project of Isaura's is read in place: its chunk files of the newest version, or of --version. Its index and its Bloom filter are not read, and nothing is unpickled.",
  ],
  options: [
    {
      flags: "-i, --input <file>",
      description: "inputs: .csv, .tsv, .smi or .json",
      aliases: ["--input-file"],
    },
    {
      flags: "-o, --output <file>",
      description: "rows: .csv, .tsv, .json or .h5",
      aliases: ["--output-file"],
    },
    inputColumnOption,
    ...sourceOptions,
    isauraOption,
    cloudOption,
    refusedFlag("--approximate", "a similar molecule is not the same; `memoir similar` finds neighbours", {
      aliases: ["-nn"],
    }),
  ],
  examples: [
    {
      command:
        "memoir example -n 3 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir store write -i out.csv -m eos3b5e -pn screening && memoir store read -i in.csv -m eos3b5e -pn screening -o found.csv",
    },
  ],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) => {
      const store = await (await app()).projectStore();
      return await store.read(
        {
          ...projectOptionsOf(given),
          model: needed(given, "model", "read"),
          input: needed(given, "input", "read"),
          output: needed(given, "output", "read"),
          ...defined({ column: given.text("column") }),
        },
        emit,
        ask,
      );
    }),
  render: (result, screen) => {
    const { counts } = result;
    screen.out(
      `found ${count(counts.reusedCloud)} of ${plural(result.rows, "row")} of ${result.model} ${result.release}; written to ${result.output}`,
    );
  },
});
