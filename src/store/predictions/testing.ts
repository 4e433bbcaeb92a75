/** For tests of tiers, by people who write one. Loads vitest. */
export {
  type ContractOptions as TierContractOptions,
  type ContractPart as TierContractPart,
  predictionTierContract,
  type TierPlace,
} from "./tier-contract.ts";
