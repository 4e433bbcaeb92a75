/** memoir predictions copy MODEL */
import type { CopyResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { count, plural, priceText } from "../format.ts";
import {
  dryRunOption,
  dryRunOptionsOf,
  localRuleOptions,
  tierOptions,
  tierOptionsOf,
} from "../model-options.ts";
import { withProgress } from "../progress.ts";
import { requiredTier, tierChoices } from "../tier-choice.ts";

export const command = defineCommand<CopyResult>({
  name: "predictions copy",
  summary: "Copy a model's stored predictions between the caches",
  details: [
    "Copies every row to the other cache. Rows that exist there are not written again, so you can repeat the command.",
  ],
  arguments: [{ name: "MODEL", description: "id, slug, folder or URL", required: true }],
  options: [
    { flags: "--from <cache>", description: "cache to copy from", choices: tierChoices },
    dryRunOption,
    ...tierOptions,
    ...localRuleOptions,
  ],
  examples: [{ command: "memoir predictions copy molecular-weight --from local" }],
  act: async (given, { app, ask, screen }) =>
    await withProgress(screen, async (emit) =>
      (await app()).predictions.copy(
        {
          model: given.argument(0) ?? "",
          from: requiredTier(given, "from", "predictions copy"),
          ...dryRunOptionsOf(given),
          ...tierOptionsOf(given),
        },
        emit,
        ask,
      ),
    ),
  render: (result, screen) => {
    screen.out(
      `${result.dryRun === true ? "would copy" : "copied"} ${plural(result.read, "row")} of ${result.model} ${result.release} from ${result.from} to ${result.to}: ${count(result.stored)} new, ${count(result.alreadyThere)} already there`,
    );
    if (result.price !== undefined) screen.out(`storing them costs ${priceText(result.price)}`);
  },
});
