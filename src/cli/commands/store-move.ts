/** memoir store move */
import type { MovedFiles } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../format.ts";
import { withProgress } from "../progress.ts";
import { accessOf, cloudOption, needed, projectOptionsOf, sourceOptions } from "../store-options.ts";

export const command = defineCommand<MovedFiles>({
  name: "store move",
  summary: "Move the rows of a model to another project or access",
  details: [
    "Files are moved one by one: each is removed only after its copy was read back and has the same digest. Rows that others write meanwhile stay where they are. An interrupted move resumes when you repeat the command.",
  ],
  options: [
    ...sourceOptions,
    { flags: "--to <project>", description: "project to move to" },
    {
      flags: "--to-access <who>",
      description: "part of that project",
      default: "private",
      choices: ["public", "private"],
    },
    cloudOption,
  ],
  examples: [
    {
      command:
        "memoir example -n 3 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir store write -i out.csv -m eos3b5e -pn screening && memoir store move -m eos3b5e -pn screening --access private --to screening --to-access public",
    },
  ],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) => {
      const store = await (await app()).projectStore();
      const toAccess = accessOf(given, "to-access");
      return await store.move(
        {
          ...projectOptionsOf(given),
          model: needed(given, "model", "move"),
          toProject: needed(given, "to", "move"),
          ...defined({ toAccess }),
        },
        emit,
        ask,
      );
    }),
  render: ({ files, model, release, from, to }, screen) => {
    screen.out(`moved ${plural(files, "file")} of ${model} ${release} from ${from.join(" and ")} to ${to}`);
  },
});
