/** memoir predictions drop MODEL */
import type { DropResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { plural } from "../format.ts";
import { tierOptions, tierOptionsOf } from "../model-options.ts";
import { requiredTier, tierChoices } from "../tier-choice.ts";

export const command = defineCommand<DropResult>({
  name: "predictions drop",
  summary: "Delete a model's stored predictions",
  details: [
    "Without --yes, rows are only counted. Rows belong to a release of the model and to its columns: --release removes rows of another release, --stale all rows that the installed model cannot use. `memoir predictions stats` lists them. Rows that Ersilia wrote to Redis are kept.",
  ],
  arguments: [{ name: "MODEL", description: "id, slug, folder or URL", required: true }],
  options: [
    { flags: "--from <cache>", description: "cache to delete from", choices: tierChoices },
    {
      flags: "--release <release>",
      description: "release of the rows",
      default: "the model's current release",
      conflicts: ["stale"],
    },
    { flags: "--stale", description: "all other releases, and other sets of columns" },
    { flags: "-y, --yes", description: "delete the rows" },
    ...tierOptions,
  ],
  examples: [{ command: "memoir predictions drop molecular-weight --from local" }],
  act: async (given, { app, ask }) => {
    const release = given.text("release");
    return await (await app()).predictions.drop(
      {
        model: given.argument(0) ?? "",
        from: requiredTier(given, "from", "predictions drop"),
        sure: given.is("yes"),
        which: given.is("stale") ? "stale" : release === undefined ? "current" : { release },
        ...tierOptionsOf(given),
      },
      ask,
    );
  },
  render: (result, screen) => {
    const what = [result.model, result.releases.join(", ")].join(" ").trim();
    const rows = `${plural(result.rows, "row")} of ${what} in ${result.from}`;
    screen.out(result.deleted ? `deleted ${rows}` : `would delete ${rows}; say --yes to do it`);
  },
});
