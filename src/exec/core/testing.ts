/** For tests of executors, by people who write one. Loads vitest. */
export { type ExecutorContract, executorContract } from "./executor-contract.ts";
