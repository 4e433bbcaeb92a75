import { expect, it } from "vitest";
import { AppError } from "../../kernel/index.ts";
import { failureOf, failureOfResult, taskReason } from "./run-failures.ts";

it.each([
  ["RUN_INPUT_MISSING", "INPUT_URI_NOT_FOUND"],
  ["RUN_INPUT_MODIFIED", "MODIFIED_INPUT_RESOURCE"],
  ["RUN_EXPORT_FAILED", "EXPORT_FAILED"],
  ["DISK_FULL", "FILE_SYSTEM_OUT_OF_SPACE"],
  ["FILE_NOT_FOUND", "WORKFLOW_RUN_FAILED"],
] as const)("%s is the service's %s, with what happened and what to do", (code, reason) => {
  const error = new AppError(code, "reading x");
  expect(failureOf(error)).toEqual({
    status: "FAILED",
    failureReason: reason,
    statusMessage: `reading x. ${error.hint}`,
  });
});

it("an internal error shows clients no details", () => {
  expect(failureOf(new TypeError("/root/secret"))).toEqual({
    status: "FAILED",
    failureReason: "SERVICE_ERROR",
    statusMessage: "an internal error; the server's log says more",
  });
});

it.each([
  ["out-of-memory", "OUT_OF_MEMORY_ERROR"],
  ["timed-out", "TASK_TIMED_OUT"],
  ["image-unavailable", "IMAGE_VERIFICATION_FAILURE"],
  ["input-unavailable", "IMPORT_FAILED"],
  ["resources-unavailable", "INVALID_TASK_RESOURCE_VALUE"],
  ["lost", "SERVICE_ERROR"],
  ["exit-code", "RUN_TASK_FAILED"],
  ["output-missing", "RUN_TASK_FAILED"],
] as const)("a task that failed by %s, and the run that it ended, have the reason %s", (kind, reason) => {
  const failure = { kind, message: "m".repeat(2_000), attempts: 1 };
  expect(taskReason(failure)).toBe(reason);
  const result = { failures: [{ kind: "task", call: "wf.t", failure }] } as never;
  const reported = failureOfResult(result);
  expect(reported).toMatchObject({
    failureReason: reason,
    statusMessage: expect.stringMatching(/^wf\.t: mmm/),
  });
  expect(reported.statusMessage).toHaveLength(1_000);
});

it("a run that failed without a failure says so all the same", () => {
  expect(failureOfResult({ failures: [] } as never)).toMatchObject({
    failureReason: "WORKFLOW_RUN_FAILED",
    statusMessage: "the workflow failed",
  });
});
