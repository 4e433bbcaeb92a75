/** memoir store stats */
import type { ProjectStats } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { count, plural, table } from "../format.ts";
import { withProgress } from "../progress.ts";
import {
  cloudOption,
  isauraOption,
  projectOption,
  projectOptionsOf,
  readAccessOption,
} from "../store-options.ts";

export const command = defineCommand<ProjectStats>({
  name: "store stats",
  summary: "Count the models and rows of all projects",
  details: [],
  options: [
    projectOption,
    readAccessOption,
    isauraOption,
    {
      flags: "-o, --output-dir <folder>",
      description: "also write stats.json, with the catalogue, to this folder",
    },
    cloudOption,
  ],
  examples: [
    {
      command:
        "memoir example -n 3 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir store write -i out.csv -m eos3b5e -pn screening && memoir store stats",
    },
  ],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) => {
      const store = await (await app()).projectStore();
      const outputFolder = given.text("output-dir");
      return await store.stats({ ...projectOptionsOf(given), ...defined({ outputFolder }) }, emit, ask);
    }),
  render: ({ place, projects, models, rows, perModel, output }, screen) => {
    screen.out(
      `${plural(projects, "project")}, ${plural(models, "model")}, ${plural(rows, "row")} in ${place}`,
    );
    const cells = perModel.map((each) => [each.model, each.release ?? "", count(each.rows)]);
    if (cells.length > 0)
      for (const line of table([["model", "release", "rows"], ...cells])) screen.out(line);
    if (output !== undefined) screen.out(`written to ${output}`);
  },
});
