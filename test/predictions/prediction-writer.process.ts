/**
 * A process that stores predictions as fast as it can until somebody kills it, and prints a line for every batch that
 * the tier has acknowledged: `ack <batch>`. Bundled and run by kill.test.ts.
 *
 *   prediction-writer.mjs embedded|redis <folder or URL> <writer name>
 */
import { freshAsk } from "../../src/kernel/index.ts";
import { createEmbeddedTier, createRedisTier } from "../../src/store/predictions/index.ts";
import { batchRows, killScope } from "./prediction-rows.ts";

const [kind = "", place = "", writer = ""] = process.argv.slice(2);
const tier = kind === "redis" ? createRedisTier({ url: place }) : createEmbeddedTier({ folder: place });
const ask = freshAsk();
await tier.open(ask);
process.stdout.write("ready\n");
for (let batch = 0; ; batch++) {
  await tier.putMany(killScope, batchRows(writer, batch), ask);
  process.stdout.write(`ack ${batch}\n`);
}
