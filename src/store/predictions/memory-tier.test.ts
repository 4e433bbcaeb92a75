/** The memory tier against the contract: it is what the other tiers are compared with. */
import { createMemoryTier } from "./memory-tier.ts";
import { predictionTierContract } from "./tier-contract.ts";

predictionTierContract({
  name: "memory tier",
  make: async () => ({ connect: () => createMemoryTier(), persistent: false, dispose: async () => {} }),
});
