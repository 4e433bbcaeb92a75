/** A task that failed, and with it the run. */
import type { TaskFailure } from "../../../task/index.ts";

export class FailedTask extends Error {
  override readonly name = "FailedTask";
  readonly path: string;
  readonly failure: TaskFailure;

  /** Whether tasks that run may come to their end. */
  readonly others: "finish" | "terminate";

  constructor(path: string, failure: TaskFailure, others: "finish" | "terminate") {
    super(failure.message);
    this.others = others;
    this.path = path;
    this.failure = failure;
  }
}

/** The run was cancelled from outside, or stopped by another failure. */
export class CancelledTask extends Error {
  override readonly name = "CancelledTask";
}

/** In the words that people search logs for. */
export function causeOf(title: string, failure: TaskFailure): string {
  return failure.kind === "exit-code" && failure.cause === undefined
    ? `Process \`${title}\` terminated with an error exit status (${failure.exitCode ?? "-"})`
    : failure.message;
}
