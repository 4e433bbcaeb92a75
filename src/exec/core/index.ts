/** exec/core: what an executor is, and the pieces that executors share. */
export { apptainerLines } from "./apptainer-lines.ts";
export {
  type EndFacts,
  ensureStreams,
  readAttemptEnd,
  readExitCode,
  type StopReason,
  stoppedEnd,
  withSpoiled,
  writeStopMark,
} from "./attempt-files.ts";
export {
  type AttemptPaths,
  attemptHostPath,
  attemptPaths,
  placeOf,
  substituteTaskRoot,
} from "./attempt-paths.ts";
export {
  type ContainedTask,
  containedWords,
  environmentScript,
  mountFields,
  plainMountPath,
  unsettableVariable,
} from "./contained-task.ts";
export { type ContainerMount, containerMounts, rootCapabilities } from "./container-mounts.ts";
export { environmentIdentity, identityTools, taskEnvironment } from "./environment.ts";
export type {
  Attempt,
  AttemptEnd,
  AttemptState,
  Executor,
  ExecutorAbilities,
  ImageOrder,
  ImageResolver,
  ImageStart,
  PinnedImage,
  Usage,
} from "./executor.ts";
export {
  type CheckAnswer,
  type CreatedExecutor,
  checkExecutorOptions,
  type ExecutorCheck,
  type ExecutorKind,
  type ExecutorOption,
  type ExecutorOptions,
  type ExecutorWorld,
} from "./executor-kind.ts";
export {
  forgetSubmission,
  isClaimed,
  type JobPaths,
  jobPaths,
  readJobFile,
  readSubmissionLines,
  requestJobEnd,
  writeSubmissionLines,
} from "./job-files.ts";
export {
  attemptText,
  type JobAttempt,
  type JobScriptOrder,
  jobScript,
  quoted,
  runScript,
} from "./job-script.ts";
export { mixedKind } from "./mixed-executor.ts";
export { perlWrapper } from "./perl-wrapper.ts";
export {
  type InputMount,
  type PrepareOptions,
  placedInputs,
  placedLinks,
  prepareAttempt,
  type Staging,
  settleInputs,
} from "./prepare-attempt.ts";
export { type JobPlace, prepareJob } from "./prepare-job.ts";
export {
  type ScriptedEnd,
  ScriptedExecutor,
  type ScriptedOptions,
  ScriptedWorld,
} from "./scripted-executor.ts";
export { type SharedAttempt, SharedAttemptFiles } from "./shared-attempt-files.ts";
export { WatchLoop } from "./watch-loop.ts";
export { containerStopSignal, type WrapperPlace, wrapperArguments, wrapperScript } from "./wrapper.ts";
