/** The tier that keeps nothing: every look-up is a miss. For runs without a cache and for tests. */
import type { PredictionTier } from "./tier.ts";

export function createNullTier(): PredictionTier {
  return {
    name: "none",
    can: { canonicalIndex: false, write: false },
    open: async () => {},
    getMany: async (_scope, inputs) => inputs.map(() => undefined),
    putMany: async () => ({ stored: 0, alreadyThere: 0 }),
    scan: async function* () {},
    sample: async () => [],
    count: async () => 0,
    drop: async () => 0,
    listScopes: async () => [],
    dropListed: async () => 0,
    close: async () => {},
  };
}
