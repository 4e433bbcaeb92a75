/** The records that a request names: whoever does not own one is answered as if it did not exist. */
import type { RunRecord, WorkflowRecord, WorkflowVersionRecord } from "../ledger/index.ts";
import { found, type OperationContext } from "./operation-context.ts";

/** Statuses of runs that may still read or write their cache. */
export const activeRunStatuses = ["PENDING", "STARTING", "RUNNING", "STOPPING"] as const;

/** Nothing here is Ready2Run, and nobody shares workflows: what is asked for as such does not exist. */
export function checkOwner(
  { input, caller }: Pick<OperationContext, "input" | "caller">,
  { id }: Pick<WorkflowRecord, "id">,
): void {
  const owner = input.textOr("workflowOwnerId") ?? caller.account;
  if (owner !== caller.account || (input.textOr("type") ?? "PRIVATE") !== "PRIVATE")
    found(undefined, "workflow", id);
}

export function workflowOf(context: OperationContext, id: string): WorkflowRecord {
  return found(context.parts.ledger.workflows.get(context.caller.account, id), "workflow", id);
}

export function findVersion(
  context: OperationContext,
  workflowId: string,
  versionName: string,
): WorkflowVersionRecord | undefined {
  return context.parts.ledger.workflowVersions.all(context.caller.account, { workflowId, versionName })[0];
}

export function runOf(context: OperationContext, id: string): RunRecord {
  return found(context.parts.ledger.runs.get(context.caller.account, id), "run", id);
}
