/** Help that lists commands: of the program, and of a group. */
import { helpTable } from "./help.ts";
import { type RegistryRow, registry } from "./registry.ts";

export function topHelp(version: string): string {
  const groups = [...new Set(registry.map((row) => row.group))];
  const lines = groups.flatMap((group) => [
    `${group}:`,
    ...helpTable(topRows(group).map((row) => [row.name, row.summary])),
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
    ...helpTable(rows.map((row) => [row.name, row.summary])),
    "",
    "Example:",
    `  memoir ${rows[0]?.name ?? word} --help`,
  ].join("\n");
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
