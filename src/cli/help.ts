/** Help texts, drawn from the same data as the parser and the docs. */
import type { LoadedCommand, OptionSpec } from "./command.ts";
import { type RegistryRow, registry } from "./registry.ts";

export function topHelp(version: string): string {
  const groups = [...new Set(registry.map((row) => row.group))];
  const lines = groups.flatMap((group) => [
    `${group}:`,
    ...table(topRows(group).map((row) => [row.name, row.summary])),
    "",
  ]);
  return [
    `memoir ${version}: a call cache for science. It never computes the same thing twice.`,
    "",
    "Usage: memoir COMMAND [flags]",
    "",
    ...lines,
    "`memoir COMMAND --help` shows the flags of a command and an example.",
    "",
    "Example:",
    "  memoir example molecular-weight -n 3 -o in.csv && memoir run --model molecular-weight -i in.csv -o out.csv",
  ].join("\n");
}

/** `memoir predictions --help`: the commands that begin with a word. */
export function groupHelp(word: string): string {
  const rows = registry.filter((row) => row.name.startsWith(`${word} `));
  return [
    `Usage: memoir ${word} COMMAND [flags]`,
    "",
    "Commands:",
    ...table(rows.map((row) => [row.name, row.summary])),
    "",
    "Example:",
    `  memoir ${rows[0]?.name ?? word} --help`,
  ].join("\n");
}

export function commandHelp(command: LoadedCommand): string {
  const args = (command.arguments ?? []).map((a) =>
    a.required === true ? a.name : `[${a.name}${a.many === true ? " …" : ""}]`,
  );
  const shown = command.options.filter((option) => option.legacy === undefined);
  const legacy = command.options.filter((option) => option.legacy !== undefined);
  const writtenFor = legacy[0]?.legacy === "cwltool" ? "cwltool" : "Ersilia";
  const sections = [
    `Usage: memoir ${[command.name, ...args, "[flags]"].join(" ")}`,
    `${command.summary}.`,
    ...(command.details ?? []).map((paragraph) => wrap(paragraph, 100)),
  ];
  if (args.length > 0)
    sections.push(
      block(
        "Arguments",
        (command.arguments ?? []).map((a) => [a.name, describeOption(a)]),
      ),
    );
  sections.push(block("Flags", [...shown.map(optionRow), ["-h, --help", "show this help"]]));
  if (legacy.length > 0)
    sections.push(block(`Accepted from ${writtenFor}'s command line`, legacy.map(optionRow)));
  const examples = command.examples.flatMap(({ command: line, note }) => [
    ...(note === undefined ? [] : [`  # ${note}`]),
    `  ${line}`,
  ]);
  sections.push([command.examples.length === 1 ? "Example:" : "Examples:", ...examples].join("\n"));
  return sections.join("\n\n");
}

function optionRow(option: OptionSpec): readonly [string, string] {
  const flags = [...(option.aliases ?? []).filter((alias) => /^-[a-z]/.test(alias)), option.flags].join(", ");
  return [flags, describeOption(option)];
}

/** The description of a flag or an argument with its choices and its default, such as `(fast, slow; default: fast)`. */
export function describeOption(option: Pick<OptionSpec, "description" | "choices" | "default">): string {
  const notes = [
    ...(option.choices === undefined ? [] : [option.choices.join(", ")]),
    ...(option.default === undefined ? [] : [`default: ${option.default}`]),
  ];
  return notes.length === 0 ? option.description : `${option.description} (${notes.join("; ")})`;
}

/** Rows of a group; commands of two words are shown once, as their first word. */
function topRows(group: string): readonly Pick<RegistryRow, "name" | "summary">[] {
  const rows: Pick<RegistryRow, "name" | "summary">[] = [];
  for (const row of registry.filter((candidate) => candidate.group === group)) {
    const [first = "", second] = row.name.split(" ");
    if (second === undefined) rows.push(row);
    else if (!rows.some((known) => known.name === `${first} …`)) {
      const all = registry.filter((candidate) => candidate.name.startsWith(`${first} `));
      rows.push({
        name: `${first} …`,
        summary: all.map((one) => one.name.slice(first.length + 1)).join(", "),
      });
    }
  }
  return rows;
}

function block(title: string, rows: readonly (readonly [string, string])[]): string {
  return [`${title}:`, ...table(rows)].join("\n");
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) => {
    const lines = wrap(right, 100 - width - 4).split("\n");
    const head = left.length > width ? [`  ${left}`] : [];
    const first = head.length > 0 ? " ".repeat(width + 2) : `  ${left.padEnd(width)}`;
    return [...head, ...lines.map((line, i) => `${i === 0 ? first : " ".repeat(width + 2)}  ${line}`)];
  });
}

function wrap(text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}
