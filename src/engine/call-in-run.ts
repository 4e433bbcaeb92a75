/** A call as its run executes it: with the user's variables, and on the executor that the user chose for the task. */
import type { TaskCall } from "../task/index.ts";
import { withPassedEnv } from "./identify-call.ts";
import type { WorkflowRunParts } from "./run-parts.ts";

export function callInRun(
  asked: TaskCall,
  {
    passedEnv,
    executorOf,
    openExecutor,
  }: Pick<WorkflowRunParts, "passedEnv" | "executorOf" | "openExecutor">,
): TaskCall {
  const task = withPassedEnv(asked, passedEnv);
  // What the document itself names stays.
  const executor = task.executor ?? executorOf?.(task) ?? (openExecutor && task.preferredExecutor);
  return executor === task.executor || executor === undefined ? task : { ...task, executor };
}
