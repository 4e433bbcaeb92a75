/** The records that a run of the server refers to: its group, its cache and its workflow. */
import { AppError } from "../../kernel/index.ts";
import type {
  DefinitionRecord,
  Ledger,
  RunCacheRecord,
  RunGroupRecord,
  RunRecord,
} from "../../ledger/index.ts";

export function groupOf(ledger: Ledger, run: RunRecord): RunGroupRecord | undefined {
  return run.runGroupId === undefined ? undefined : ledger.runGroups.get(run.account, run.runGroupId);
}

export function cacheOf(ledger: Ledger, run: RunRecord): RunCacheRecord | undefined {
  return run.cacheId === undefined ? undefined : ledger.runCaches.get(run.account, run.cacheId);
}

/** As it was when the run was submitted; a workflow may be deleted while its runs wait. */
export function definitionOf(ledger: Ledger, run: RunRecord): NonNullable<RunRecord["definition"]> {
  const definition = run.definition ?? storedDefinition(ledger, run);
  if (definition === undefined)
    throw new AppError("WORKFLOW_NOT_FOUND", `starting run ${run.id}: its workflow was deleted`);
  return definition;
}

/** Of the run's workflow or version, when that is still there. */
export function storedDefinition(
  { workflows, workflowVersions }: Ledger,
  run: RunRecord,
): DefinitionRecord | undefined {
  if (run.workflowVersionName === undefined) return workflows.get(run.account, run.workflowId);
  const [version] = workflowVersions.all(run.account, {
    workflowId: run.workflowId,
    versionName: run.workflowVersionName,
  });
  return version;
}
