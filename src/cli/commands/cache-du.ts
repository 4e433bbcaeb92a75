/** memoir cache du */
import type { CacheSize, SizeRow } from "../../app/index.ts";
import { sizeText } from "../../kernel/index.ts";
import { lookedAtArgument, lookedAtCache, lookedAtOption } from "../cache-options.ts";
import { defineCommand } from "../command.ts";
import { plural, table } from "../format.ts";

export const command = defineCommand<CacheSize>({
  name: "cache du",
  summary: "Show the size of a cache, by task and by workflow",
  details: ["Shows two sizes: the sum of all entries, and the sum with equal contents counted once."],
  arguments: [lookedAtArgument],
  options: [lookedAtOption],
  examples: [
    {
      command:
        "memoir run hello.wdl name=Ada --executor host --cache-host-tasks --cache ./lab && memoir cache du ./lab",
    },
  ],
  act: async (given, { app, ask }) => (await app()).workflows.caches.du(lookedAtCache(given), ask),
  render: (result, screen) => {
    const row = (name: string, one: SizeRow) => [
      name,
      plural(one.entries, "entry", "entries"),
      `${one.files} files`,
      sizeText(one.apparentBytes),
      `${sizeText(one.uniqueBytes)} unique`,
    ];
    const sorted = (rows: Readonly<Record<string, SizeRow>>) =>
      Object.entries(rows).sort(([, a], [, b]) => b.apparentBytes - a.apparentBytes);
    const rows = [
      ...sorted(result.byTask).map(([name, one]) => row(`task ${name}`, one)),
      ...sorted(result.byWorkflow).map(([name, one]) => row(`workflow ${name}`, one)),
      row("total", result),
    ];
    for (const line of table(rows)) screen.out(line);
  },
});
