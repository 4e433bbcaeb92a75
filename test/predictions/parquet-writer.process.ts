/**
 * A process that writes predictions in small batches until it is done or killed, and says `ack N` only when batch N is
 * durable. Some inputs are its own, some are shared with every other writer. Tests kill it.
 */
import { writeSync } from "node:fs";
import { freshAsk } from "../../src/kernel/index.ts";
import { openObjectStore, type S3Access } from "../../src/store/objects/index.ts";
import { createParquetTier } from "../../src/store/predictions/index.ts";
import { batchOf, scope } from "./parquet-rows.ts";

export interface Order {
  readonly uri: string;
  readonly s3?: S3Access;
  readonly writer: number;
  readonly batches: number;
  /** Where killed merges leave their temp files. */
  readonly tempFolder: string;
}

const order = JSON.parse(process.argv[2] ?? "{}") as Order;
const ask = freshAsk();
const tier = createParquetTier({
  store: openObjectStore(order.uri, order.s3 === undefined ? {} : { s3: order.s3 }),
  tempFolder: order.tempFolder,
});
await tier.open(ask);
writeSync(1, "ready\n");
for (let batch = 0; batch < order.batches; batch++) {
  await tier.putMany(scope, batchOf(order.writer, batch), ask);
  writeSync(1, `ack ${batch}\n`);
}
await tier.close();
writeSync(1, "done\n");
