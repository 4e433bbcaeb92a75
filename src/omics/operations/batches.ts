/**
 * Batches of runs: https://docs.aws.amazon.com/omics/latest/api/API_StartRunBatch.html and related operations. Settings are
 * merged (the run's own win), written down, and submitted one after the other while the request is long answered.
 */
import { randomUUID } from "node:crypto";
import { RawJson } from "../../http/index.ts";
import { defined, freshAsk, messageOf } from "../../kernel/index.ts";
import type { BatchRecord, BatchRunRecord, CacheBehavior, RunRecord } from "../../ledger/index.ts";
import {
  batchSetting,
  boundedText,
  type Fault,
  faultMessage,
  faultsMessage,
  maxBatchRuns,
  rawItems,
  rawMember,
  rawMembers,
  ServiceException,
  validateMembers,
} from "../../protocol/index.ts";
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

const settingsFileBytes = 64 * 1024 * 1024;
/** Others get a turn after so many runs of a batch, which may have 100,000. */
const runsAtOnce = 250;

/** Works through all of them, a few at a time; what is written for these few is written in one step. */
async function inTurns<T>(
  { ledger }: Pick<ServerParts, "ledger">,
  items: readonly T[],
  work: (item: T) => void,
): Promise<void> {
  for (let start = 0; start < items.length; start += runsAtOnce) {
    ledger.transaction(() => {
      for (const item of items.slice(start, start + runsAtOnce)) work(item);
    });
    await nextTurn();
  }
}

/** The same for the runs of a batch that is written down already. */
async function eachRun(
  { ledger }: Pick<ServerParts, "ledger">,
  { account, id: batchId }: Pick<BatchRecord, "account" | "id">,
  work: (item: BatchRunRecord) => void,
): Promise<void> {
  for await (const items of pagesOf({ ledger }, { account, id: batchId }))
    ledger.transaction(() => items.forEach(work));
}

async function* pagesOf(
  { ledger }: Pick<ServerParts, "ledger">,
  { account, id: batchId }: Pick<BatchRecord, "account" | "id">,
): AsyncGenerator<readonly BatchRunRecord[]> {
  for (let token: string | undefined; ; ) {
    const wanted = { limit: runsAtOnce, ...defined({ token }) };
    const { items, nextToken } = ledger.batchRuns.page(account, { batchId }, wanted);
    yield items;
    if (nextToken === undefined) return;
    token = nextToken;
    await nextTurn();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

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

async function stopBatch(parts: ServerParts, batch: BatchRecord): Promise<void> {
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

async function deleteRuns(parts: ServerParts, batch: BatchRecord): Promise<void> {
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

async function removeItems(parts: ServerParts, account: string, batchId: string): Promise<void> {
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
async function submitBatch(context: OperationContext, batchId: string): Promise<void> {
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
    for (const [name, text] of rawMembers(rawMember(setting, "parameters") ?? "{}")) merged.set(name, text);
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
  return readSettings(text);
}

/** One run after the other: the whole list as one value would take as long as all of them. */
async function readSettings(text: string): Promise<readonly { id: string; text: string }[]> {
  if (!text.trimStart().startsWith("[")) throw notAList();
  const settings: { id: string; text: string }[] = [];
  const ids = new Set<string>();
  for (const item of rawItems(text)) {
    if (settings.length === maxBatchRuns)
      throw new ServiceException("ValidationException", `A batch has at most ${maxBatchRuns} runs.`);
    const id = checkedSetting(item, settings.length);
    if (ids.has(id))
      throw new ServiceException(
        "ValidationException",
        "Every runSettingId must be unique within the batch.",
      );
    ids.add(id);
    settings.push({ id, text: item });
    if (settings.length % runsAtOnce === 0) await nextTurn();
  }
  if (settings.length === 0)
    throw new ServiceException("ValidationException", "The run settings of the batch are empty.");
  // Brackets of the list itself; what is between them was read above.
  if (!text.trimEnd().endsWith("]")) throw notAList();
  return settings;
}

/** Its id. */
function checkedSetting(item: string, index: number): string {
  const bounds = { textBytes: settingBytes, blobs: new Set<string>() };
  const bounded = boundedText(Buffer.from(item), bounds);
  if (bounded.kind === "refused")
    throw new ServiceException("ValidationException", `Run setting ${index}: ${bounded.reason}`);
  let value: unknown;
  try {
    value = JSON.parse(item);
  } catch {
    throw notAList();
  }
  const at = `settings.${index}`;
  const faults = [
    ...validateMembers({ [at]: { shape: batchSetting, required: true } }, { [at]: value }),
    ...parametersFaults(item, at),
  ];
  if (faults.length > 0) throw new ServiceException("ValidationException", faultsMessage(faults));
  return (value as { readonly runSettingId: string }).runSettingId;
}

/** What is documented for one run: 256 KiB of parameters, 50 tags, and the rest. */
const settingBytes = 1024 * 1024;
const parameterBytes = 256 * 1024;

function parametersFaults(setting: string, at: string): readonly Fault[] {
  const parameters = rawMember(setting, "parameters") ?? "";
  if (Buffer.byteLength(parameters) <= parameterBytes) return [];
  const place = `${at}.parameters`;
  const constraint = `Member must have length less than or equal to ${parameterBytes}`;
  return [{ at: place, message: faultMessage(place, constraint) }];
}

function refuseLargeParameters(defaults: string): void {
  const faults = parametersFaults(defaults, "defaultRunSetting");
  if (faults.length > 0) throw new ServiceException("ValidationException", faultsMessage(faults));
}

function notAList(): ServiceException {
  return new ServiceException("ValidationException", "The run settings of the batch are not a JSON list.");
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
