/** Stands in until the Redis tier and the guard are exported. */
import type { PredictionTier, TierEventSink } from "../store/predictions/index.ts";

export function guardTier(tier: PredictionTier, _options: { onEvent?: TierEventSink }): PredictionTier {
  return tier;
}
export function createRedisTier(_options: { url: string; onEvent?: TierEventSink }): PredictionTier {
  throw new Error("follows");
}
