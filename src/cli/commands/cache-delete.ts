/** memoir cache delete */
import type { DeleteCacheResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../format.ts";

export const command = defineCommand<DeleteCacheResult>({
  name: "cache delete",
  summary: "Delete a named cache; its data are kept unless --purge is given",
  details: ["A cache that a run is using cannot be deleted."],
  arguments: [{ name: "NAME", description: "a named cache", required: true }],
  options: [{ flags: "--purge", description: "also delete everything that it has recorded" }],
  examples: [
    { command: "memoir cache create lab --location ./lab-cache && memoir cache delete lab --purge" },
  ],
  act: async (given, { app, ask }) =>
    (await app()).workflows.caches.delete({ name: given.argument(0) ?? "", purge: given.is("purge") }, ask),
  render: ({ name, location, purged }, screen) =>
    screen.out(
      purged > 0
        ? `deleted ${name} and ${plural(purged, "entry", "entries")}`
        : `deleted ${name}; its data in ${location} are kept`,
    ),
});
