/** For tests of front ends, by people who write one. Loads vitest. */
export { type FrontEndContract, frontEndContract } from "./front-end-contract.ts";
