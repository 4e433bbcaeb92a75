/** Workflows: https://docs.aws.amazon.com/omics/latest/api/API_CreateWorkflow.html and related operations. */
import type { WorkflowRecord } from "../../ledger/index.ts";
import { ServiceException } from "../../protocol/index.ts";
import { checkOwner, workflowOf } from "../find-records.ts";
import {
  arnOf,
  listPage,
  type OperationContext,
  type OperationHandler,
  type OperationTable,
  pageBody,
} from "../operation-context.ts";
import { definitionBody, registerDefinition, updatedDefinition } from "./definitions.ts";

const createWorkflow: OperationHandler = async (context) => {
  const definition = await registerDefinition(context);
  const record: WorkflowRecord = { ...definition, ...context.input.pick(["name"]) };
  // AWS answers CREATING and becomes ACTIVE within seconds; ours is checked by now, and clients poll all the same.
  return context.create(() => context.parts.ledger.workflows.insert(record), {
    arn: arn(context, record),
    id: record.id,
    status: "CREATING",
    tags: record.tags,
    uuid: record.uuid,
  });
};

const getWorkflow: OperationHandler = async (context) => {
  const record = workflowOf(context, context.input.text("id"));
  checkOwner(context, record);
  return {
    arn: arn(context, record),
    id: record.id,
    name: record.name,
    ...definitionBody(context, record),
  };
};

const listWorkflows: OperationHandler = async (context) => {
  // Nothing here is Ready2Run.
  if (context.input.textOr("type") === "READY2RUN") return { items: [] };
  const page = listPage(context, context.parts.ledger.workflows, { name: context.input.textOr("name") });
  return pageBody(page, (record) => ({
    arn: arn(context, record),
    id: record.id,
    name: record.name,
    status: record.status,
    type: "PRIVATE",
    digest: record.digest === "" ? undefined : record.digest,
    creationTime: record.createdAt,
    metadata: {},
  }));
};

const updateWorkflow: OperationHandler = async (context) => {
  const record = workflowOf(context, context.input.text("id"));
  context.parts.ledger.workflows.put(updatedDefinition(context, record));
  return {};
};

const deleteWorkflow: OperationHandler = async (context) => {
  const { ledger } = context.parts;
  const record = workflowOf(context, context.input.text("id"));
  const versions = ledger.workflowVersions.all(record.account, { workflowId: record.id });
  if (versions.length > 0)
    throw new ServiceException(
      "ConflictException",
      `The workflow ${record.id} has ${versions.length} version(s): delete them first.`,
    );
  ledger.workflows.remove(record.account, record.id);
  return {};
};

function arn(context: OperationContext, record: WorkflowRecord): string {
  return arnOf(context, record.account, `workflow/${record.id}`);
}

export const workflows = {
  CreateWorkflow: createWorkflow,
  GetWorkflow: getWorkflow,
  ListWorkflows: listWorkflows,
  UpdateWorkflow: updateWorkflow,
  DeleteWorkflow: deleteWorkflow,
} as const satisfies OperationTable;
