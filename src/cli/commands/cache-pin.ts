/** memoir cache pin */
import type { EntriesTouched } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { present } from "../model-options.ts";
import { cacheOption } from "../workflow-options.ts";

export const command = defineCommand<EntriesTouched>({
  name: "cache pin",
  summary: "Keep an entry from being pruned",
  arguments: [{ name: "ENTRY", description: "uuid or key of an entry, or its beginning", required: true }],
  options: [cacheOption, { flags: "--remove", description: "take the pin away" }],
  examples: [{ command: "memoir cache pin 1b9d6bcd --cache ./lab-cache" }],
  act: async (given, { app, ask }) =>
    (await app()).workflows.caches.pin(
      {
        ...present("cache", given.text("cache")),
        entry: given.argument(0) ?? "",
        pinned: given.is("remove") ? "no" : "yes",
      },
      ask,
    ),
  render: ({ entries }, screen) => {
    for (const entry of entries) screen.out(`${entry.uuid}  ${entry.task}  ${entry.call}`);
  },
});
