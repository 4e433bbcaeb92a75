/** Run groups: https://docs.aws.amazon.com/omics/latest/api/API_CreateRunGroup.html and related operations. */
import type { RunGroupRecord } from "../../ledger/index.ts";
import { ServiceException } from "../../protocol/index.ts";
import { activeRunStatuses } from "../find-records.ts";
import {
  arnOf,
  found,
  listPage,
  type OperationContext,
  type OperationHandler,
  type OperationTable,
  pageBody,
} from "../operation-context.ts";

const members = ["name", "maxCpus", "maxGpus", "maxRuns", "maxDuration"] as const;

const createRunGroup: OperationHandler = async (context) => {
  const { caller, parts, input } = context;
  const record: RunGroupRecord = {
    account: caller.account,
    id: parts.ledger.nextId(),
    createdAt: parts.now().toISOString(),
    tags: input.tags(),
    ...input.pick(members),
  };
  const arn = arnOf(context, record.account, `runGroup/${record.id}`);
  return context.create(() => parts.ledger.runGroups.insert(record), {
    arn,
    id: record.id,
    tags: record.tags,
  });
};

const getRunGroup: OperationHandler = async (context) => {
  const record = groupOf(context);
  return { ...summary(context, record), tags: record.tags };
};

const listRunGroups: OperationHandler = async (context) =>
  pageBody(
    listPage(context, context.parts.ledger.runGroups, { name: context.input.textOr("name") }),
    (record) => summary(context, record),
  );

const updateRunGroup: OperationHandler = async (context) => {
  context.parts.ledger.runGroups.put({ ...groupOf(context), ...context.input.pick(members) });
  context.parts.runs.limitsChanged();
  return {};
};

const deleteRunGroup: OperationHandler = async (context) => {
  const { parts, caller } = context;
  const record = groupOf(context);
  const active = activeRunStatuses.some(
    (status) => parts.ledger.runs.count(caller.account, { runGroupId: record.id, status }) > 0,
  );
  if (active) throw new ServiceException("ConflictException", `The run group ${record.id} has active runs.`);
  parts.ledger.runGroups.remove(caller.account, record.id);
  return {};
};

function groupOf(context: OperationContext): RunGroupRecord {
  const id = context.input.text("id");
  return found(context.parts.ledger.runGroups.get(context.caller.account, id), "run group", id);
}

function summary(context: OperationContext, record: RunGroupRecord): Readonly<Record<string, unknown>> {
  const { name, maxCpus, maxGpus, maxRuns, maxDuration } = record;
  return {
    arn: arnOf(context, record.account, `runGroup/${record.id}`),
    id: record.id,
    ...{ name, maxCpus, maxGpus, maxRuns, maxDuration },
    creationTime: record.createdAt,
  };
}

export const runGroups = {
  CreateRunGroup: createRunGroup,
  GetRunGroup: getRunGroup,
  ListRunGroups: listRunGroups,
  UpdateRunGroup: updateRunGroup,
  DeleteRunGroup: deleteRunGroup,
} as const satisfies OperationTable;
