/** memoir nextflow …: Nextflow's own command line. */
import { AppError, asAppError, didYouMean, isAppError } from "../../kernel/index.ts";
import { type Context, defineCommand } from "../command.ts";
import { exitCodeOf } from "../exit-codes.ts";
import { version } from "../version.ts";

const names = [
  "run",
  "log",
  "clean",
  "config",
  "inspect",
  "list",
  "pull",
  "secrets",
  "info",
  "view",
  "clone",
  "drop",
  "help",
] as const;

export const command = defineCommand<{ readonly code: number }>({
  name: "nextflow",
  summary: "Run a Nextflow pipeline with the command line of Nextflow",
  details: [
    "The commands are run, log, clean, config, inspect, list, pull, secrets, info, view, clone and drop, with the options of Nextflow: one dash, before or after the script. --name value sets a parameter of the pipeline.",
    "A run leaves what Nextflow leaves: .nextflow.log, .nextflow/history, and work/ab/cdef… with the files .command.sh, .command.out, .command.err and .exitcode of each task. -resume reuses what earlier runs of this folder have computed.",
    "--cache PLACE before the command, or -cache PLACE after run, reuses what other folders, pipelines and people have recorded in a cache of Memoir, and records there.",
    "Exits with 1 if the run failed or the command line is wrong, and with 130 if it was stopped.",
  ],
  arguments: [
    { name: "COMMAND", description: "one of Nextflow's commands, after Nextflow's general options" },
    { name: "WORDS", description: "options and arguments of the command", many: true },
  ],
  foreignWords: true,
  options: [],
  examples: [
    {
      command: "memoir nextflow run hello.nf --name Ada -ansi-log false",
      note: "a second run with -resume reuses every task",
    },
    { command: "memoir nextflow run hello.nf -name first && memoir nextflow log first -f name,status,exit" },
  ],
  act: async (given, context) => {
    try {
      return { code: await dispatched(given.argumentsFrom(0), context) };
    } catch (thrown) {
      const error = asAppError(thrown) ?? thrown;
      if (!isAppError(error)) throw error;
      const code = exitCodeOf(error);
      // Programs that read what Nextflow prints find its errors there, too.
      if (code === 130) context.screen.say("stopped");
      else if (code === 70) throw error;
      else process.stdout.write(`ERROR ~ ${error.message}\n`);
      return { code: code === 130 ? 130 : 1 };
    }
  },
  render: () => {},
  exitCode: ({ code }) => code,
});

async function dispatched(words: readonly string[], { app, screen, ask }: Context): Promise<number> {
  const { readGlobalWords } = await import("../nextflow/words.ts");
  const { options: globals, command: name, rest } = readGlobalWords(words);
  const loaded = await app();
  const spoken = loaded.workflows.nextflow.version();
  if (globals.has("version")) {
    screen.out("");
    screen.out("      N E X T F L O W");
    screen.out(`      version ${spoken} build 0`);
    screen.out(`      spoken by Memoir ${version()}`);
    screen.out("");
    return 0;
  }
  if (globals.has("v")) {
    screen.out(`nextflow version ${spoken}.0`);
    return 0;
  }
  if (name === undefined || name === "help" || globals.has("help")) {
    screen.out(usage);
    return name === undefined && !globals.has("help") ? 1 : 0;
  }
  if (name === "run" && isBackground(globals, rest))
    return (await import("../nextflow/background.ts")).startInBackground(words);
  const context = { app: loaded, screen, ask, globals, line: words };
  const others = () => import("../nextflow/other-commands.ts");
  switch (name) {
    case "run":
      return (await import("../nextflow/run.ts")).runCommand(rest, context);
    case "log":
      return (await others()).logCommand(rest, context);
    case "clean":
      return (await others()).cleanCommand(rest, context);
    case "config":
      return (await others()).configCommand(rest, context);
    case "inspect":
      return (await others()).inspectCommand(rest, context);
    case "list":
      return (await others()).listCommand(context);
    case "pull":
      return (await others()).pullCommand(rest, context);
    case "secrets":
      return (await others()).secretsCommand(rest, context);
    case "info":
      return (await others()).infoCommand(rest, context);
    case "view":
      return (await others()).viewCommand(rest, context);
    case "drop":
      return (await others()).dropCommand(rest, context);
    case "clone":
      return (await others()).cloneCommand(rest, context);
    default: {
      const near = didYouMean(name, names);
      throw new AppError(
        "CLI_USAGE",
        `Unknown command: ${name}${near === undefined ? `; there are ${names.join(", ")}` : ` -- Did you mean '${near}'?`}`,
      );
    }
  }
}

function isBackground(globals: ReadonlyMap<string, readonly string[]>, rest: readonly string[]): boolean {
  return globals.has("background") || rest.includes("-bg");
}

const usage = `Usage: nextflow [options] COMMAND [arg...]

Options:
  -C                     Use the specified configuration file(s) instead of all others
  -c, -config            Add the specified file to the configuration
  -log                   Set the path of the log file
  -q, -quiet             Do not print information messages
  -v, -version           Print the version
  --cache                Cache of Memoir that is shared between runs: a name, a folder or s3://bucket/prefix

Commands:
  run        Run a pipeline
  log        Print the runs of this folder and their tasks
  clean      Remove the work folders of runs
  config     Print the configuration of a pipeline
  inspect    Print the containers of a pipeline
  list       List the pipelines that are kept on this machine
  pull       Fetch a pipeline, or what is new of it
  secrets    Keep values that only tasks see: list, get, set, delete
  view       Print the main script of a pipeline that is kept
  clone      Copy a pipeline into a folder
  drop       Remove a pipeline that is kept
  info       Print what is known of a pipeline, or the version and the system`;
