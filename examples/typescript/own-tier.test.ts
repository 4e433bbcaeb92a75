import { predictionTierContract } from "memoir/testing";
import { mapTier, type Shelves } from "./own-tier.js";

predictionTierContract({
  name: "a map",
  make: async () => {
    const shelves: Shelves = new Map();
    return { connect: () => mapTier(shelves), persistent: true, dispose: async () => {} };
  },
});
