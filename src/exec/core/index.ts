/** exec/core: what an executor is, and the pieces that executors share. */
export {
  type EndFacts,
  ensureStreams,
  parseExitCode,
  parseUsage,
  readAttemptEnd,
  readExitCode,
  type StopReason,
  type UsageFile,
  usageOf,
  writeStopMark,
} from "./attempt-files.ts";
export {
  type AttemptPaths,
  attemptHostPath,
  attemptPaths,
  belowTaskRoot,
  substituteTaskRoot,
} from "./attempt-paths.ts";
export type {
  Attempt,
  AttemptEnd,
  AttemptState,
  Executor,
  ExecutorAbilities,
  ImageResolver,
  PinnedImage,
  Usage,
} from "./executor.ts";
export { explainExit } from "./exit-codes.ts";
export { type InputMount, type PrepareOptions, prepareAttempt, settleInputs } from "./prepare-attempt.ts";
export {
  type ScriptedEnd,
  ScriptedExecutor,
  type ScriptedOptions,
  ScriptedWorld,
  scriptedRefusal,
} from "./scripted-executor.ts";
export { type WrapperPlace, wrapperArguments } from "./wrapper.ts";
