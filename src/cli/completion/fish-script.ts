/** The completion script for fish: one \`complete\` line for each command and flag. */
import type { CompletedCommand, CompletedFlag } from "./completion-words.ts";

export function fishScript(commands: readonly CompletedCommand[]): string {
  const groups = [
    ...new Set(commands.filter(({ name }) => name.includes(" ")).map(({ name }) => name.split(" ")[0] ?? "")),
  ];
  const lines = [
    "# fish completion of memoir: put it into ~/.config/fish/completions/memoir.fish",
    "function __memoir_is",
    "    set -l words (commandline -opc)",
    "    set -l last (math (count $argv) + 1)",
    '    test (count $words) -ge $last; and test "$words[2..$last]" = "$argv"',
    "end",
    "function __memoir_at",
    "    test (count (commandline -opc)) -eq $argv[1]",
    "end",
  ];
  for (const { name, summary, flags } of commands) {
    const [first = "", second] = name.split(" ");
    const where = second === undefined ? "__memoir_at 1" : `__memoir_at 2; and __memoir_is ${first}`;
    lines.push(`complete -c memoir -n ${quoted(where)} -f -a ${second ?? first} -d ${quoted(summary)}`);
    for (const flag of flags) lines.push(flagLine(name, flag));
  }
  for (const group of groups) {
    const inside = commands
      .filter(({ name }) => name.startsWith(`${group} `))
      .map(({ name }) => name.split(" ")[1]);
    lines.push(`complete -c memoir -n '__memoir_at 1' -f -a ${group} -d ${quoted(inside.join(", "))}`);
  }
  return `${lines.join("\n")}\n`;
}

function flagLine(command: string, { names, description, value }: CompletedFlag): string {
  const spelled = names.map((name) =>
    name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const after =
    value.kind === "none"
      ? ""
      : value.choices.length === 0
        ? " -r"
        : ` -x -a ${quoted(value.choices.join(" "))}`;
  return `complete -c memoir -n ${quoted(`__memoir_is ${command}`)} ${spelled.join(" ")}${after} -d ${quoted(description)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
