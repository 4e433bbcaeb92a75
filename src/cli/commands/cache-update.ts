/** memoir cache update */

import type { CacheRecord } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { behaviorOf, behaviorOption, policiesOf, policyOptions } from "../cache-options.ts";
import { defineCommand } from "../command.ts";
import { sizeBytes } from "../quantities.ts";
import { renderCache } from "./cache-create.ts";

export const command = defineCommand<CacheRecord>({
  name: "cache update",
  summary: "Change the behaviour or the policies of a named cache",
  details: [
    "Recorded results are kept. With another identity or resources policy calls have other keys, so they are computed again.",
  ],
  arguments: [{ name: "NAME", description: "a named cache", required: true }],
  options: [
    ...[behaviorOption, ...policyOptions].map((option) => ({ ...option, default: "unchanged" })),
    { flags: "--description <text>", description: "description of the cache" },
    {
      flags: "--budget <size>",
      description:
        "size that runs keep the cache within when they end, such as 200GB; what is cheap to compute again for its size goes first; 0 removes the limit",
      default: "unchanged",
    },
  ],
  examples: [
    {
      command:
        "memoir cache create lab --location ./lab-cache && memoir cache update lab --behavior on-failure",
    },
  ],
  act: async (given, { app, ask }) =>
    (await app()).workflows.caches.update(
      {
        name: given.argument(0) ?? "",
        ...defined({ description: given.text("description") }),
        ...behaviorOf(given),
        ...defined({ budgetBytes: sizeBytes(given.text("budget"), "--budget") }),
        policies: policiesOf(given),
      },
      ask,
    ),
  render: (record, screen) => renderCache(record, screen),
});
