/** memoir predictions stats [MODEL] */
import type { StatsResult } from "../../app/index.ts";
import { defineCommand } from "../command.ts";
import { localRuleOptions, present, tierOptions, tierWish } from "../model-options.ts";
import { count, table } from "../words.ts";

export const command = defineCommand<StatsResult>({
  name: "predictions stats",
  summary: "Count the stored predictions of each model",
  details: [
    "Counts the current release of each model that is here; models without stored predictions are left out.",
  ],
  arguments: [{ name: "MODEL", description: "one model only" }],
  options: [...tierOptions, ...localRuleOptions],
  examples: [{ command: "memoir predictions stats" }],
  act: async (given, { app, ask, screen }) => {
    const result = await (await app()).predictions.stats(
      {
        ...present("model", given.argument(0)),
        ...tierWish(given),
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
    const rows = result.rows.map(({ model, release, local, cloud }) => [
      model,
      release,
      shown(local),
      shown(cloud),
    ]);
    for (const line of table([["model", "release", "local", "cloud"], ...rows])) screen.out(line);
  },
});
