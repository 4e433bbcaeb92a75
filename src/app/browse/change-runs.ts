/** Cancelling and deleting several runs at once: each is answered for itself. */
import { AppError, type Ask, isAppError, messageOf } from "../../kernel/index.ts";
import type { Ledger, RunRecord } from "../../ledger/index.ts";
import type { Environment } from "../environment.ts";
import type { RunController } from "../omics/run-controller.ts";
import { requestCancel } from "../workflows/runs/cancel.ts";
import { deleteRuns } from "../workflows/runs/delete.ts";

export type ChangeableRun =
  /** Its folder is not there any more; it was forgotten when it was found. */
  | { readonly kind: "gone"; readonly id: string }
  | { readonly kind: "home"; readonly id: string; readonly directory: string }
  | { readonly kind: "server"; readonly id: string; readonly record: RunRecord };

export interface ChangeResult {
  readonly run: string;
  readonly done: boolean;
  readonly code?: string;
  readonly message?: string;
}

export interface ChangeParts {
  readonly ledger: Ledger;
  readonly runs: Pick<RunController, "cancelled" | "deleted">;
  readonly environment: Environment;
}

/** `find` throws RUN_NOT_FOUND. */
export async function changeEach(
  ids: readonly string[],
  find: (id: string) => Promise<ChangeableRun>,
  change: (run: ChangeableRun) => Promise<void>,
): Promise<{ readonly results: readonly ChangeResult[] }> {
  const results: ChangeResult[] = [];
  for (const id of new Set(ids)) {
    try {
      await change(await find(id));
      results.push({ run: id, done: true });
    } catch (error) {
      if (!isAppError(error)) throw error;
      results.push({ run: id, done: false, code: error.code, message: messageOf(error) });
    }
  }
  return { results };
}

/** Asks it to stop, and does not wait until it has. */
export async function cancelOne(run: ChangeableRun, parts: ChangeParts): Promise<void> {
  if (run.kind === "home") return requestCancel(run.directory);
  if (run.kind === "gone") return;
  const { ledger, runs } = parts;
  const { account, id } = run.record;
  const changed = ledger.transaction(() => {
    const current = ledger.runs.get(account, id);
    if (current === undefined || !["PENDING", "STARTING", "RUNNING", "STOPPING"].includes(current.status))
      throw new AppError("RUN_NOT_RUNNING", `cancelling ${id}: it is ${current?.status ?? "deleted"}`);
    const record: RunRecord = { ...current, cancelRequested: true };
    ledger.runs.put(record);
    return record;
  });
  runs.cancelled(changed);
}

/** Of a run of the server its record goes, and what it exported stays. */
export async function deleteOne(run: ChangeableRun, parts: ChangeParts, ask: Ask): Promise<void> {
  if (run.kind === "gone") return;
  if (run.kind === "home") {
    const { waiting } = await deleteRuns({ runs: [run.directory] }, parts.environment, ask);
    if (waiting.length > 0)
      throw new AppError(
        "RUN_STILL_RUNNING",
        `deleting ${run.id}: results of it wait to be recorded by the next run of this workflow`,
      );
    return;
  }
  const { ledger, runs } = parts;
  const { account, id } = run.record;
  ledger.transaction(() => {
    const current = ledger.runs.get(account, id);
    if (current === undefined || !["COMPLETED", "FAILED", "CANCELLED"].includes(current.status))
      throw new AppError("RUN_STILL_RUNNING", `deleting ${id}: it is ${current?.status ?? "deleted"}`);
    for (const task of ledger.tasks.all(account, { runId: id })) ledger.tasks.remove(account, task.id);
    ledger.runs.remove(account, id);
  });
  runs.deleted(run.record);
}
