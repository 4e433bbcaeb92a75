/** Why a run failed, in the service's reasons and in words. */
import { type AppError, isAppError, unreachable } from "../../kernel/index.ts";
import type { RunRecord } from "../../ledger/index.ts";
import type { TaskFailure } from "../../task/index.ts";
import type { EndedRun } from "./run-process/messages.ts";

export function failureOf(error: unknown): Partial<RunRecord> & { readonly status: "FAILED" } {
  const statusMessage = (
    isAppError(error) ? `${error.message}. ${error.hint}` : "an internal error; the server's log says more"
  ).slice(0, 1000);
  return {
    status: "FAILED",
    failureReason: isAppError(error) ? reasonOf(error) : "SERVICE_ERROR",
    statusMessage,
  };
}

export const timedOut = {
  status: "FAILED",
  failureReason: "RUN_TIMED_OUT",
  statusMessage: "the run group's maxDuration has passed",
} as const;

export function failureOfResult(
  result: Pick<EndedRun, "failures">,
  titleOf: (call: string) => string | undefined = () => undefined,
): Partial<RunRecord> & { readonly status: "FAILED" } {
  const [first] = result.failures;
  if (first === undefined)
    return { status: "FAILED", failureReason: "WORKFLOW_RUN_FAILED", statusMessage: "the workflow failed" };
  if (first.kind === "evaluation")
    return {
      status: "FAILED",
      failureReason: "WORKFLOW_RUN_FAILED",
      statusMessage: first.diagnostic.text.slice(0, 1000),
    };
  return {
    status: "FAILED",
    failureReason: taskReason(first.failure),
    statusMessage: `${titleOf(first.call) ?? first.call}: ${first.failure.message}`.slice(0, 1000),
  };
}

/** The service's reason for a task that failed, and so for the run that it ended. */
export function taskReason({ kind }: TaskFailure): string {
  switch (kind) {
    case "out-of-memory":
      return "OUT_OF_MEMORY_ERROR";
    case "timed-out":
      return "TASK_TIMED_OUT";
    case "image-unavailable":
      return "IMAGE_VERIFICATION_FAILURE";
    case "input-unavailable":
      return "IMPORT_FAILED";
    case "resources-unavailable":
      return "INVALID_TASK_RESOURCE_VALUE";
    case "lost":
      return "SERVICE_ERROR";
    case "exit-code":
    case "output-missing":
      return "RUN_TASK_FAILED";
    default:
      return unreachable(kind);
  }
}

function reasonOf(error: AppError): string {
  switch (error.code) {
    case "RUN_INPUT_INVALID":
      return "INVALID_URI_INPUT";
    case "RUN_IMPORT_FAILED":
      return "IMPORT_FAILED";
    case "RUN_INPUT_MISSING":
      return "INPUT_URI_NOT_FOUND";
    case "RUN_INPUT_MODIFIED":
      return "MODIFIED_INPUT_RESOURCE";
    case "RUN_EXPORT_FAILED":
      return "EXPORT_FAILED";
    case "RUN_MEMORY_EXCEEDED":
      return "OUT_OF_MEMORY_ERROR";
    case "RUN_PROCESS_LOST":
      return "SERVICE_ERROR";
    case "DISK_FULL":
      return "FILE_SYSTEM_OUT_OF_SPACE";
    default:
      return "WORKFLOW_RUN_FAILED";
  }
}
