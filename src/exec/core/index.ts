/** exec/core: what an executor is. */
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
