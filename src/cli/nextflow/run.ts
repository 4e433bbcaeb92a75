/** `nextflow run` */
import type { App, NextflowRunOptions } from "../../app/index.ts";
import { AppError, type Ask, defined } from "../../kernel/index.ts";
import type { Screen } from "../screen.ts";
import { AgentConsole } from "./agent-console.ts";
import { NextflowConsole } from "./console.ts";
import { type ReadWords, readCommandWords, runOptions } from "./words.ts";

export interface NextflowContext {
  readonly app: App;
  readonly screen: Screen;
  readonly ask: Ask;
  /** Options before the command. */
  readonly globals: ReadonlyMap<string, readonly string[]>;
  /** Everything after `memoir`. */
  readonly line: readonly string[];
}

/** Answers the exit code. */
export async function runCommand(words: readonly string[], context: NextflowContext): Promise<number> {
  const { app, screen, ask, globals } = context;
  const read = readCommandWords(words, runOptions, "run");
  const options = runOptionsOf(read, context);
  for (const [name, text] of notDone) if (read.options.has(name)) screen.say(`WARN: ${text}`);
  const quiet = globals.has("quiet") || read.options.has("quiet");
  const isTerminal = process.stdout.isTTY === true;
  const asked =
    last(read.options, "ansi-log") ?? (read.options.has("ansi") ? "true" : process.env["NXF_ANSI_LOG"]);
  const write = (text: string) => void process.stdout.write(text);
  const agent = isOn(process.env["NXF_AGENT_MODE"]) ? new AgentConsole(write) : undefined;
  const console = new NextflowConsole({
    write,
    quiet,
    table: asked === undefined ? isTerminal : asked === "true",
    moves: isTerminal,
    columns: process.stdout.columns ?? 200,
  });
  try {
    const result = await app.workflows.nextflow.run(options, (event) => (agent ?? console).event(event), ask);
    agent?.end(result);
    const { state, exitCode = 1 } = result;
    return state === "succeeded" ? 0 : state === "failed" ? exitCode : 130;
  } finally {
    console.end();
  }
}

function isOn(value: string | undefined): boolean {
  return value === "true" || value === "1";
}

/** Options that have no effect here, and why. */
const notDone: readonly (readonly [string, string])[] = [
  ["tower", "-with-tower has no effect: Memoir sends nothing to Seqera Platform"],
  ["wave", "-with-wave has no effect: Memoir does not use the service Wave"],
  ["fusion", "-with-fusion has no effect: Memoir does not use the file system Fusion"],
  ["weblog", "-with-weblog has no effect: Memoir sends no messages"],
  ["notification", "-with-notification has no effect: Memoir sends no mail"],
  ["cloudcache", "-with-cloudcache has no effect: use --cache s3://bucket/prefix before `run`"],
  ["bucket-dir", "-bucket-dir has no effect: tasks work on this machine"],
  ["test", "-test has no effect"],
];

function runOptionsOf(read: ReadWords, { globals, line }: NextflowContext): NextflowRunOptions {
  const [project, ...rest] = read.words;
  if (project === undefined)
    throw new AppError(
      "CLI_USAGE",
      "No project name was specified -- usage: nextflow run [options] SCRIPT|FOLDER|REPOSITORY",
    );
  const one = (name: string) => last(read.options, name);
  const cacheWord = one("cache");
  const isSwitch = cacheWord === "true" || cacheWord === "false";
  const report = (name: string) => {
    const value = one(name);
    return value === undefined ? undefined : value === "true" ? true : value;
  };
  const [dumped, hashes] = [one("dump-channels"), one("dump-hashes")];
  return {
    ...configurationOptionsOf(read, globals),
    ...projectOptionsOf(read, project),
    stub: read.options.has("stub"),
    preview: read.options.has("preview"),
    settings: settingsOf(read),
    arguments: rest,
    commandLine: ["nextflow", ...line].map(shellWord).join(" "),
    cacheOff: cacheWord === "false",
    ...defined({
      dumped: dumped === undefined ? undefined : dumped === "true" ? [] : dumped.split(","),
      dumpHashes:
        hashes === undefined ? undefined : hashes === "json" ? ("json" as const) : ("lines" as const),
      entry: one("entry"),
      notify: one("notify"),
      libraries: one("lib")
        ?.split(/[,:]/)
        .filter((each) => each !== ""),
      runName: one("name"),
      resume: one("resume"),
      workDir: one("work-dir"),
      outputDir: one("output-dir"),
      outputFormat: outputFormatOf(one("output-format")),
      trace: report("trace"),
      report: report("report"),
      timeline: report("timeline"),
      dag: report("dag"),
      logFile: last(globals, "log"),
      cache: last(globals, "cache") ?? (isSwitch ? undefined : cacheWord),
    }),
  };
}

function outputFormatOf(asked: string | undefined): NextflowRunOptions["outputFormat"] {
  if (asked === undefined || asked === "text" || asked === "json" || asked === "none") return asked;
  throw new AppError(
    "CLI_USAGE",
    `nextflow run: Not a valid value for parameter -output-format: ${asked} -- there are text, json, none`,
  );
}

export function configurationOptionsOf(
  { options, params }: Pick<ReadWords, "options" | "params">,
  globals: ReadonlyMap<string, readonly string[]>,
): Pick<NextflowRunOptions, "profiles" | "configs" | "onlyConfigs" | "params" | "paramsFile"> {
  const all = (name: string) =>
    [...(globals.get(name) ?? []), ...(options.get(name) ?? [])].flatMap((each) => each.split(","));
  return {
    profiles: (options.get("profile") ?? [process.env["NXF_PROFILE"] ?? ""])
      .flatMap((each) => each.split(","))
      .filter((each) => each !== ""),
    configs: all("config"),
    onlyConfigs: all("only-config"),
    params,
    ...defined({ paramsFile: last(options, "params-file") }),
  };
}

export function projectOptionsOf(
  { options }: Pick<ReadWords, "options">,
  project: string,
): Pick<NextflowRunOptions, "project" | "mainScript" | "revision" | "hub" | "latest" | "offline"> {
  return {
    project,
    latest: options.has("latest"),
    offline: options.has("offline") || process.env["NXF_OFFLINE"] === "true",
    ...defined({
      mainScript: last(options, "main-script"),
      revision: last(options, "revision"),
      hub: last(options, "hub"),
    }),
  };
}

const engines = ["docker", "podman", "singularity", "apptainer", "charliecloud"] as const;

/** `-process.cpus 2`, `-e.NAME=value`, `-with-docker image` as settings. */
export function settingsOf({
  options,
  settings,
}: Pick<ReadWords, "options" | "settings">): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [path, text] of settings) found[path.replace(/^e\./, "env.")] = settingValue(path, text);
  for (const engine of engines) {
    const image = last(options, engine);
    if (image === undefined) continue;
    found[`${engine}.enabled`] = true;
    if (image !== "true") found["process.container"] = image;
  }
  if (options.has("without-docker")) found["docker.enabled"] = false;
  if (options.has("without-podman")) found["podman.enabled"] = false;
  if (options.has("without-conda")) found["conda.enabled"] = false;
  if (options.has("without-spack")) found["spack.enabled"] = false;
  for (const tool of ["conda", "spack"]) {
    const environment = last(options, tool);
    if (environment === undefined) continue;
    found[`${tool}.enabled`] = true;
    if (environment !== "true") found[`process.${tool}`] = environment;
  }
  if (options.has("export-env"))
    for (const [name, value] of Object.entries(process.env)) found[`env.${name}`] = value;
  return found;
}

function settingValue(path: string, text: string): unknown {
  if (path.startsWith("e.")) return text;
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

export function last(options: ReadonlyMap<string, readonly string[]>, name: string): string | undefined {
  return options.get(name)?.at(-1);
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
