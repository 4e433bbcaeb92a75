/** memoir delete [MODEL] */

import type { DeleteResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";

export const command = defineCommand<DeleteResult>({
  name: "delete",
  summary: "Remove a fetched model",
  details: [
    "Its stored predictions are kept; `memoir predictions drop` removes them. Built-in models cannot be removed.",
  ],
  arguments: [{ name: "MODEL", description: "id or slug" }],
  options: [{ flags: "--all", description: "remove every fetched model" }],
  examples: [{ command: "memoir delete --all" }],
  act: async (given, { app, ask }) =>
    (await app()).delete({ ...defined({ model: given.argument(0) }), all: given.is("all") }, ask),
  render: ({ deleted }, screen) => {
    screen.out(deleted.length === 0 ? "no fetched model is here" : `deleted ${deleted.join(", ")}`);
  },
});
