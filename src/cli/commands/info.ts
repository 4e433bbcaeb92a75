/** memoir info [MODEL] */

import type { InfoResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { refusedFlag } from "../ersilia-flags.ts";
import { table } from "../format.ts";
import { sessionOption } from "../model-options.ts";

const columnsShown = 12;

export const command = defineCommand<InfoResult>({
  name: "info",
  summary: "Show the served model or another one",
  arguments: [{ name: "MODEL", description: "id, slug, folder or URL", default: "the served model" }],
  options: [
    { flags: "--model <model>", description: "the same as MODEL" },
    sessionOption,
    refusedFlag("-o, --output <file>", "redirect `memoir info --json` to the file"),
  ],
  examples: [{ command: "memoir info molecular-weight" }],
  act: async (given, { app, ask }) =>
    (await app()).info(
      {
        ...defined({ model: given.argument(0) ?? given.text("model"), session: given.text("session") }),
      },
      ask,
    ),
  render: (info, screen) => {
    screen.out(`${screen.paint.bold(info.model)} ${info.title}`);
    if (info.description !== "") screen.out(info.description);
    const facts = [
      ["slug", info.slug],
      ["release", info.release],
      ["runner", info.runner],
      ["from", info.from],
      ...(info.fetchedAt === undefined ? [] : [["fetched", info.fetchedAt]]),
      ["answers", info.reuse],
      ...(info.session === undefined
        ? []
        : [
            ["mode", info.session.mode],
            ["local cache", info.session.local],
            ["cloud cache", info.session.cloud],
          ]),
    ];
    for (const line of table(facts)) screen.out(`  ${line}`);
    if (info.needs !== undefined) {
      screen.out("needs, on the PATH where it runs:");
      for (const line of info.needs) screen.out(`  ${line}`);
    }
    screen.out(`columns (${info.columns.length}):`);
    const shown = info.columns.slice(0, columnsShown);
    for (const line of table(shown.map((column) => [column.name, column.type, column.description ?? ""])))
      screen.out(`  ${line}`);
    if (info.columns.length > columnsShown)
      screen.out(`  … and ${info.columns.length - columnsShown} more (--json lists all)`);
  },
});
