/** memoir predictions stats [MODEL] */

import type { StatsResult } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { count, table } from "../format.ts";
import { localRuleOptions, tierOptions, tierOptionsOf } from "../model-options.ts";

const stateText = {
  current: "",
  "other-release": "stale: another release",
  "other-columns": "stale: other columns",
  "unknown-release": "written by Ersilia, release unknown",
  "no-model": "the model is not installed",
} as const;

export const command = defineCommand<StatsResult>({
  name: "predictions stats",
  summary: "Count the stored predictions of each model",
  details: [
    "Counts every release and set of columns in the caches. Only rows of a model's current release and columns are used; the others are marked, and `memoir predictions drop MODEL --stale` removes them.",
  ],
  arguments: [{ name: "MODEL", description: "one model only" }],
  options: [...tierOptions, ...localRuleOptions],
  examples: [{ command: "memoir predictions stats" }],
  act: async (given, { app, ask, screen }) => {
    const result = await (await app()).predictions.stats(
      {
        ...defined({ model: given.argument(0) }),
        ...tierOptionsOf(given),
      },
      ask,
    );
    for (const problem of result.problems) screen.say(`${screen.paint.yellow("warning:")} ${problem}`);
    return result;
  },
  render: (result, screen) => {
    screen.out(`local: ${result.local}`);
    screen.out(`cloud: ${result.cloud}`);
    if (result.rows.length === 0) return screen.out("no predictions are stored");
    const shown = (value: number | undefined) => (value === undefined ? "?" : count(value));
    const rows = result.rows.map(({ model, release, state, local, cloud }) => [
      model,
      release ?? "?",
      shown(local),
      shown(cloud),
      stateText[state],
    ]);
    for (const line of table([["model", "release", "local", "cloud", ""], ...rows])) screen.out(line);
  },
});
