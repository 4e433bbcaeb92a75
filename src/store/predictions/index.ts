/** store/predictions: the tiers that keep one row per model and input. */
export type { PredictionTier, PutReport, SampleRequest, TierAbilities } from "./tier.ts";
