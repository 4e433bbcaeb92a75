/** Reads the words after a command's name with commander, and turns its complaints into ours. */
import { AppError } from "../kernel/index.ts";
import type { Given, LoadedCommand, OptionSpec } from "./command.ts";

/** @throws CLI_USAGE */
export async function parseArguments(command: LoadedCommand, all: readonly string[]): Promise<Given> {
  if (command.foreignWords === true) return givenFrom({}, all, []);
  const separated = command.separate?.(all, command.options);
  const words = separated?.own ?? all;
  const { Command, CommanderError, InvalidArgumentError, Option } = await import("commander");
  const parser = new Command(`memoir ${command.name}`)
    .exitOverride()
    .helpOption(false)
    .allowExcessArguments(false)
    .allowUnknownOption(command.foreignFlags !== undefined)
    .configureOutput({ writeOut: () => {}, writeErr: () => {} });
  for (const argument of command.arguments ?? []) {
    const name = argument.many === true ? `${argument.name}...` : argument.name;
    parser.argument(argument.required === true ? `<${name}>` : `[${name}]`, argument.description);
  }
  for (const spec of command.options) {
    const option = new Option(spec.flags, spec.description);
    if (spec.choices !== undefined) option.choices([...spec.choices]);
    if (spec.conflicts !== undefined) option.conflicts(spec.conflicts.map(camelCase));
    const check = numberCheck(spec);
    if (spec.many === true)
      option.argParser((text: string, earlier?: readonly string[]) => [...(earlier ?? []), text]);
    else if (check !== undefined)
      option.argParser((text: string) => {
        const problem = check(text);
        if (problem !== undefined) throw new InvalidArgumentError(problem);
        return text;
      });
    parser.addOption(option);
  }
  try {
    parser.parse(normalised(command, words), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new AppError("CLI_USAGE", `memoir ${command.name}: ${usageMessage(error.message)}`, {
      cause: error,
    });
  }
  const [first] = parser.args;
  if (command.foreignFlags !== undefined && first !== undefined && /^--?[^-]/.test(first))
    throw new AppError("CLI_USAGE", `memoir ${command.name}: unknown option '${first.replace(/=.*$/s, "")}'`);
  const given = givenFrom(parser.opts(), parser.args, flagsAfter(first, words));
  return separated === undefined ? given : { ...given, pipeline: separated.pipeline };
}

function flagsAfter(argument: string | undefined, words: readonly string[]): readonly string[] {
  const stop = words.indexOf("--");
  const at = argument === undefined ? words.length : words.indexOf(argument);
  return words
    .slice(at + 1, stop < 0 ? words.length : stop)
    .flatMap((word) => /^--([^=]+)/.exec(word)?.[1] ?? []);
}

function givenFrom(
  options: Readonly<Record<string, unknown>>,
  args: readonly string[],
  later: readonly string[],
): Given {
  const value = (name: string) => options[camelCase(name)];
  const text = (name: string) => {
    const got = value(name);
    return typeof got === "string" ? got : undefined;
  };
  return {
    text,
    count: (name) => {
      const got = text(name);
      return got === undefined ? undefined : Number(got);
    },
    texts: (name) => {
      const got = value(name);
      return Array.isArray(got) ? got.map(String) : [];
    },
    // commander keeps `--no-compute` as `compute: false`.
    is: (name) => (name.startsWith("no-") ? value(name.slice(3)) === false : value(name) === true),
    flagsAfterArgument: () => later.filter((name) => camelCase(name) in options),
    argument: (index) => args[index],
    argumentsFrom: (index) => args.slice(index),
  };
}

/** Ersilia writes long flags with underscores (`--batch_size`) and has short flags of two letters (`-rs`). */
function normalised(command: LoadedCommand, words: readonly string[]): string[] {
  const aliases = new Map<string, string>();
  for (const option of command.options)
    for (const alias of option.aliases ?? []) aliases.set(alias, longName(option.flags));
  const longNames = new Set(command.options.map((option) => longName(option.flags)));
  const stop = words.indexOf("--");
  return words.map((word, i) => {
    if (stop >= 0 && i >= stop) return word;
    const [name = word, ...rest] = word.split("=");
    const dashed = name.startsWith("--") ? name.replaceAll("_", "-") : name;
    const own = command.foreignFlags === undefined || longNames.has(dashed) || aliases.has(dashed);
    const known = aliases.get(name) ?? (own ? dashed : name);
    return [aliases.get(known) ?? known, ...rest].join("=");
  });
}

function numberCheck(spec: OptionSpec): ((text: string) => string | undefined) | undefined {
  if (spec.kind === "count") return (text) => (/^-?\d+$/.test(text) ? undefined : "expected a whole number");
  if (spec.kind === "number")
    return (text) => (Number.isFinite(Number(text)) ? undefined : "expected a number");
  return undefined;
}

/** `--batch-size` of `-b, --batch-size <n>`. */
export function longName(flags: string): string {
  return /--[a-z][a-z0-9-]*/.exec(flags)?.[0] ?? flags;
}

function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function usageMessage(message: string): string {
  return message
    .replace(/^error: /, "")
    .replace(/\n\(Did you mean (.*)\?\)$/s, " (did you mean $1?)")
    .replace(/^too many arguments.*$/s, (whole) => `${whole.replace(/\.$/, "")}; flags begin with a dash`)
    .replace(/\.$/, "");
}
