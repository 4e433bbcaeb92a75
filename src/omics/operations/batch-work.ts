/** The work on a batch after its request was answered: submitting, cancelling, deleting, also after a restart. */
import { freshAsk, messageOf } from "../../kernel/index.ts";
import type { BatchRecord, BatchRunRecord, RunRecord } from "../../ledger/index.ts";
import { ServiceException } from "../../protocol/index.ts";
import { activeRunStatuses } from "../find-records.ts";
import { Input, type OperationContext } from "../operation-context.ts";
import type { ServerParts } from "../parts.ts";
import { prepareRun, removeRun } from "../submit-run.ts";
import { eachRun, inTurns, nextTurn, pagesOf } from "./batch-pages.ts";
import { mergedSettings } from "./batch-settings.ts";

export async function stopBatch(parts: ServerParts, batch: BatchRecord): Promise<void> {
  const { ledger } = parts;
  // From here on no further run is submitted.
  ledger.batches.put({ ...batch, status: "STOPPING" });
  const stopped: RunRecord[] = [];
  await eachRun(parts, batch, (item) => {
    const run = item.runId === undefined ? undefined : ledger.runs.get(batch.account, item.runId);
    const active = run !== undefined && activeRunStatuses.some((status) => status === run.status);
    if (!active) return;
    const changed = { ...run, cancelRequested: true };
    ledger.runs.put(changed);
    ledger.batchRuns.put({ ...item, submissionStatus: "CANCEL_SUCCESS" });
    stopped.push(changed);
  });
  await inTurns(parts, stopped, (run) => parts.runs.cancelled(run));
  ledger.batches.put({ ...batch, status: "CANCELLED", processedTime: parts.now().toISOString() });
}

export async function deleteRuns(parts: ServerParts, batch: BatchRecord): Promise<void> {
  const { ledger } = parts;
  ledger.batches.put({ ...batch, status: "RUNS_DELETING" });
  await eachRun(parts, batch, (item) => {
    if (item.runId === undefined) return;
    const run = ledger.runs.get(batch.account, item.runId);
    const active = run !== undefined && activeRunStatuses.some((status) => status === run.status);
    if (!active && run !== undefined) removeRun({ parts }, run);
    ledger.batchRuns.put({ ...item, submissionStatus: active ? "DELETE_FAILED" : "DELETE_SUCCESS" });
  });
  ledger.batches.put({ ...batch, status: "RUNS_DELETED" });
}

export async function removeItems(parts: ServerParts, account: string, batchId: string): Promise<void> {
  const { batchRuns } = parts.ledger;
  await eachRun(parts, { account, id: batchId }, (item) => {
    batchRuns.remove(item.account, item.id);
  });
}

/** Batches that a stopped server left half made, half submitted, half cancelled or half deleted. */
export function resumeBatches(parts: ServerParts): void {
  const { batches } = parts.ledger;
  const report = (error: unknown) => parts.onBug?.(error);
  removeOrphans(parts).catch(report);
  for (const batch of batches.all(undefined, { status: "STOPPING" })) stopBatch(parts, batch).catch(report);
  for (const batch of batches.all(undefined, { status: "RUNS_DELETING" }))
    deleteRuns(parts, batch).catch(report);
  for (const status of ["PENDING", "SUBMITTING"])
    for (const { account, id } of batches.all(undefined, { status })) {
      const caller = { account, accessKeyId: "", region: parts.region, isOperator: false };
      const context: OperationContext = {
        ...{ caller, parts, input: new Input({}), raw: () => undefined, ask: freshAsk() },
        definitionUrl: () => undefined,
        bodies: new WeakMap(),
        create: (write, answer) => {
          write();
          return answer;
        },
      };
      submitBatch(context, id).catch(report);
    }
}

/** Runs of batches whose request ended before the batch was there. */
async function removeOrphans(parts: ServerParts): Promise<void> {
  const { batches, batchRuns } = parts.ledger;
  for (const { account, value: batchId } of batchRuns.values("batchId"))
    if (batches.get(account, batchId) === undefined) await removeItems(parts, account, batchId);
}

/** Submits what has not been submitted yet. */
export async function submitBatch(context: OperationContext, batchId: string): Promise<void> {
  const { ledger } = context.parts;
  const account = context.caller.account;
  const begin = ledger.batches.get(account, batchId);
  if (begin?.status !== "PENDING" && begin?.status !== "SUBMITTING") return;
  ledger.batches.put({ ...begin, status: "SUBMITTING" });
  for await (const items of pagesOf(context.parts, begin)) {
    for (const item of items) {
      if (item.submissionStatus !== undefined) continue;
      await nextTurn();
      const batch = ledger.batches.get(account, batchId);
      if (batch?.status !== "SUBMITTING") return;
      await submitItem(context, batch, item);
    }
  }
  const batch = ledger.batches.get(account, batchId);
  if (batch !== undefined && batch.status === "SUBMITTING")
    ledger.batches.put({ ...batch, status: "INPROGRESS", submittedTime: context.parts.now().toISOString() });
}

async function submitItem(
  context: OperationContext,
  batch: BatchRecord,
  item: BatchRunRecord,
): Promise<void> {
  const { ledger } = context.parts;
  try {
    const run = await prepareRun(context, mergedSettings(batch, item));
    const stillWanted = ledger.transaction(() => {
      // The batch may have been cancelled or deleted while the run was prepared.
      if (ledger.batches.get(batch.account, batch.id)?.status !== "SUBMITTING") return false;
      ledger.runs.insert(run);
      ledger.batchRuns.put({ ...item, submissionStatus: "SUCCESS", runId: run.id });
      return true;
    });
    if (stillWanted) context.parts.runs.submitted(run);
  } catch (error) {
    const known = error instanceof ServiceException;
    if (!known) context.parts.onBug?.(error);
    ledger.batchRuns.put({
      ...item,
      submissionStatus: "FAILED",
      submissionFailureReason: known ? error.name : "InternalServerException",
      submissionFailureMessage: known ? error.message : messageOf(error),
    });
  }
}
