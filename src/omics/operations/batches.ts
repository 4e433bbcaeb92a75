/**
 * Batches of runs: https://docs.aws.amazon.com/omics/latest/api/API_StartRunBatch.html and related operations. Settings are
 * merged (the run's own win), written down, and submitted one after the other while the request is long answered.
 */

import { randomUUID } from "node:crypto";
import { RawJson } from "../../http/index.ts";
import { defined } from "../../kernel/index.ts";
import type { BatchRecord } from "../../ledger/index.ts";
import { ServiceException } from "../../protocol/index.ts";
import { activeRunStatuses, workflowOf } from "../find-records.ts";
import {
  arnOf,
  found,
  Input,
  listPage,
  type OperationContext,
  type OperationHandler,
  type OperationTable,
  pageBody,
} from "../operation-context.ts";
import { checkOwnWorkflow, refuseSessionPolicy } from "../submit-run.ts";
import { inTurns } from "./batch-pages.ts";
import { refuseLargeParameters, settingsOf } from "./batch-settings.ts";
import { deleteRuns, removeItems, stopBatch, submitBatch } from "./batch-work.ts";

const startRunBatch: OperationHandler = async (context) => {
  const { caller, parts, input } = context;
  const { ledger } = parts;
  const defaults = new Input(input.record("defaultRunSetting"));
  refuseSessionPolicy(defaults.textOr("sessionPolicy"));
  refuseLargeParameters(context.raw("defaultRunSetting") ?? "{}");
  checkOwnWorkflow({ input: defaults, caller }, defaults.text("workflowId"));
  if (defaults.has("cacheBehavior") && !defaults.has("cacheId"))
    throw new ServiceException("ValidationException", "A cacheBehavior needs a cacheId.");
  const workflow = workflowOf(context, defaults.text("workflowId"));
  const settings = await settingsOf(context);
  const runGroupId = defaults.textOr("runGroupId");
  const name = input.textOr("batchName");
  const batch: BatchRecord = {
    account: caller.account,
    id: ledger.nextId(),
    uuid: randomUUID(),
    createdAt: parts.now().toISOString(),
    tags: input.tags(),
    status: "PENDING",
    totalRuns: settings.length,
    workflowId: workflow.id,
    ...defined({ runGroupId, name }),
    defaultRunSetting: context.raw("defaultRunSetting") ?? "{}",
  };
  const answer = {
    id: batch.id,
    arn: arnOf(context, batch.account, `runBatch/${batch.id}`),
    status: "CREATING",
    uuid: batch.uuid,
    tags: batch.tags,
  };
  // Nobody sees runs of a batch that is not there yet; those of one that never came are removed at the next start.
  await inTurns(parts, settings, ({ id, text }) =>
    ledger.batchRuns.insert({
      account: caller.account,
      id: `${batch.id}/${id}`,
      createdAt: batch.createdAt,
      tags: {},
      batchId: batch.id,
      runSettingId: id,
      setting: text,
    }),
  );
  context.create(() => ledger.batches.insert(batch), answer);
  submitBatch(context, batch.id).catch((error) => parts.onBug?.(error));
  return answer;
};

const getBatch: OperationHandler = async (context) => {
  const batch = settled(context, batchOf(context, context.input.text("batchId")));
  const { batchRuns, runs } = context.parts.ledger;
  const where = { batchId: batch.id };
  const submitted = (submissionStatus: string) =>
    batchRuns.count(batch.account, { ...where, submissionStatus });
  const inState = (status: string) => runs.count(batch.account, { ...where, status });
  const failed = submitted("FAILED");
  const changed =
    submitted("CANCEL_SUCCESS") +
    submitted("CANCEL_FAILED") +
    submitted("DELETE_SUCCESS") +
    submitted("DELETE_FAILED");
  const answered = submitted("SUCCESS") + changed;
  return {
    id: batch.id,
    arn: arnOf(context, batch.account, `runBatch/${batch.id}`),
    uuid: batch.uuid,
    name: batch.name,
    status: batch.status,
    tags: batch.tags,
    totalRuns: batch.totalRuns,
    defaultRunSetting: new RawJson(batch.defaultRunSetting),
    submissionSummary: {
      successfulStartSubmissionCount: answered,
      failedStartSubmissionCount: failed,
      pendingStartSubmissionCount: batchRuns.count(batch.account, where) - answered - failed,
      successfulCancelSubmissionCount: submitted("CANCEL_SUCCESS"),
      failedCancelSubmissionCount: submitted("CANCEL_FAILED"),
      successfulDeleteSubmissionCount: submitted("DELETE_SUCCESS"),
      failedDeleteSubmissionCount: submitted("DELETE_FAILED"),
    },
    runSummary: {
      pendingRunCount: inState("PENDING"),
      startingRunCount: inState("STARTING"),
      runningRunCount: inState("RUNNING"),
      stoppingRunCount: inState("STOPPING"),
      completedRunCount: inState("COMPLETED"),
      failedRunCount: inState("FAILED"),
      cancelledRunCount: inState("CANCELLED"),
      deletedRunCount: submitted("DELETE_SUCCESS"),
    },
    creationTime: batch.createdAt,
    submittedTime: batch.submittedTime,
    processedTime: batch.processedTime,
    failedTime: batch.failedTime,
    failureReason: batch.failureReason,
  };
};

const listBatch: OperationHandler = async (context) => {
  const { input, parts } = context;
  oneFilter(context, ["status", "name", "runGroupId"]);
  const where = {
    status: input.textOr("status"),
    name: input.textOr("name"),
    runGroupId: input.textOr("runGroupId"),
  };
  const page = listPage(context, parts.ledger.batches, where, { name: "maxItems" });
  return pageBody(page, (stored) => {
    const batch = settled(context, stored);
    return {
      id: batch.id,
      name: batch.name,
      status: batch.status,
      createdAt: batch.createdAt,
      totalRuns: batch.totalRuns,
      workflowId: batch.workflowId,
    };
  });
};

const listRunsInBatch: OperationHandler = async (context) => {
  const { input, parts } = context;
  const batch = batchOf(context, input.text("batchId"));
  oneFilter(context, ["submissionStatus", "runSettingId", "runId"]);
  const where = {
    batchId: batch.id,
    submissionStatus: input.textOr("submissionStatus"),
    runSettingId: input.textOr("runSettingId"),
    runId: input.textOr("runId"),
  };
  const page = listPage(context, parts.ledger.batchRuns, where, { name: "maxItems" });
  const runs = page.items.map((item) => {
    const run = item.runId === undefined ? undefined : parts.ledger.runs.get(item.account, item.runId);
    return {
      runSettingId: item.runSettingId,
      runId: item.runId,
      runInternalUuid: run?.uuid,
      runArn: item.runId === undefined ? undefined : arnOf(context, item.account, `run/${item.runId}`),
      submissionStatus: item.submissionStatus,
      submissionFailureReason: item.submissionFailureReason,
      submissionFailureMessage: item.submissionFailureMessage,
    };
  });
  return { runs, ...defined({ nextToken: page.nextToken }) };
};

const cancelRunBatch: OperationHandler = async (context) => {
  const { parts } = context;
  const batch = settled(context, batchOf(context, context.input.text("batchId")));
  if (!["PENDING", "SUBMITTING", "INPROGRESS"].includes(batch.status))
    throw new ServiceException(
      "ConflictException",
      `The batch ${batch.id} is ${batch.status} and cannot be cancelled.`,
    );
  await stopBatch(parts, batch);
  return undefined;
};

/** Deletes the ended runs of a batch; outputs stay. */
const deleteRunBatch: OperationHandler = async (context) => {
  const batch = settled(context, batchOf(context, context.input.text("batchId")));
  if (batch.status !== "PROCESSED" && batch.status !== "CANCELLED")
    throw new ServiceException(
      "ConflictException",
      `The batch ${batch.id} is ${batch.status}: its runs cannot be deleted.`,
    );
  await deleteRuns(context.parts, batch);
  return undefined;
};

/** Metadata of the batch itself. */
const deleteBatch: OperationHandler = async (context) => {
  const { ledger } = context.parts;
  const batch = settled(context, batchOf(context, context.input.text("batchId")));
  if (["CREATING", "PENDING", "SUBMITTING", "INPROGRESS", "STOPPING", "RUNS_DELETING"].includes(batch.status))
    throw new ServiceException(
      "ConflictException",
      `The batch ${batch.id} is ${batch.status} and cannot be deleted.`,
    );
  // Its runs go first: what a killed server leaves of them can be deleted again.
  await removeItems(context.parts, batch.account, batch.id);
  ledger.batches.remove(batch.account, batch.id);
  return undefined;
};

/** A batch whose runs have all ended is PROCESSED, from whenever somebody looks. */
function settled(context: OperationContext, batch: BatchRecord): BatchRecord {
  if (batch.status !== "INPROGRESS") return batch;
  const { ledger } = context.parts;
  const active = activeRunStatuses.some(
    (status) => ledger.runs.count(batch.account, { batchId: batch.id, status }) > 0,
  );
  if (active) return batch;
  const processed = { ...batch, status: "PROCESSED", processedTime: context.parts.now().toISOString() };
  ledger.batches.put(processed);
  return processed;
}

function batchOf(context: OperationContext, id: string): BatchRecord {
  return found(context.parts.ledger.batches.get(context.caller.account, id), "batch", id);
}

function oneFilter(context: OperationContext, names: readonly string[]): void {
  const given = names.filter((name) => context.input.has(name));
  if (given.length > 1)
    throw new ServiceException(
      "ValidationException",
      `Only one filter can be given, got ${given.join(" and ")}.`,
    );
}

export const batches = {
  StartRunBatch: startRunBatch,
  GetBatch: getBatch,
  ListBatch: listBatch,
  ListRunsInBatch: listRunsInBatch,
  CancelRunBatch: cancelRunBatch,
  DeleteRunBatch: deleteRunBatch,
  DeleteBatch: deleteBatch,
} as const satisfies OperationTable;
