/** A call as the parts of its life hand it on. */
import type { PinnedImage } from "../exec/core/index.ts";
import type { OutputCollector } from "../lang/core/index.ts";
import type { TaskCall, TaskFailure } from "../task/index.ts";
import type { RunExecutor } from "./run-executors.ts";

export interface CallOrder {
  readonly task: TaskCall;
  readonly collect: OutputCollector;
  readonly where: RunExecutor;
  readonly image?: PinnedImage;
}

/** How a call ends without a result. */
export type Ended =
  | { readonly kind: "failed"; readonly failure: TaskFailure }
  | { readonly kind: "cancelled" };
