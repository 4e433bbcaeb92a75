/** Tasks of runs: https://docs.aws.amazon.com/omics/latest/api/API_ListRunTasks.html and GetRunTask. */
import { instanceType } from "../../app/index.ts";
import type { TaskRecord } from "../../ledger/index.ts";
import { ServiceException } from "../../protocol/index.ts";
import { runOf } from "../find-records.ts";
import {
  listPage,
  type OperationContext,
  type OperationHandler,
  type OperationTable,
  pageBody,
} from "../operation-context.ts";

const listRunTasks: OperationHandler = async (context) => {
  const run = runOf(context, context.input.text("id"));
  const page = listPage(context, context.parts.ledger.tasks, {
    runId: run.id,
    status: context.input.textOr("status"),
  });
  return pageBody(page, summary);
};

const getRunTask: OperationHandler = async (context) => {
  const task = taskOf(context, context.input.text("id"), context.input.text("taskId"));
  const { logLevel } = runOf(context, task.runId);
  return {
    ...summary(task),
    statusMessage: task.statusMessage,
    failureReason: task.failureReason,
    ...(logLevel === "OFF" ? {} : { logStream: logStreamOf(context, task) }),
    imageDetails: task.image,
  };
};

function logStreamOf({ parts }: OperationContext, task: TaskRecord): string {
  return `arn:aws:logs:${parts.region}:${task.account}:log-group:/aws/omics/WorkflowLog:log-stream:run/${task.runId}/task/${task.id}`;
}

export function taskOf(context: OperationContext, runId: string, taskId: string): TaskRecord {
  const run = runOf(context, runId);
  const task = context.parts.ledger.tasks.get(context.caller.account, taskId);
  if (task?.runId === run.id) return task;
  throw new ServiceException(
    "ResourceNotFoundException",
    `The task ${taskId} of run ${runId} was not found.`,
  );
}

function summary(task: TaskRecord): Readonly<Record<string, unknown>> {
  return {
    taskId: task.id,
    uuid: task.uuid,
    name: task.name,
    status: task.status,
    cpus: task.cpus,
    memory: task.memory,
    gpus: task.gpus,
    instanceType: instanceType(task),
    cacheHit: task.cacheHit,
    cacheS3Uri: task.cacheUri,
    creationTime: task.createdAt,
    startTime: task.startTime,
    stopTime: task.stopTime,
  };
}

export const tasks = { ListRunTasks: listRunTasks, GetRunTask: getRunTask } as const satisfies OperationTable;
