/** memoir predictions drop MODEL */
import type { DropResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { present, tierOptions, tierWish } from "../model-options.ts";
import { requiredTier, tierChoices } from "../tier-choice.ts";
import { plural } from "../words.ts";

export const command = defineCommand<DropResult>({
  name: "predictions drop",
  summary: "Delete a model's stored predictions",
  details: [
    "Without --yes nothing is deleted; the rows are only counted. Rows belong to a release of the model: --release removes those of an older one.",
  ],
  arguments: [{ name: "MODEL", description: "id, slug, folder or URL", required: true }],
  options: [
    { flags: "--from <cache>", description: "which cache", choices: tierChoices },
    { flags: "--release <release>", description: "default the model's current release" },
    { flags: "-y, --yes", description: "delete" },
    ...tierOptions,
  ],
  examples: [{ command: "memoir predictions drop molecular-weight --from local" }],
  act: async (given, { app, ask }) =>
    (await app()).predictions.drop(
      {
        model: given.argument(0) ?? "",
        from: requiredTier(given, "from", "predictions drop"),
        sure: given.is("yes") ? "yes" : "no",
        ...present("release", given.text("release")),
        ...tierWish(given),
      },
      ask,
    ),
  render: (result, screen) => {
    const rows = `${plural(result.rows, "row")} of ${result.model} ${result.release} in ${result.from}`;
    screen.out(result.deleted === "yes" ? `deleted ${rows}` : `would delete ${rows}; say --yes to do it`);
  },
});
