/** process: running programs so that none outlives its purpose, and quoting for shells. */
export { findProgram } from "./find-program.ts";
export {
  describeOutcome,
  type ProgramInput,
  type ProgramOutcome,
  type ProgramOutput,
  type ProgramRequest,
} from "./program.ts";
export { runProgram } from "./run-program.ts";
export { shellCommand, shellQuote } from "./shell.ts";
export { readTail } from "./tail.ts";
