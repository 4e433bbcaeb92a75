/** Help of a command, drawn from the same data as the parser and the docs. */
import type { LoadedCommand, OptionSpec } from "./command.ts";

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

function block(title: string, rows: readonly (readonly [string, string])[]): string {
  return [`${title}:`, ...helpTable(rows)].join("\n");
}

export function helpTable(rows: readonly (readonly [string, string])[]): string[] {
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
