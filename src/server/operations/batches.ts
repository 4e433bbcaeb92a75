/**
 * Batches of runs: https://docs.aws.amazon.com/omics/latest/api/API_StartRunBatch.html and its neighbours. Settings are
 * merged (the run's own win), written down, and submitted one after the other while the request is long answered.
 */
import { randomUUID } from "node:crypto";
import { freshAsk, messageOf } from "../../kernel/index.ts";
import type { BatchRecord, BatchRunRecord, CacheBehavior, RunRecord } from "../../ledger/index.ts";
import {
  batchSettingsFile,
  faultsMessage,
  rawMember,
  ServiceException,
  validateMembers,
} from "../../protocol/index.ts";
import { RawJson } from "../http.ts";
import {
  arnOf,
  found,
  Input,
  listPage,
  type OperationContext,
  type OperationHandler,
  type OperationTable,
  pageBody,
  readNamedText,
} from "../operation-context.ts";
import type { ServerParts } from "../parts.ts";
import {
  checkOwnWorkflow,
  echoedRunMembers,
  prepareRun,
  type RunSettings,
  refuseSessionPolicy,
  removeRun,
} from "../submit-run.ts";
import { activeRunStatuses } from "./run-caches.ts";
import { workflowOf } from "./workflows.ts";

const settingsFileBytes = 64 * 1024 * 1024;

const startRunBatch: OperationHandler = async (context) => {
  const { caller, parts, input } = context;
  const { ledger } = parts;
  const defaults = new Input(input.record("defaultRunSetting"));
  refuseSessionPolicy(defaults.textOr("sessionPolicy"));
  checkOwnWorkflow({ input: defaults, caller }, defaults.text("workflowId"));
  if (defaults.has("cacheBehavior") && !defaults.has("cacheId"))
    throw new ServiceException("ValidationException", "A cacheBehavior needs a cacheId.");
  const workflow = workflowOf(context, defaults.text("workflowId"));
  const settings = await settingsOf(context);
  const ids = new Set(settings.map((setting) => setting.id));
  if (ids.size !== settings.length)
    throw new ServiceException("ValidationException", "Every runSettingId must be unique within the batch.");
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
    ...(runGroupId === undefined ? {} : { runGroupId }),
    ...(name === undefined ? {} : { name }),
    defaultRunSetting: context.raw("defaultRunSetting") ?? "{}",
  };
  const answer = {
    id: batch.id,
    arn: arnOf(context, batch.account, `runBatch/${batch.id}`),
    status: "CREATING",
    uuid: batch.uuid,
    tags: batch.tags,
  };
  const write = () => {
    ledger.batches.insert(batch);
    for (const { id, text } of settings) {
      ledger.batchRuns.insert({
        account: caller.account,
        id: `${batch.id}/${id}`,
        createdAt: batch.createdAt,
        tags: {},
        batchId: batch.id,
        runSettingId: id,
        setting: text,
      });
    }
  };
  context.create(write, answer);
  submitBatch(context, batch.id).catch((error) => parts.onBug?.(error));
  return answer;
};

const getBatch: OperationHandler = async (context) => {
  const batch = settled(context, batchOf(context, context.input.text("batchId")));
  const submissions = context.parts.ledger.batchRuns.all(batch.account, { batchId: batch.id });
  const runs = context.parts.ledger.runs.all(batch.account, { batchId: batch.id });
  const submitted = (status: string) => submissions.filter((item) => item.submissionStatus === status).length;
  const inState = (...states: readonly string[]) => runs.filter((run) => states.includes(run.status)).length;
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
      successfulStartSubmissionCount: submissions.filter((item) => item.runId !== undefined).length,
      failedStartSubmissionCount: submitted("FAILED"),
      pendingStartSubmissionCount: submissions.filter((item) => item.submissionStatus === undefined).length,
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
  return { runs, ...(page.nextToken === undefined ? {} : { nextToken: page.nextToken }) };
};

const cancelRunBatch: OperationHandler = async (context) => {
  const { parts } = context;
  const batch = settled(context, batchOf(context, context.input.text("batchId")));
  if (!["PENDING", "SUBMITTING", "INPROGRESS"].includes(batch.status))
    throw new ServiceException(
      "ConflictException",
      `The batch ${batch.id} is ${batch.status} and cannot be cancelled.`,
    );
  const { ledger } = parts;
  const stopped: RunRecord[] = [];
  ledger.transaction(() => {
    ledger.batches.put({ ...batch, status: "CANCELLED", processedTime: parts.now().toISOString() });
    for (const item of ledger.batchRuns.all(batch.account, { batchId: batch.id })) {
      const run = item.runId === undefined ? undefined : ledger.runs.get(batch.account, item.runId);
      const active = run !== undefined && activeRunStatuses.some((status) => status === run.status);
      if (!active) continue;
      const changed = { ...run, cancelRequested: true };
      ledger.runs.put(changed);
      ledger.batchRuns.put({ ...item, submissionStatus: "CANCEL_SUCCESS" });
      stopped.push(changed);
    }
  });
  for (const run of stopped) parts.runs.cancelled(run);
  return undefined;
};

/** Deletes the ended runs of a batch; outputs stay. */
const deleteRunBatch: OperationHandler = async (context) => {
  const { ledger } = context.parts;
  const batch = settled(context, batchOf(context, context.input.text("batchId")));
  if (batch.status !== "PROCESSED" && batch.status !== "CANCELLED")
    throw new ServiceException(
      "ConflictException",
      `The batch ${batch.id} is ${batch.status}: its runs cannot be deleted.`,
    );
  ledger.transaction(() => {
    for (const item of ledger.batchRuns.all(batch.account, { batchId: batch.id })) {
      if (item.runId === undefined) continue;
      const run = ledger.runs.get(batch.account, item.runId);
      const active = run !== undefined && activeRunStatuses.some((status) => status === run.status);
      if (!active && run !== undefined) removeRun(context, run);
      ledger.batchRuns.put({ ...item, submissionStatus: active ? "DELETE_FAILED" : "DELETE_SUCCESS" });
    }
    ledger.batches.put({ ...batch, status: "RUNS_DELETED" });
  });
  return undefined;
};

/** Metadata of the batch itself. */
const deleteBatch: OperationHandler = async (context) => {
  const { ledger } = context.parts;
  const batch = settled(context, batchOf(context, context.input.text("batchId")));
  if (["CREATING", "PENDING", "SUBMITTING", "INPROGRESS", "STOPPING"].includes(batch.status))
    throw new ServiceException(
      "ConflictException",
      `The batch ${batch.id} is ${batch.status} and cannot be deleted.`,
    );
  ledger.transaction(() => {
    for (const item of ledger.batchRuns.all(batch.account, { batchId: batch.id }))
      ledger.batchRuns.remove(item.account, item.id);
    ledger.batches.remove(batch.account, batch.id);
  });
  return undefined;
};

/** Batches that a stopped server left half submitted go on. */
export function resumeBatches(parts: ServerParts): void {
  for (const status of ["PENDING", "SUBMITTING"])
    for (const { account, id } of parts.ledger.batches.all(undefined, { status })) {
      const caller = { account, accessKeyId: "", region: parts.region };
      const context: OperationContext = {
        ...{ caller, parts, input: new Input({}), raw: () => undefined, ask: freshAsk() },
        definitionUrl: () => undefined,
        bodies: new WeakMap(),
        create: (write, answer) => {
          write();
          return answer;
        },
      };
      submitBatch(context, id).catch((error) => parts.onBug?.(error));
    }
}

/** Submits what has not been submitted yet. */
async function submitBatch(context: OperationContext, batchId: string): Promise<void> {
  const { ledger } = context.parts;
  const account = context.caller.account;
  const begin = ledger.batches.get(account, batchId);
  if (begin === undefined || begin.status === "CANCELLED") return;
  ledger.batches.put({ ...begin, status: "SUBMITTING" });
  for (const item of ledger.batchRuns.all(account, { batchId })) {
    if (item.submissionStatus !== undefined) continue;
    // Others get a turn between two submissions: a batch may be 100,000 runs long.
    await new Promise((resolve) => setImmediate(resolve));
    const batch = ledger.batches.get(account, batchId);
    if (batch === undefined || batch.status === "CANCELLED") return;
    await submitItem(context, batch, item);
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

function mergedSettings(batch: BatchRecord, item: BatchRunRecord): RunSettings {
  const defaults = new Input(JSON.parse(batch.defaultRunSetting) as Readonly<Record<string, unknown>>);
  const own = new Input(JSON.parse(item.setting) as Readonly<Record<string, unknown>>);
  return {
    workflowId: batch.workflowId,
    workflowVersionName: defaults.textOr("workflowVersionName"),
    name: own.textOr("name") ?? defaults.textOr("name"),
    cacheId: defaults.textOr("cacheId"),
    cacheBehavior: defaults.textOr("cacheBehavior") as CacheBehavior | undefined,
    runGroupId: defaults.textOr("runGroupId"),
    batchId: batch.id,
    priority: own.numberOr("priority") ?? defaults.numberOr("priority"),
    parameters: mergedParameters(batch.defaultRunSetting, item.setting),
    roleArn: defaults.text("roleArn"),
    outputUri: own.textOr("outputUri") ?? defaults.textOr("outputUri") ?? "",
    logLevel: defaults.textOr("logLevel"),
    retentionMode: defaults.textOr("retentionMode") as RunRecord["retentionMode"] | undefined,
    storageType: defaults.textOr("storageType"),
    storageCapacity: defaults.numberOr("storageCapacity"),
    tags: { ...defaults.tags("runTags"), ...own.tags("runTags") },
    echoed: defaults.pick(echoedRunMembers),
  };
}

/** Parameters of both, as raw texts; the run's own win. */
function mergedParameters(defaults: string, own: string): string {
  const merged = new Map<string, string>();
  for (const setting of [defaults, own]) {
    const text = rawMember(setting, "parameters") ?? "{}";
    const names = Object.keys(JSON.parse(text) as Readonly<Record<string, unknown>>);
    for (const name of names) merged.set(name, rawMember(text, name) ?? "null");
  }
  return `{${[...merged].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}

async function settingsOf(context: OperationContext): Promise<readonly { id: string; text: string }[]> {
  const given = new Input(context.input.record("batchRunSettings"));
  const uri = given.textOr("s3UriSettings");
  const text =
    uri === undefined
      ? (rawMember(context.raw("batchRunSettings") ?? "{}", "inlineSettings") ?? "[]")
      : await readNamedText(context, uri, settingsFileBytes);
  const settings = parseSettings(text);
  const faults = validateMembers({ settings: { shape: batchSettingsFile, required: true } }, { settings });
  if (faults.length > 0)
    throw new ServiceException("ValidationException", faultsMessage(faults.slice(0, 20)));
  return rawItems(text).map((item, index) => {
    const setting = settings[index] as { readonly runSettingId: string };
    return { id: setting.runSettingId, text: item };
  });
}

function parseSettings(text: string): readonly unknown[] {
  try {
    const settings = JSON.parse(text) as unknown;
    if (Array.isArray(settings)) return settings;
  } catch {
    // Told below, like any other text that is no list.
  }
  throw new ServiceException("ValidationException", "The run settings of the batch are not a JSON list.");
}

/** The raw texts of a JSON list's items: each is read as the member of an object, which keeps numbers as written. */
function rawItems(text: string): readonly string[] {
  const items: string[] = [];
  const count = (JSON.parse(text) as readonly unknown[]).length;
  let rest = text.trim().slice(1);
  for (let index = 0; index < count; index++) {
    const item = rawMember(`{"item":${rest}`, "item") ?? "null";
    items.push(item);
    rest = rest.slice(rest.indexOf(item) + item.length).replace(/^\s*,/, "");
  }
  return items;
}

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
