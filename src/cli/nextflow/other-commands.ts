/** All commands of `nextflow` but `run`: each answers its exit code. */
import { arch, platform, release } from "node:os";
import { AppError, defined } from "../../kernel/index.ts";
import { version } from "../version.ts";
import { configurationOptionsOf, last, type NextflowContext, projectOptionsOf } from "./run.ts";
import { type OptionTable, readCommandWords, runOptions } from "./words.ts";

const chosenRuns: OptionTable = {
  "-before": { arity: "one", as: "before" },
  "-after": { arity: "one", as: "after" },
  "-but": { arity: "one", as: "but" },
  "-q": { arity: "none", as: "quiet" },
  "-quiet": { arity: "none", as: "quiet" },
};

const logOptions: OptionTable = {
  ...chosenRuns,
  "-s": { arity: "one", as: "separator" },
  "-f": { arity: "one", as: "fields" },
  "-fields": { arity: "one", as: "fields" },
  "-t": { arity: "one", as: "template" },
  "-template": { arity: "one", as: "template" },
  "-l": { arity: "none", as: "list" },
  "-list-fields": { arity: "none", as: "list" },
  "-F": { arity: "one", as: "filter" },
  "-filter": { arity: "one", as: "filter" },
};

export async function logCommand(words: readonly string[], context: NextflowContext): Promise<number> {
  const { options, words: names } = readCommandWords(words, logOptions, "log");
  const { screen, app } = context;
  const { nextflow } = app.workflows;
  if (options.has("list")) {
    for (const field of await nextflow.logFields()) screen.out(`  ${field}`);
    return 0;
  }
  const fields = last(options, "fields");
  if (fields !== undefined && options.has("template"))
    throw new AppError("CLI_USAGE", "Options `-f` and `-t` cannot be used in the same command");
  const rows = await nextflow.log({
    names,
    separator: (last(options, "separator") ?? "\t").replaceAll("\\t", "\t").replaceAll("\\n", "\n"),
    ...defined({
      fields: fields?.split(/[,\s]+/).filter((each) => each !== ""),
      template: last(options, "template"),
      filter: last(options, "filter"),
      ...chosen(options),
    }),
  });
  const isHistory = rows.every(({ tasks }) => tasks === undefined);
  if (!isHistory) {
    for (const task of rows.flatMap(({ tasks = [] }) => tasks)) screen.out(task);
    return 0;
  }
  if (options.has("quiet")) {
    for (const { runName } of rows) screen.out(runName);
    return 0;
  }
  const table = [
    ["TIMESTAMP", "DURATION", "RUN NAME", "STATUS", "REVISION ID", "SESSION ID", "COMMAND"],
    ...rows.map((row) => [
      row.timestamp,
      row.duration,
      row.runName,
      row.status,
      row.revision.slice(0, 10),
      row.session,
      row.command,
    ]),
  ];
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of table)
    screen.out(
      row
        .map((each, column) => each.padEnd(widths[column] ?? 0))
        .join("\t")
        .trimEnd(),
    );
  return 0;
}

const cleanOptions: OptionTable = {
  ...chosenRuns,
  "-n": { arity: "none", as: "dry-run" },
  "-dry-run": { arity: "none", as: "dry-run" },
  "-f": { arity: "none", as: "force" },
  "-force": { arity: "none", as: "force" },
  "-k": { arity: "none", as: "keep-logs" },
  "-keep-logs": { arity: "none", as: "keep-logs" },
};

export async function cleanCommand(words: readonly string[], context: NextflowContext): Promise<number> {
  const { options, words: names } = readCommandWords(words, cleanOptions, "clean");
  const { screen, app } = context;
  await app.workflows.nextflow.clean(
    {
      names,
      dryRun: options.has("dry-run"),
      force: options.has("force"),
      keepLogs: options.has("keep-logs"),
      ...defined(chosen(options)),
    },
    ({ workdir, dryRun, keepLogs }) => {
      if (!dryRun && options.has("quiet")) return;
      screen.out(`${dryRun ? "Would remove" : "Removed"} ${keepLogs ? "temp files from " : ""}${workdir}`);
    },
  );
  return 0;
}

function chosen(options: ReadonlyMap<string, readonly string[]>) {
  return { before: last(options, "before"), after: last(options, "after"), but: last(options, "but") };
}

const configOptions: OptionTable = {
  "-r": { arity: "one", as: "revision" },
  "-revision": { arity: "one", as: "revision" },
  "-a": { arity: "none", as: "show-profiles" },
  "-show-profiles": { arity: "none", as: "show-profiles" },
  "-profile": { arity: "one", as: "profile" },
  "-properties": { arity: "none", as: "properties" },
  "-flat": { arity: "none", as: "flat" },
  "-sort": { arity: "none", as: "sort" },
  "-value": { arity: "one", as: "value" },
  "-o": { arity: "one", as: "output" },
  "-output": { arity: "one", as: "output" },
  "-c": { arity: "one", as: "config" },
  "-C": { arity: "one", as: "only-config" },
};

export async function configCommand(words: readonly string[], context: NextflowContext): Promise<number> {
  const { options, words: projects } = readCommandWords(words, configOptions, "config");
  const formats = ["flat", "properties", "value", "output"].filter((name) => options.has(name));
  const [one, two] = formats;
  if (one !== undefined && two !== undefined)
    throw new AppError("CLI_USAGE", `Options \`-${one}\` and \`-${two}\` conflict with each other`);
  const text = await context.app.workflows.nextflow.configuration(
    {
      ...configurationOptionsOf({ options, params: [] }, context.globals),
      showProfiles: options.has("show-profiles"),
      sorted: options.has("sort"),
      format:
        last(options, "output") ??
        (options.has("flat") ? "flat" : options.has("properties") ? "properties" : "canonical"),
      ...defined({
        project: projects[0],
        revision: last(options, "revision"),
        value: last(options, "value"),
      }),
    },
    context.ask,
  );
  process.stdout.write(text);
  return 0;
}

const inspectOptions: OptionTable = {
  ...runOptions,
  "-format": { arity: "one", as: "format" },
  "-concretize": { arity: "none", as: "ignored" },
  "-ignore-errors": { arity: "none", as: "ignored" },
  "-i": { arity: "none", as: "ignored" },
};

export async function inspectCommand(words: readonly string[], context: NextflowContext): Promise<number> {
  const read = readCommandWords(words, inspectOptions, "inspect");
  const [project] = read.words;
  if (project === undefined) throw new AppError("CLI_USAGE", "No project name was specified");
  const format = last(read.options, "format") ?? "json";
  if (format !== "json" && format !== "config")
    throw new AppError("CLI_USAGE", `Invalid format for inspect: '${format}'; there are json and config`);
  const processes = await context.app.workflows.nextflow.inspect(
    { ...configurationOptionsOf(read, context.globals), ...projectOptionsOf(read, project) },
    context.ask,
  );
  if (format === "json") context.screen.out(JSON.stringify({ processes }, undefined, 4));
  else
    for (const { name, container } of processes)
      if (container !== null)
        context.screen.out(`process { withName: '${name}' { container = '${container}' } }`);
  return 0;
}

export async function listCommand(context: NextflowContext): Promise<number> {
  const all = await context.app.workflows.nextflow.list();
  for (const name of all) context.screen.out(name);
  if (all.length === 0) context.screen.out("(none)");
  return 0;
}

export async function pullCommand(words: readonly string[], context: NextflowContext): Promise<number> {
  const read = readCommandWords(words, runOptions, "pull");
  const [project] = read.words;
  if (project === undefined) throw new AppError("CLI_USAGE", "Missing argument -- name of a project");
  context.screen.out(`Checking ${project} ...`);
  const options = projectOptionsOf(read, project);
  const { revision } = await context.app.workflows.nextflow.pull({ ...options, latest: true }, context.ask);
  context.screen.out(` done - revision: ${revision}`);
  return 0;
}

export async function secretsCommand(
  [action, name, value, ...more]: readonly string[],
  { app, screen }: NextflowContext,
): Promise<number> {
  const store = await app.workflows.nextflow.secrets();
  const given = [name, value].filter((each) => each !== undefined).length + more.length;
  const expected = (count: number, form: string) => {
    if (given !== count) throw new AppError("CLI_USAGE", `expected: nextflow secrets ${form}`);
  };
  switch (action) {
    case "list":
      expected(0, "list");
      for (const each of store.list()) screen.out(each);
      return 0;
    case "get":
      expected(1, "get NAME");
      screen.out(store.get(name ?? ""));
      return 0;
    case "set":
    case "put":
      expected(2, "set NAME VALUE");
      store.set(name ?? "", value ?? "");
      return 0;
    case "delete":
      expected(1, "delete NAME");
      store.delete(name ?? "");
      return 0;
    default:
      throw new AppError(
        "CLI_USAGE",
        "expected: nextflow secrets list, get NAME, set NAME VALUE or delete NAME",
      );
  }
}

const keptOptions: OptionTable = {
  "-r": { arity: "one", as: "revision" },
  "-revision": { arity: "one", as: "revision" },
  "-d": { arity: "none", as: "ignored" },
  "-dd": { arity: "none", as: "ignored" },
  "-u": { arity: "none", as: "ignored" },
  "-check-updates": { arity: "none", as: "ignored" },
  "-o": { arity: "one", as: "format" },
  "-output": { arity: "one", as: "format" },
};

export async function infoCommand(words: readonly string[], context: NextflowContext): Promise<number> {
  const { options, words: names } = readCommandWords(words, keptOptions, "info");
  const { screen, app, ask } = context;
  const [name] = names;
  if (name === undefined) {
    screen.out(`  Version: ${app.workflows.nextflow.version} (Memoir ${version()})`);
    screen.out(`  System: ${platform()} ${release()} ${arch()}`);
    screen.out(`  Runtime: Node.js ${process.version}`);
    return 0;
  }
  const facts = await app.workflows.nextflow.facts({ name, ...revisionIn(options) }, ask);
  const format = last(options, "format") ?? "text";
  if (format === "json") screen.out(JSON.stringify(facts, undefined, 4));
  else if (format === "yaml") process.stdout.write((await import("yaml")).stringify(facts));
  else if (format !== "text") throw new AppError("CLI_USAGE", `Unknown output format: ${format}`);
  else {
    screen.out(` project name: ${facts.name}`);
    screen.out(` repository  : ${facts.repository}`);
    screen.out(` local path  : ${facts.folder}`);
    screen.out(` main script : ${facts.mainScript}`);
    if (facts.homePage !== undefined && facts.homePage !== facts.repository)
      screen.out(` home page   : ${facts.homePage}`);
    if (facts.description !== undefined) screen.out(` description : ${facts.description}`);
    if (facts.author !== undefined) screen.out(` author      : ${facts.author}`);
    screen.out(" revisions   : ");
    for (const { name: revision, kind, isDefault } of facts.revisions)
      screen.out(
        ` ${isDefault ? "*" : " "} ${revision}${isDefault ? " (default)" : kind === "tag" ? " [t]" : ""}`,
      );
  }
  return 0;
}

const viewOptions: OptionTable = {
  "-r": { arity: "one", as: "revision" },
  "-revision": { arity: "one", as: "revision" },
  "-q": { arity: "none", as: "quiet" },
  "-l": { arity: "none", as: "list" },
};

export async function viewCommand(words: readonly string[], context: NextflowContext): Promise<number> {
  const { options, words: names } = readCommandWords(words, viewOptions, "view");
  const name = projectIn(names);
  const isList = options.has("list");
  const { path, text } = await context.app.workflows.nextflow.text(
    { name, list: isList, ...revisionIn(options) },
    context.ask,
  );
  if (!options.has("quiet")) context.screen.out(`== content of ${isList ? "path" : "file"}: ${path}`);
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  return 0;
}

const dropOptions: OptionTable = {
  "-r": { arity: "one", as: "revision" },
  "-revision": { arity: "one", as: "revision" },
  "-f": { arity: "none", as: "ignored" },
};

export async function dropCommand(words: readonly string[], context: NextflowContext): Promise<number> {
  const { options, words: names } = readCommandWords(words, dropOptions, "drop");
  if (options.has("revision"))
    throw new AppError(
      "CLI_USAGE",
      "drop -r is not offered: without it a pipeline is removed with all its revisions",
    );
  await context.app.workflows.nextflow.drop({ name: projectIn(names) }, context.ask);
  return 0;
}

const cloneOptions: OptionTable = {
  "-r": { arity: "one", as: "revision" },
  "-revision": { arity: "one", as: "revision" },
  "-hub": { arity: "one", as: "hub" },
  "-d": { arity: "one", as: "ignored" },
  "-deep": { arity: "one", as: "ignored" },
};

export async function cloneCommand(words: readonly string[], context: NextflowContext): Promise<number> {
  const { options, words: names } = readCommandWords(words, cloneOptions, "clone");
  const name = projectIn(names);
  const folder = await context.app.workflows.nextflow.clone(
    { name, ...revisionIn(options), ...defined({ hub: last(options, "hub") }) },
    names[1],
    context.ask,
  );
  context.screen.out(`${name} cloned to: ${folder}`);
  return 0;
}

function projectIn([name]: readonly string[]): string {
  if (name === undefined) throw new AppError("CLI_USAGE", "Missing argument -- name of a project");
  return name;
}

function revisionIn(options: ReadonlyMap<string, readonly string[]>): { readonly revision?: string } {
  return defined({ revision: last(options, "revision") });
}
