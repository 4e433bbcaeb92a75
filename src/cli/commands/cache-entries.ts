/** memoir cache entries */

import type { EntryPage } from "../../app/index.ts";
import { defined, sizeText } from "../../kernel/index.ts";
import { lookedAtArgument, lookedAtCache, lookedAtOption } from "../cache-options.ts";
import { defineCommand } from "../command.ts";
import { duration, plural, table } from "../format.ts";
import { ageMs, listLimit, sizeBytes } from "../quantities.ts";

export const command = defineCommand<EntryPage>({
  name: "cache entries",
  summary: "List the entries of a cache, newest first",
  arguments: [lookedAtArgument],
  options: [
    lookedAtOption,
    { flags: "--task <name>", description: "only results of this task" },
    { flags: "--run <id>", description: "only results that this run computed" },
    { flags: "--workflow <name>", description: "only results of this workflow" },
    { flags: "--older-than <age>", description: "such as 30d or 12h" },
    { flags: "--newer-than <age>", description: "such as 1d" },
    { flags: "--larger-than <size>", description: "such as 1G" },
    { flags: "-n, --limit <n>", description: "maximum number of entries", default: "50", kind: "count" },
  ],
  examples: [
    {
      command:
        "memoir run hello.wdl name=Ada --executor host --cache-host-tasks --cache ./lab && memoir cache entries ./lab --task greet",
    },
  ],
  act: async (given, { app, ask }) =>
    (await app()).workflows.caches.entries(
      {
        ...defined({
          cache: lookedAtCache(given),
          task: given.text("task"),
          run: given.text("run"),
          workflow: given.text("workflow"),
          olderThanMs: ageMs(given.text("older-than"), "--older-than"),
          newerThanMs: ageMs(given.text("newer-than"), "--newer-than"),
          largerThanBytes: sizeBytes(given.text("larger-than"), "--larger-than"),
        }),
        limit: listLimit(given.count("limit"), 50),
      },
      ask,
    ),
  render: ({ entries, total }, screen) => {
    const rows = entries.map((entry) => [
      entry.uuid.slice(0, 8),
      entry.task,
      entry.createdAt.slice(0, 19).replace("T", " "),
      sizeText(entry.bytes),
      duration(entry.seconds),
      entry.run,
      entry.pinned ? "pinned" : "",
    ]);
    for (const line of table(rows)) screen.out(line);
    const all = plural(total, "entry", "entries");
    screen.out(entries.length < total ? `${all}, ${entries.length} shown` : all);
  },
});
