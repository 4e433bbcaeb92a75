/** memoir batch status PLAN: which slices are done. */
import type { BatchStatus, SliceStatus } from "../../predict/index.ts";
import { batchPlacesOf, planArgument, shardsOption } from "../batch-options.ts";
import { defineCommand } from "../command.ts";
import { count, plural } from "../format.ts";

const shownSlices = 50;

export const command = defineCommand<BatchStatus>({
  name: "batch status",
  summary: "Show which slices of a planned batch are done",
  details: [
    "Reads and checks every shard. A slice is done, started (a worker has begun, or was interrupted), waiting, or damaged (its shard is not what was written; working on the slice replaces it). Rows that failed and rows without a value count as done.",
    "With --json, `finished` says whether `memoir batch merge` can begin, and `matrix` holds the slices that are not done, for another round of GitHub Actions.",
  ],
  arguments: [planArgument],
  options: [shardsOption],
  examples: [
    {
      command:
        "memoir example molecular-weight -n 20 -o in.csv && memoir batch plan --model molecular-weight -i in.csv --slices 4 -o plan.json && memoir batch status plan.json",
    },
  ],
  act: async (given, { app, ask }) => (await app()).batch.status(batchPlacesOf(given, "status"), ask),
  render: (result, screen) => {
    const { slices, unfinished, rows, done, failed, missing, model, release } = result;
    screen.out(
      `${count(slices - unfinished.length)} of ${plural(slices, "slice")} done with ${model} ${release}: ${count(done)} of ${plural(rows, "row")}, ${count(failed)} failed, ${count(missing)} without a value`,
    );
    const open = result.perSlice.filter(({ state }) => state !== "done");
    for (const each of open.slice(0, shownSlices)) screen.out(lineOf(each));
    if (open.length > shownSlices) screen.out(`${count(open.length - shownSlices)} more slices are not done`);
  },
});

function lineOf({ slice, state, rows, done }: SliceStatus): string {
  return `slice ${count(slice)}: ${state}, ${count(done)} of ${plural(rows, "row")}`;
}
