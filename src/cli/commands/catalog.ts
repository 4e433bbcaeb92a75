/** memoir catalog [MODEL] */

import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import type { CatalogResult } from "../../app/index.ts";
import { AppError, defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { table } from "../format.ts";

export const command = defineCommand<CatalogResult>({
  name: "catalog",
  summary: "List the available models",
  details: ["Lists built-in and fetched models. With MODEL and --card, shows all metadata of the model."],
  arguments: [{ name: "MODEL", description: "one model only" }],
  options: [
    { flags: "--card", description: "show all metadata of MODEL" },
    { flags: "--more", description: "also show title, task and origin" },
    {
      flags: "-o, --output <file>",
      description: "write the list to a .csv or .json file",
      aliases: ["-f", "--file-name"],
    },
    {
      flags: "--task <task>",
      description: "only models of this task",
      choices: ["Annotation", "Representation", "Sampling"],
    },
    { flags: "--hub", description: "refused: Memoir does not read the hub's list", legacy: true },
    { flags: "-l, --local", description: "accepted; the list always shows local models", legacy: true },
    { flags: "--less", description: "accepted; the short list is the default", legacy: true },
    { flags: "-t, --as-table", description: "accepted; a table is the default", legacy: true },
  ],
  examples: [{ command: "memoir catalog molecular-weight --card" }, { command: "memoir catalog --more" }],
  act: async (given, { app, ask, screen }) => {
    const model = given.argument(0);
    if (given.is("hub"))
      throw new AppError(
        "CLI_USAGE",
        "memoir catalog: --hub is not supported, because Memoir has no list of the hub's models; `memoir fetch eos4e40` installs one by its identifier",
      );
    if (given.is("card") && model === undefined)
      throw new AppError("CLI_USAGE", "memoir catalog: --card needs a MODEL");
    const all = await (await app()).catalog(defined({ model }), ask);
    const task = given.text("task");
    const result =
      task === undefined
        ? all
        : { ...all, models: all.models.filter((row) => row.task.split(", ").includes(task)) };
    const output = given.text("output");
    if (output !== undefined) {
      await writeList(output, result);
      screen.say(`written to ${output}`);
    }
    for (const { id, problem } of result.broken)
      screen.say(`${screen.paint.yellow("warning:")} ${id}: ${problem}`);
    return result;
  },
  render: (result, screen, given) => {
    if (given.is("card")) return screen.out(JSON.stringify(result.card, null, 2));
    const more = given.is("more");
    const head = [
      "identifier",
      "slug",
      "release",
      "columns",
      "runner",
      ...(more ? ["title", "task", "from"] : []),
    ];
    const rows = result.models.map((model) => [
      model.identifier,
      model.slug,
      model.release,
      String(model.outputDimension),
      model.runner,
      ...(more ? [model.title, model.task, model.from] : []),
    ]);
    const [first = "", ...lines] = table([head, ...rows]);
    screen.out(screen.paint.bold(first));
    for (const line of lines) screen.out(line);
  },
});

async function writeList(path: string, { models }: CatalogResult): Promise<void> {
  const extension = extname(path).toLowerCase();
  if (extension !== ".csv" && extension !== ".json")
    throw new AppError("PREDICT_FORMAT_UNKNOWN", `cannot write the list to ${path}: expected .csv or .json`);
  const cell = (value: unknown) => {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const names = Object.keys(models[0] ?? {});
  const csv = [names, ...models.map((model) => Object.values(model))].map(
    (row) => `${row.map(cell).join(",")}\n`,
  );
  await writeFile(path, extension === ".json" ? `${JSON.stringify(models, null, 2)}\n` : csv.join("")).catch(
    (error: unknown) => {
      throw new AppError("FILE_NOT_WRITABLE", `cannot write ${path}`, { cause: error });
    },
  );
}
