/** memoir catalog [MODEL] */

import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import type { CatalogResult, HubResult } from "../../app/index.ts";
import { AppError, defined } from "../../kernel/index.ts";
import { type Context, defineCommand, type Given } from "../command.ts";
import { count, plural, table } from "../format.ts";
import { hubListOption } from "../hub-options.ts";
import type { Screen } from "../screen.ts";

export const command = defineCommand<CatalogResult | HubResult>({
  name: "catalog",
  summary: "List the available models",
  details: [
    "Lists built-in and fetched models. With MODEL and --card, shows all metadata of the model.",
    "With --hub: the models of the hub's published list, with the rows of each that the caches hold. The list that was read last is kept, and shown with a warning where its source does not answer.",
  ],
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
    { flags: "--hub", description: "list the models of the hub" },
    { ...hubListOption, description: `with --hub: ${hubListOption.description}` },
    {
      flags: "--offline",
      description: "with --hub: show the list that was read last",
      conflicts: ["hub-list"],
    },
    { flags: "--tag <tag>", description: "with --hub: only models with this tag" },
    { flags: "-l, --local", description: "accepted; the list always shows local models", legacy: true },
    { flags: "--less", description: "accepted; the short list is the default", legacy: true },
    { flags: "-t, --as-table", description: "accepted; a table is the default", legacy: true },
  ],
  examples: [{ command: "memoir catalog molecular-weight --card" }, { command: "memoir catalog --more" }],
  act: async (given, context) => {
    const { app, ask, screen } = context;
    const model = given.argument(0);
    if (given.is("card") && model === undefined)
      throw new AppError("CLI_USAGE", "memoir catalog: --card needs a MODEL");
    const hubOnly = ["hub-list", "tag"].find((name) => given.text(name) !== undefined);
    if (given.is("hub") || hubOnly === "hub-list") return await hub(given, context);
    if (hubOnly !== undefined || given.is("offline"))
      throw new AppError("CLI_USAGE", `memoir catalog: --${hubOnly ?? "offline"} goes with --hub`);
    const all = await (await app()).catalog(defined({ model }), ask);
    const task = given.text("task");
    const result =
      task === undefined
        ? all
        : { ...all, models: all.models.filter((row) => row.task.split(", ").includes(task)) };
    const output = given.text("output");
    if (output !== undefined) {
      await writeList(output, result.models);
      screen.say(`written to ${output}`);
    }
    for (const { id, problem } of result.broken)
      screen.say(`${screen.paint.yellow("warning:")} ${id}: ${problem}`);
    return result;
  },
  render: (result, screen, given) => {
    if (given.is("card")) return screen.out(JSON.stringify(result.card, null, 2));
    if ("total" in result) return renderHub(result, screen, given);
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

async function hub(given: Given, { app, ask, screen }: Context): Promise<HubResult> {
  const { tag, task, place } = {
    tag: given.text("tag"),
    task: given.text("task"),
    place: given.text("hub-list"),
  };
  const result = await (await app()).hubCatalog(
    {
      offline: given.is("offline"),
      ...defined({ model: given.argument(0), tag, task, place }),
    },
    ask,
  );
  if (result.copy !== undefined && !given.is("offline"))
    screen.say(`${screen.paint.yellow("warning:")} ${result.copy}; this is the list of ${result.readAt}`);
  for (const problem of result.problems) screen.say(`${screen.paint.yellow("warning:")} ${problem}`);
  const output = given.text("output");
  if (output !== undefined) {
    await writeList(output, result.models);
    screen.say(`written to ${output}`);
  }
  return result;
}

function renderHub(result: HubResult, screen: Screen, given: Given): void {
  const more = given.is("more");
  const cached = (rows: number | undefined) => (rows === undefined ? "?" : rows === 0 ? "-" : count(rows));
  const head = ["identifier", "slug", "status", "task", "local", "cloud", "here"];
  const rows = result.models.map((model) => [
    model.identifier,
    model.slug,
    model.status,
    model.tasks.join(", "),
    cached(model.local),
    cached(model.cloud),
    model.installed ?? "",
    ...(more ? [model.license, model.publication, model.tags.join(", "), model.title] : []),
  ]);
  const names = more ? [...head, "licence", "publication", "tags", "title"] : head;
  if (rows.length > 0) for (const line of table([names, ...rows])) screen.out(line);
  screen.out(`${plural(result.models.length, "model")} of ${count(result.total)} in ${result.from}`);
}

async function writeList(path: string, models: readonly object[]): Promise<void> {
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
