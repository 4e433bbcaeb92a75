/** memoir store catalog */
import type { ProjectCatalog } from "../../app/index.ts";
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

export const command = defineCommand<ProjectCatalog>({
  name: "store catalog",
  summary: "List the models of every project",
  details: ["Reads only the ends of the files, so it is fast also where millions of rows are stored."],
  options: [
    projectOption,
    readAccessOption,
    isauraOption,
    { flags: "-v, --version <version>", description: "with --isaura: only this version" },
    cloudOption,
  ],
  examples: [
    {
      command:
        "memoir example -n 3 -o in.csv && memoir run --model eos3b5e -i in.csv -o out.csv && memoir store write -i out.csv -m eos3b5e -pn screening && memoir store catalog",
    },
  ],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) => {
      const store = await (await app()).projectStore();
      return await store.catalog(projectOptionsOf(given), emit, ask);
    }),
  render: ({ place, rows }, screen) => {
    if (rows.length === 0) return screen.out(`no project in ${place}`);
    const cells = rows.map((row) => [
      row.project,
      row.access ?? "",
      row.model,
      row.release ?? "",
      count(row.rows),
      row.files === undefined ? "" : plural(row.files, "file"),
    ]);
    for (const line of table([["project", "access", "model", "release", "rows", ""], ...cells]))
      screen.out(line);
  },
});
