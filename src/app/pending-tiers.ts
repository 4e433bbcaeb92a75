/** Stands in until the Redis and Parquet tiers and the guard are exported. */
import type { ObjectStore } from "../store/objects/index.ts";
import { createEmbeddedTier, type PredictionTier, type TierEventSink } from "../store/predictions/index.ts";

export function guardTier(tier: PredictionTier, _options: { onEvent?: TierEventSink }): PredictionTier {
  return tier;
}
export function createRedisTier(_options: { url: string; onEvent?: TierEventSink }): PredictionTier {
  throw new Error("follows");
}
export function createParquetTier(options: { store: ObjectStore; onEvent?: TierEventSink }): PredictionTier {
  return createEmbeddedTier({ folder: options.store.pathOf("x") ?? "/nowhere" });
}
