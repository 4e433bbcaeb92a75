/**
 * The package's `memoir/testing`: the contract suites that tiers, executors and front ends of the package pass, for
 * people who write their own. A suite is called at the top of a vitest file.
 */
export { type ExecutorContract, executorContract } from "../exec/core/testing.ts";
export { type FrontEndContract, frontEndContract } from "../lang/core/testing.ts";
export {
  predictionTierContract,
  type TierContractOptions,
  type TierContractPart,
  type TierPlace,
} from "../store/predictions/testing.ts";
