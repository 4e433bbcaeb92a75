/** memoir cache list */
import type { CacheList } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { table } from "../format.ts";

export const command = defineCommand<CacheList>({
  name: "cache list",
  summary: "List the named run caches",
  options: [],
  examples: [{ command: "memoir cache list" }],
  act: async (_, { app, ask }) => (await app()).workflows.caches.list(ask),
  render: ({ caches }, screen) => {
    if (caches.length === 0) screen.out("no named caches; runs without --cache use ~/.memoir/cache");
    for (const line of table(
      caches.map((cache) => [cache.kind === "named" ? cache.name : "", cache.behavior, cache.location]),
    ))
      screen.out(line);
  },
});
