/**
 * The package's `memoir/extend`: the pieces that Memoir's own tiers and executors are made of, for programs that bring
 * their own. Programs that only use Memoir do not need it.
 */
export {
  type AttemptPaths,
  attemptHostPath,
  attemptPaths,
  ensureStreams,
  type InputMount,
  type PrepareOptions,
  perlWrapper,
  prepareAttempt,
  readAttemptEnd,
  readExitCode,
  type Staging,
  type StopReason,
  settleInputs,
  stoppedEnd,
  substituteTaskRoot,
  type WrapperPlace,
  withSpoiled,
  wrapperArguments,
  wrapperScript,
  writeStopMark,
} from "../exec/core/index.ts";
export { checkAsk } from "../kernel/index.ts";
export { createFolderSource } from "../lang/core/index.ts";
export { type ProgramOutcome, type ProgramRequest, runProgram } from "../process/index.ts";
export {
  columnsDigest,
  equalRows,
  identityOf,
  inOrder,
  lastOfEachInput,
  requireWholeRows,
  sampleOf,
  scopeIdentity,
} from "../store/predictions/index.ts";
