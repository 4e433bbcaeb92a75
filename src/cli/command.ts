/**
 * What a command is: its flags as data, an action that returns data, and a renderer that prints it. One file under
 * commands/ exports one `command`; `registry.ts` names it and loads it when it is asked for. Help, the docs' flag tables
 * and the parser all read the same data.
 */
import type { Readable } from "node:stream";
import type { Memoir } from "../api/index.ts";
import type { App } from "../app/index.ts";
import { type Ask, writeJson } from "../kernel/index.ts";
import type { RowStream } from "../predict/index.ts";
import { refuseFlags } from "./ersilia-flags.ts";
import type { Given, OptionSpec, Separated } from "./option.ts";
import type { Screen } from "./screen.ts";

export type { Given, OptionSpec } from "./option.ts";

export interface ArgumentSpec {
  /** `MODEL` */
  readonly name: string;
  readonly description: string;
  /** What applies without the argument. */
  readonly default?: string;
  readonly required?: true;
  /** Any number of words; only the last argument may say so. */
  readonly many?: true;
}

export interface Example {
  /** A line for the shell that works as it stands. */
  readonly command: string;
  readonly note?: string;
}

export interface Context {
  /** Loaded on first use. */
  app(): Promise<App>;
  /** Memoir as programs use it: what the public API can do is done through it. Closed when the command has ended. */
  memoir(): Promise<Memoir>;
  readonly screen: Screen;
  readonly ask: Ask;
  /** Standard input, for a command that reads it. */
  stdin(): Readable;
  /** Standard output, for a command that writes rows to it: it prints nothing else there. */
  rows(): RowStream;
}

export interface Command<Data> {
  /** As typed after `memoir`: `serve`, `predictions stats`. */
  readonly name: string;
  readonly summary: string;
  /** Paragraphs for the help, below the summary. */
  readonly details?: readonly string[];
  readonly arguments?: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /**
   * `after-arguments`: unknown flags that follow the first argument belong to what that names, and are among the
   * arguments, as written. Default: an unknown flag is a mistake.
   */
  readonly foreignFlags?: "after-arguments";
  /** Its words follow other rules: none of them is read as a flag, and all are arguments, as written. */
  readonly foreignWords?: true;
  /** Takes options of another command line out of the words before the rest is read. */
  readonly separate?: (words: readonly string[], options: readonly OptionSpec[]) => Separated | undefined;
  /** The last one ends the help; each is run by a test. */
  readonly examples: readonly Example[];
  act(given: Given, context: Context): Promise<Data>;
  /** For people. With `--json` the data are printed instead, as they are. */
  render(data: Data, screen: Screen, given: Given): void;
  /** Default: 0. */
  exitCode?(data: Data): number;
}

/** A command whose data type only its own file knows. */
export interface LoadedCommand extends Omit<Command<unknown>, "act" | "render" | "exitCode"> {
  /** Runs, prints, and returns the exit code. */
  run(given: Given, context: Context): Promise<number>;
}

/** Options that every command has. */
export const everyCommand: readonly OptionSpec[] = [
  {
    flags: "--json",
    description: "print exactly the result as JSON on standard output",
    aliases: ["-j", "--as-json"],
  },
];

export function defineCommand<Data>(command: Command<Data>): LoadedCommand {
  const { act, render, exitCode, ...spec } = command;
  return {
    ...spec,
    options: [...spec.options, ...everyCommand],
    run: async (given, context) => {
      refuseFlags(spec.name, spec.options, given);
      const data = await act(given, context);
      if (given.is("json")) context.screen.out(writeJson(data));
      else render(data, context.screen, given);
      return exitCode?.(data) ?? 0;
    },
  };
}
