/** memoir cache show */
import type { ShowCacheResult } from "../../app/index.ts";
import { sizeText } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../format.ts";
import { renderCache } from "./cache-create.ts";

export const command = defineCommand<ShowCacheResult>({
  name: "cache show",
  summary: "Show a run cache: location, behaviour, size, and the runs that use it",
  arguments: [{ name: "CACHE", description: "name, folder or s3:// URI", required: true }],
  options: [],
  examples: [{ command: "memoir cache create lab --location ./lab-cache && memoir cache show lab" }],
  act: async (given, { app, ask }) => (await app()).workflows.caches.show(given.argument(0) ?? "", ask),
  render: (result, screen) => {
    renderCache(result.record, screen);
    const pinned = result.pinned === 0 ? "" : `, ${result.pinned} pinned`;
    screen.out(`  ${plural(result.entries, "entry", "entries")}, ${sizeText(result.bytes)}${pinned}`);
    if (result.runs.length > 0)
      screen.out(`  used by ${plural(result.runs.length, "run")}: ${result.runs.join(", ")}`);
  },
});
