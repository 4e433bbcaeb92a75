/** Workflow versions: https://docs.aws.amazon.com/omics/latest/api/API_CreateWorkflowVersion.html and related operations. */
import type { WorkflowVersionRecord } from "../../ledger/index.ts";
import { ServiceException } from "../../protocol/index.ts";
import { checkOwner, findVersion, workflowOf } from "../find-records.ts";
import {
  arnOf,
  found,
  listPage,
  type OperationContext,
  type OperationHandler,
  type OperationTable,
  pageBody,
} from "../operation-context.ts";
import { definitionBody, registerDefinition, updatedDefinition } from "./definitions.ts";

const createWorkflowVersion: OperationHandler = async (context) => {
  const { ledger } = context.parts;
  const workflow = workflowOf(context, context.input.text("workflowId"));
  const versionName = context.input.text("versionName");
  const checkNew = () => {
    if (findVersion(context, workflow.id, versionName) !== undefined)
      throw new ServiceException(
        "ConflictException",
        `The workflow ${workflow.id} has a version ${versionName} already.`,
      );
  };
  checkNew();
  const definition = await registerDefinition(context);
  const record: WorkflowVersionRecord = { ...definition, workflowId: workflow.id, versionName };
  const write = () => {
    // Somebody else may have made it while the definition was checked.
    checkNew();
    ledger.workflowVersions.insert(record);
  };
  return context.create(write, {
    ...names(context, record),
    status: "CREATING",
    tags: record.tags,
    uuid: record.uuid,
  });
};

const getWorkflowVersion: OperationHandler = async (context) => {
  const record = versionOf(context);
  checkOwner(context, { id: record.workflowId });
  return { ...names(context, record), ...definitionBody(context, record) };
};

const listWorkflowVersions: OperationHandler = async (context) => {
  const workflow = workflowOf(context, context.input.text("workflowId"));
  checkOwner(context, workflow);
  const page = listPage(context, context.parts.ledger.workflowVersions, { workflowId: workflow.id });
  return pageBody(page, (record) => ({
    ...names(context, record),
    status: record.status,
    type: "PRIVATE",
    description: record.description,
    digest: record.digest === "" ? undefined : record.digest,
    creationTime: record.createdAt,
    metadata: {},
  }));
};

const updateWorkflowVersion: OperationHandler = async (context) => {
  context.parts.ledger.workflowVersions.put(updatedDefinition(context, versionOf(context)));
  return {};
};

const deleteWorkflowVersion: OperationHandler = async (context) => {
  const record = versionOf(context);
  context.parts.ledger.workflowVersions.remove(record.account, record.id);
  return {};
};

function versionOf(context: OperationContext): WorkflowVersionRecord {
  const workflow = workflowOf(context, context.input.text("workflowId"));
  const versionName = context.input.text("versionName");
  return found(
    findVersion(context, workflow.id, versionName),
    "workflow version",
    `${workflow.id}/${versionName}`,
  );
}

function names(context: OperationContext, record: WorkflowVersionRecord): Readonly<Record<string, unknown>> {
  return {
    arn: arnOf(context, record.account, `workflow/${record.workflowId}/version/${record.versionName}`),
    workflowId: record.workflowId,
    versionName: record.versionName,
  };
}

export const workflowVersions = {
  CreateWorkflowVersion: createWorkflowVersion,
  GetWorkflowVersion: getWorkflowVersion,
  ListWorkflowVersions: listWorkflowVersions,
  UpdateWorkflowVersion: updateWorkflowVersion,
  DeleteWorkflowVersion: deleteWorkflowVersion,
} as const satisfies OperationTable;
