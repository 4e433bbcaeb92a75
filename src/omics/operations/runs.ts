/** Runs: https://docs.aws.amazon.com/omics/latest/api/API_StartRun.html and related operations. */

import { RawJson } from "../../http/index.ts";
import type { CacheBehavior, RunRecord } from "../../ledger/index.ts";
import { ServiceException } from "../../protocol/index.ts";
import { activeRunStatuses, runOf } from "../find-records.ts";
import {
  arnOf,
  bodyOf,
  listPage,
  type OperationContext,
  type OperationHandler,
  type OperationTable,
  pageBody,
} from "../operation-context.ts";
import {
  checkOwnWorkflow,
  echoedRunMembers,
  prepareRun,
  type RunSettings,
  refuseSessionPolicy,
  removeRun,
} from "../submit-run.ts";
import { configurationOfRun } from "./configurations.ts";

const startRun: OperationHandler = async (context) => {
  const run = await prepareRun(context, settingsOf(context));
  const { ledger, runs: desk } = context.parts;
  const answer = context.create(() => ledger.runs.insert(run), {
    arn: arnOf(context, run.account, `run/${run.id}`),
    id: run.id,
    uuid: run.uuid,
    status: run.status,
    tags: run.tags,
    runOutputUri: run.runOutputUri,
    ...networking(context, run),
    vpcConfig: undefined,
  });
  desk.submitted(run);
  return answer;
};

const getRun: OperationHandler = async (context) => {
  const run = runOf(context, context.input.text("id"));
  const { ledger, region } = context.parts;
  // The address of a definition is another one every time.
  if (context.input.texts("export").includes("DEFINITION"))
    return { ...whole(context, run), definition: context.definitionUrl(run.digest) };
  const name = run.echoed["configurationName"];
  const from = [
    region,
    ledger.workflows.get(run.account, run.workflowId),
    typeof name === "string" ? ledger.configurations.get(run.account, name) : undefined,
  ];
  return bodyOf(context, run, from, () => whole(context, run));
};

function whole(context: OperationContext, run: RunRecord): Readonly<Record<string, unknown>> {
  const stream = (name: string) =>
    `arn:aws:logs:${context.parts.region}:${run.account}:log-group:/aws/omics/WorkflowLog:log-stream:${name}`;
  const { configurationName: _, ...echoed } = run.echoed;
  return {
    ...summary(context, run),
    uuid: run.uuid,
    runId: run.sourceRunId,
    statusMessage: run.statusMessage,
    failureReason: run.failureReason,
    workflowUuid: run.workflowUuid,
    workflowType: run.workflowType,
    roleArn: run.roleArn,
    runGroupId: run.runGroupId,
    parameters: new RawJson(run.parameters),
    outputUri: run.outputUri,
    runOutputUri: run.runOutputUri,
    logLevel: run.logLevel,
    ...(run.logLevel === "OFF"
      ? {}
      : {
          logLocation: {
            engineLogStream: stream(`run/${run.id}/engine`),
            runLogStream: stream(`run/${run.id}`),
          },
        }),
    resourceDigests: run.resourceDigests,
    digest: run.digest,
    engineVersion: run.definition?.engineVersion,
    cacheId: run.cacheId,
    cacheBehavior: run.cacheBehavior,
    startedBy: run.startedBy,
    retentionMode: run.retentionMode,
    tags: run.tags,
    ...echoed,
    ...networking(context, run),
  };
}

const listRuns: OperationHandler = async (context) => {
  const { input } = context;
  const page = listPage(context, context.parts.ledger.runs, {
    name: input.textOr("name"),
    runGroupId: input.textOr("runGroupId"),
    batchId: input.textOr("batchId"),
    status: input.textOr("status"),
  });
  return pageBody(page, (run) => summary(context, run));
};

const cancelRun: OperationHandler = async (context) => {
  const { parts } = context;
  const run = parts.ledger.transaction(() => {
    const current = runOf(context, context.input.text("id"));
    if (!activeRunStatuses.some((status) => status === current.status))
      throw new ServiceException(
        "ConflictException",
        `The run ${current.id} is ${current.status} and cannot be cancelled.`,
      );
    const changed: RunRecord = { ...current, cancelRequested: true };
    parts.ledger.runs.put(changed);
    return changed;
  });
  parts.runs.cancelled(run);
  return undefined;
};

/** Metadata only: outputs and logs in the output location stay. */
const deleteRun: OperationHandler = async (context) => {
  const run = runOf(context, context.input.text("id"));
  if (run.status !== "COMPLETED" && run.status !== "FAILED" && run.status !== "CANCELLED")
    throw new ServiceException(
      "ConflictException",
      `The run ${run.id} is ${run.status}: only ended runs can be deleted.`,
    );
  removeRun(context, run);
  return undefined;
};

function networking(context: OperationContext, run: RunRecord): Readonly<Record<string, unknown>> {
  return {
    networkingMode: run.echoed["networkingMode"] ?? "RESTRICTED",
    ...configurationOfRun(context, run.account, run.echoed["configurationName"]),
  };
}

function settingsOf(context: OperationContext): RunSettings {
  const { input } = context;
  refuseSessionPolicy(input.textOr("sessionPolicy"));
  const sourceRunId = input.textOr("runId");
  const source = sourceRunId === undefined ? undefined : runOf(context, sourceRunId);
  const workflowId = input.textOr("workflowId") ?? source?.workflowId;
  if (workflowId === undefined)
    throw new ServiceException("ValidationException", "Either workflowId or runId must be given.");
  checkOwnWorkflow(context, workflowId);
  const cacheBehavior = input.textOr("cacheBehavior") as CacheBehavior | undefined;
  const cacheId = input.textOr("cacheId") ?? source?.cacheId;
  return {
    workflowId,
    workflowVersionName:
      input.textOr("workflowVersionName") ??
      (input.has("workflowId") ? undefined : source?.workflowVersionName),
    name: input.textOr("name") ?? source?.name,
    cacheId,
    cacheBehavior: cacheBehavior ?? (input.has("cacheId") ? undefined : source?.cacheBehavior),
    runGroupId: input.textOr("runGroupId") ?? source?.runGroupId,
    sourceRunId,
    priority: input.numberOr("priority") ?? source?.priority,
    parameters: context.raw("parameters") ?? source?.parameters ?? "{}",
    roleArn: input.text("roleArn"),
    outputUri: input.text("outputUri"),
    logLevel: input.textOr("logLevel") ?? source?.logLevel,
    retentionMode:
      (input.textOr("retentionMode") as RunRecord["retentionMode"] | undefined) ?? source?.retentionMode,
    storageType: input.textOr("storageType") ?? source?.storageType,
    storageCapacity: input.numberOr("storageCapacity") ?? source?.storageCapacity,
    tags: input.tags(),
    echoed: { ...source?.echoed, ...input.pick(echoedRunMembers) },
  };
}

function summary(context: OperationContext, run: RunRecord): Readonly<Record<string, unknown>> {
  const workflow = context.parts.ledger.workflows.get(run.account, run.workflowId);
  return {
    arn: arnOf(context, run.account, `run/${run.id}`),
    id: run.id,
    name: run.name,
    status: run.status,
    workflowId: run.workflowId,
    workflowName: workflow?.name,
    workflowVersionName: run.workflowVersionName,
    batchId: run.batchId,
    priority: run.priority,
    storageType: run.storageType,
    storageCapacity: run.storageCapacity,
    creationTime: run.createdAt,
    startTime: run.startTime,
    stopTime: run.stopTime,
  };
}

export const runs = {
  StartRun: startRun,
  GetRun: getRun,
  ListRuns: listRuns,
  CancelRun: cancelRun,
  DeleteRun: deleteRun,
} as const satisfies OperationTable;
