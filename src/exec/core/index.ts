/** exec/core: what an executor is, and the pure pieces that executors share. */
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
export {
  type ScriptedEnd,
  ScriptedExecutor,
  type ScriptedOptions,
  ScriptedWorld,
  scriptedRefusal,
} from "./scripted-executor.ts";
