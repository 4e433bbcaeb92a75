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
import type { Screen } from "./screen.ts";

export interface OptionSpec {
  /** As commander reads them: `-i, --input <file>`; without `<…>` it is a switch. */
  readonly flags: string;
  /** One sentence without a full stop, with units. Choices and the default are added by `describeOption`. */
  readonly description: string;
  readonly kind?: "text" | "count" | "number";
  /** What applies without the flag; written once, behind the description. */
  readonly default?: string;
  /** May be given several times. */
  readonly many?: true;
  readonly choices?: readonly string[];
  /** Long names (without dashes) that must not be given together with this one. */
  readonly conflicts?: readonly string[];
  /** Other spellings, replaced before parsing: `-rs`. */
  readonly aliases?: readonly string[];
  /** Accepted for scripts that are written for Ersilia, or for the program named; left out of the help's main table. */
  readonly legacy?: true | "cwltool";
  /** The flag is not supported: what to use instead. */
  readonly refused?: string;
}

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

/** What the user gave, by the long name of the flag (without dashes) and by the position of the argument. */
export interface Given {
  text(name: string): string | undefined;
  count(name: string): number | undefined;
  /** Of a flag that may be given several times. */
  texts(name: string): readonly string[];
  is(name: string): boolean;
  argument(index: number): string | undefined;
  /** Names of the command's own flags that were given after the first argument. */
  flagsAfterArgument(): readonly string[];
  /** Arguments from this position on. */
  argumentsFrom(index: number): readonly string[];
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
