/**
 * Records of the manifest log stream, which AWS's analysis tools read: one JSON object per task and one for the run.
 * `omics-rerun` makes a new StartRun of the latter, so it has every setting of the run.
 */
import type { DefinitionRecord, RunRecord, TaskRecord } from "../../ledger/index.ts";
import { instanceType } from "./instance-type.ts";

const gib = 1024 ** 3;

type Arn = (rest: string) => string;

/** The ARNs of an account's resources. */
export function arnsOf({ region, account }: { readonly region: string; readonly account: string }): Arn {
  return (rest) => `arn:aws:omics:${region}:${account}:${rest}`;
}

export function taskManifest(task: TaskRecord, arn: Arn): Readonly<Record<string, unknown>> {
  const seconds = secondsOf(task);
  const { usage } = task;
  const average =
    usage === undefined || usage.cpuSeconds === null || usage.wallSeconds <= 0
      ? undefined
      : usage.cpuSeconds / usage.wallSeconds;
  const most = usage?.maxRssBytes == null ? undefined : usage.maxRssBytes / gib;
  return {
    arn: arn(`task/${task.id}`),
    uuid: task.uuid,
    name: task.name,
    status: task.status,
    cpus: task.cpus,
    memory: task.memory,
    gpus: task.gpus,
    image: task.image?.image,
    instanceType: instanceType(task),
    // Of a reused task those of its look-up. AWS's manifests have none, and its own analyzer fails on that: it sorts by
    // these times and takes the first record for the run's.
    ...{ creationTime: task.createdAt, startTime: task.startTime, stopTime: task.stopTime },
    metrics: {
      cpusReserved: task.cpus,
      gpusReserved: task.gpus,
      memoryReservedGiB: task.memory,
      ...(task.cacheHit ? {} : { cpusAverage: average, memoryMaximumGiB: most, runningSeconds: seconds }),
    },
  };
}

export function runManifest(
  run: RunRecord,
  definition: Pick<DefinitionRecord, "parameterTemplate"> | undefined,
  arn: Arn,
): string {
  const { workflowVersionName: version, sourceRunId, runGroupId, cacheId } = run;
  const members = {
    arn: arn(`run/${run.id}`),
    uuid: run.uuid,
    name: run.name ?? run.id,
    status: run.status,
    workflow: arn(`workflow/${run.workflowId}`),
    ...(version === undefined
      ? {}
      : { workflowVersion: arn(`workflow/${run.workflowId}/version/${version}`) }),
    ...(sourceRunId === undefined ? {} : { run: arn(`run/${sourceRunId}`) }),
    ...(runGroupId === undefined ? {} : { runGroup: arn(`runGroup/${runGroupId}`) }),
    ...(cacheId === undefined
      ? {}
      : { runCache: arn(`runCache/${cacheId}`), runCacheBehavior: run.cacheBehavior }),
    roleArn: run.roleArn,
    parameterTemplate: definition?.parameterTemplate,
    priority: run.priority,
    storageType: run.storageType,
    storageCapacity: run.storageCapacity,
    outputUri: run.outputUri,
    logLevel: run.logLevel,
    retentionMode: run.retentionMode,
    workflowOwnerId: run.account,
    digest: run.digest,
    resourceDigests: run.resourceDigests,
    startedBy: run.startedBy,
    creationTime: run.createdAt,
    startTime: run.startTime,
    stopTime: run.stopTime,
    metrics: { runningSeconds: secondsOf(run) ?? 0 },
  };
  // The parameters as they were sent: who starts the run again means the same numbers.
  return `${JSON.stringify(members).slice(0, -1)},"parameters":${run.parameters}}`;
}

function secondsOf({ startTime, stopTime }: Pick<RunRecord, "startTime" | "stopTime">): number | undefined {
  return startTime === undefined || stopTime === undefined
    ? undefined
    : (Date.parse(stopTime) - Date.parse(startTime)) / 1000;
}
