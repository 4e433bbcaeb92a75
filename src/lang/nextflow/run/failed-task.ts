/** A task that failed, and with it the run. */
import type { TaskFailure } from "../../../task/index.ts";

export class FailedTask extends Error {
  override readonly name = "FailedTask";
  readonly path: string;
  readonly failure: TaskFailure;

  constructor(path: string, failure: TaskFailure) {
    super(failure.message);
    this.path = path;
    this.failure = failure;
  }
}

/** The run was cancelled from outside, or stopped by another failure. */
export class CancelledTask extends Error {
  override readonly name = "CancelledTask";
}
