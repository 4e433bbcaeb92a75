/** memoir cache verify */
import type { VerifyReport } from "../../app/index.ts";
import { lookedAtArgument, lookedAtCache, lookedAtOption } from "../cache-options.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../format.ts";

export const command = defineCommand<VerifyReport>({
  name: "cache verify",
  summary: "Check everything in a cache and set damaged entries aside",
  details: [
    "Entries that may have been computed from a damaged one (their inputs name the content that it recorded) are also set aside.",
    "Exits with 4 if an entry was damaged. Entries that were set aside are never reused and can be pruned.",
  ],
  arguments: [lookedAtArgument],
  options: [lookedAtOption],
  examples: [
    {
      command:
        "memoir run hello.wdl name=Ada --executor host --cache-host-tasks --cache ./lab && memoir cache verify ./lab",
    },
  ],
  act: async (given, { app, ask }) => (await app()).workflows.caches.verify(lookedAtCache(given), ask),
  render: ({ checked, sound, setAside }, screen) => {
    for (const entry of setAside) screen.out(`${screen.paint.red("damaged")} ${entry.uuid}: ${entry.reason}`);
    screen.out(
      `${plural(checked, "entry", "entries")} checked, ${sound} sound, ${setAside.length} set aside`,
    );
  },
  exitCode: ({ setAside }) => (setAside.length > 0 ? 4 : 0),
});
