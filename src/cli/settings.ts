/** Flags that configuration files may set, and a command's flags with what the files say behind them. */
import type { App, Config, Setting, SettingSpec, SettingValue, TaskExecutor } from "../app/index.ts";
import { type ExecutorOrder, executorOptions, takesOption } from "../app/index.ts";
import { AppError, defined } from "../kernel/index.ts";
import type { Context, Given, OptionSpec } from "./command.ts";
import { fromHere } from "./format.ts";
import { longName } from "./parse.ts";
import { share, sizeBytes } from "./quantities.ts";
import { runOptions } from "./run-options.ts";
import { serverOptions } from "./server-options.ts";

/** Of `memoir run WORKFLOW` and `memoir server`; a command takes those that it has. */
const names: readonly string[] = [
  "executor",
  ...executorOptions.map(({ name }) => name),
  "cache",
  "cache-behavior",
  "cache-host-tasks",
  "exclude-unstable",
  "allow-cluster-options",
  "image",
  "copy-inputs",
  "env",
  "max-cpus",
  "gpus",
  "max-memory",
  "clamp-resources",
  "fail",
  "recheck",
  "runs-dir",
  "lenient",
  "js-engine",
  "eval-timeout",
  "js-memory",
  "max-runs",
  "region",
];

const checks: Readonly<Record<string, (text: string) => unknown>> = {
  "max-memory": (text) => sizeBytes(text, "max-memory"),
  "js-memory": (text) => sizeBytes(text, "js-memory"),
  recheck: (text) => share(text, "recheck"),
  "max-cpus": (text) => above(0, text, "max-cpus"),
  gpus: (text) => atLeast(0, text, "gpus"),
  "max-runs": (text) => above(0, text, "max-runs"),
  "max-jobs": (text) => above(0, text, "max-jobs"),
};

function above(least: number, text: string, name: string): void {
  if (!(Number(text) > least))
    throw new AppError("CLI_USAGE", `${name}: expected more than ${least}, got ${text}`);
}

function atLeast(least: number, text: string, name: string): void {
  if (!(Number(text) >= least))
    throw new AppError("CLI_USAGE", `${name}: expected at least ${least}, got ${text}`);
}

const paths: Readonly<Record<string, SettingSpec["path"]>> = { cache: "maybe", "runs-dir": "always" };

/** Schedulers have different words for it. */
const queue = "queue";

export const configOptions: readonly OptionSpec[] = [
  {
    flags: "--profile <name>",
    description: "profile of the configuration files; see `memoir config`",
    default: "their default-profile",
  },
  { flags: "--no-config", description: "read no configuration files" },
];

export interface SettableOption extends SettingSpec {
  readonly description: string;
  readonly default?: string;
}

/** Every setting, with what its flag says of it. */
export function settableOptions(): readonly SettableOption[] {
  const options = new Map(
    [...serverOptions, ...runOptions].map((option) => [longName(option.flags).slice(2), option]),
  );
  const ofExecutors = new Set(["executor", ...executorOptions.map(({ name }) => name)]);
  const specs = names.flatMap((name): readonly SettableOption[] => {
    const option = options.get(name);
    if (option === undefined) return [];
    return [
      {
        name,
        type: typeOf(option),
        description: option.description,
        ...defined({
          choices: option.choices,
          default: option.default,
          path: paths[name],
          check: checks[name],
          ofTasks: ofExecutors.has(name) ? (true as const) : undefined,
        }),
      },
    ];
  });
  const partition = specs.find(({ name }) => name === "partition");
  return partition === undefined ? specs : [...specs, { ...partition, name: queue, meaning: "partition" }];
}

function typeOf({ flags, kind, many }: OptionSpec): SettingSpec["type"] {
  if (!flags.includes("<")) return "switch";
  if (many === true) return "texts";
  return kind === undefined ? "text" : kind;
}

export interface Configured {
  /** Flags; where one is absent, the value of the configuration files. */
  readonly given: Given;
  readonly taskExecutors: readonly TaskExecutor[];
}

/** Reads the files for a command. @throws AppError CONFIG_INVALID, CONFIG_PROFILE_NOT_FOUND, CLI_USAGE */
export async function configured(
  given: Given,
  { app, screen }: Pick<Context, "app" | "screen">,
  workflow?: string,
): Promise<Configured> {
  if (given.is("no-config")) {
    if (given.text("profile") !== undefined)
      throw new AppError("CLI_USAGE", "--profile names a part of the files that --no-config leaves out");
    return { given, taskExecutors: [] };
  }
  const config = await readConfig(await app(), given.text("profile"), workflow);
  for (const note of config.notes) screen.say(`${screen.paint.yellow("warning:")} ${note}`);
  // It may have come with the workflow: users see that it decides how their tasks run.
  const [project] = config.files.filter((file) => file.endsWith("memoir.toml"));
  if (project !== undefined) {
    const { profile } = config;
    const words = profile === undefined ? "" : `, profile ${profile.name}`;
    screen.say(screen.paint.dim(`settings from ${fromHere(project, process.cwd())}${words}`));
  }
  const settings = usedSettings(config, given.text("executor"));
  return { given: withSettings(given, settings), taskExecutors: config.tasks.map(taskExecutor) };
}

export async function readConfig(
  app: App,
  profile: string | undefined,
  workflow: string | undefined,
): Promise<Config> {
  return app.config({ specs: settableOptions(), ...defined({ profile, workflow }) });
}

/** Without options of executors that the tasks do not run on. */
export function usedSettings({ settings }: Config, executorFlag: string | undefined): readonly Setting[] {
  const set = settings.find(({ name }) => name === "executor")?.value;
  const executor = executorFlag ?? (typeof set === "string" ? set : "auto");
  const ofExecutors = new Set(executorOptions.map(({ name }) => name));
  return settings.filter(({ name }) => !ofExecutors.has(name) || takesOption(executor, name));
}

function withSettings(given: Given, settings: readonly Setting[]): Given {
  const values = new Map<string, SettingValue>(settings.map(({ name, value }) => [name, value]));
  const text = (name: string) => {
    const value = values.get(name);
    return given.text(name) ?? (typeof value === "string" ? value : undefined);
  };
  return {
    ...given,
    text,
    count: (name) => {
      const got = text(name);
      return got === undefined ? undefined : Number(got);
    },
    texts: (name) => {
      const [flags, value] = [given.texts(name), values.get(name)];
      return flags.length === 0 && Array.isArray(value) ? value.map(String) : flags;
    },
    is: (name) => given.is(name) || values.get(name) === true,
  };
}

function taskExecutor({ pattern, settings }: Config["tasks"][number]): TaskExecutor {
  const options: Record<string, string | true> = {};
  let name: string | undefined;
  for (const { name: setting, value } of settings)
    if (setting === "executor") name = String(value);
    else if (value === true || typeof value === "string") options[setting] = value;
  return { pattern, options: options as ExecutorOrder["options"], ...defined({ name }) };
}
