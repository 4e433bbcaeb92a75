/** Records of the manifest log stream, which AWS's analysis tools read: one JSON object per task and one for the run. */
import type { RunRecord, TaskRecord } from "../../ledger/index.ts";

export function taskManifest(run: RunRecord, task: TaskRecord): Readonly<Record<string, unknown>> {
  const seconds =
    task.startTime === undefined || task.stopTime === undefined
      ? undefined
      : (Date.parse(task.stopTime) - Date.parse(task.startTime)) / 1000;
  return {
    arn: `arn:aws:omics::${run.account}:task/${task.id}`,
    uuid: task.uuid,
    name: task.name,
    status: task.status,
    cpus: task.cpus,
    memory: task.memory,
    gpus: task.gpus,
    image: task.image?.image,
    instanceType: "memoir.local",
    // As in AWS's manifests, a reused task has no times of its own.
    ...(task.cacheHit
      ? {}
      : { creationTime: task.createdAt, startTime: task.startTime, stopTime: task.stopTime }),
    metrics: task.cacheHit
      ? {}
      : { cpusReserved: task.cpus, memoryReservedGiB: task.memory, runningSeconds: seconds },
  };
}

export function runManifest(run: RunRecord): Readonly<Record<string, unknown>> {
  const seconds =
    run.startTime === undefined || run.stopTime === undefined
      ? 0
      : (Date.parse(run.stopTime) - Date.parse(run.startTime)) / 1000;
  return {
    arn: `arn:aws:omics::${run.account}:run/${run.id}`,
    uuid: run.uuid,
    name: run.name ?? run.id,
    status: run.status,
    workflow: `arn:aws:omics::${run.account}:workflow/${run.workflowId}`,
    ...(run.cacheId === undefined
      ? {}
      : {
          runCache: `arn:aws:omics::${run.account}:runCache/${run.cacheId}`,
          runCacheBehavior: run.cacheBehavior,
        }),
    roleArn: run.roleArn,
    parameters: JSON.parse(run.parameters) as unknown,
    outputUri: run.outputUri,
    digest: run.digest,
    resourceDigests: run.resourceDigests,
    creationTime: run.createdAt,
    startTime: run.startTime,
    stopTime: run.stopTime,
    metrics: { runningSeconds: seconds },
  };
}
