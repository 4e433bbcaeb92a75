/** memoir ersilia …: the command line of Ersilia. The shim `ersilia` passes its words on to it. */
import { AppError, didYouMean } from "../../kernel/index.ts";
import { type Context, defineCommand, type LoadedCommand } from "../command.ts";
import { ersiliaCommand, ersiliaWords } from "../ersilia-flags.ts";
import { commandHelp } from "../help.ts";
import { parseArguments } from "../parse.ts";
import { version } from "../version.ts";

/** Loads the command of Memoir that has this name; without words: of predictions. */
type FindCommand = (name: string) => Promise<LoadedCommand>;

const names = ["catalog", "close", "delete", "dump", "example", "fetch", "info", "run", "serve"] as const;

const usage = [
  "Usage: ersilia [-v] COMMAND [flags]",
  "",
  "Memoir answers Ersilia's command line. Commands:",
  `  ${names.join(", ")}`,
  "",
  "`ersilia COMMAND --help` shows the flags of a command. `memoir --help` lists all commands of Memoir.",
].join("\n");

export function ersiliaOf(find: FindCommand): LoadedCommand {
  return defineCommand<{ readonly code: number }>({
    name: "ersilia",
    summary: "Run predictions with the command line of Ersilia",
    details: [
      `The commands are ${names.slice(0, -1).join(", ")} and ${names.at(-1)}, with the flags of every release of Ersilia that had them. What Memoir does differently, and what it refuses, is listed on the page "From Ersilia to Memoir".`,
    ],
    arguments: [
      { name: "COMMAND", description: "one of Ersilia's commands" },
      { name: "WORDS", description: "flags and arguments of the command", many: true },
    ],
    foreignWords: true,
    options: [],
    examples: [
      {
        command:
          "memoir ersilia serve eos3b5e && memoir ersilia example -n 3 -f in.csv && memoir ersilia -v run -i in.csv -o out.csv",
      },
    ],
    act: async (given, context) => ({ code: await dispatched(given.argumentsFrom(0), find, context) }),
    render: () => {},
    exitCode: ({ code }) => code,
  });
}

async function dispatched(words: readonly string[], find: FindCommand, context: Context): Promise<number> {
  const verbose = /^(-v|--verbose|-s|--silent)$/;
  const at = words.findIndex((word) => !verbose.test(word));
  const first = at < 0 ? undefined : words[at];
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    context.screen.out(usage);
    return first === undefined ? 2 : 0;
  }
  if (first === "--version") {
    context.screen.out(`ersilia, answered by memoir ${version()}`);
    return 0;
  }
  const name = names.find((each) => each === first);
  if (name === undefined) throw unknown(first);
  const rest = ersiliaWords(name, words.slice(at + 1));
  const command = await find(name);
  if (rest.includes("--help")) {
    context.screen.out(commandHelp(command));
    return 0;
  }
  return await command.run(await parseArguments(command, rest), context);
}

function unknown(word: string): AppError {
  const instead = ersiliaCommand(word);
  if (instead !== undefined)
    return new AppError("CLI_USAGE", `ersilia ${word} is not a command of Memoir: ${instead}`);
  const near = didYouMean(word, names);
  const guess = near === undefined ? "" : `; did you mean ${near}?`;
  return new AppError("CLI_USAGE", `there is no command \`ersilia ${word}\`${guess}`);
}
