/** memoir cache verify */
import type { VerifyReport } from "../../app/index.ts";
import { lookedAtArgument, lookedAtCache, lookedAtOption } from "../cache-options.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../words.ts";

export const command = defineCommand<VerifyReport>({
  name: "cache verify",
  summary: "Read everything that a cache holds and set damaged entries aside",
  details: [
    "Entries that may have been computed from a damaged one are set aside with it: those whose inputs name the content that it had recorded.",
    "Ends with exit code 4 when something was damaged. What is set aside is never reused and can be pruned.",
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
