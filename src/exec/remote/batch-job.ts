/** What a task is for AWS Batch, and what its answers mean in the vocabulary of TES: pure. */
import type {
  JobDetail,
  RegisterJobDefinitionRequest,
  SubmitJobRequest,
  TaskContainerProperties,
} from "@aws-sdk/client-batch";
import { digestOf } from "../../hash/index.ts";
import { defined } from "../../kernel/index.ts";
import { fetchScript, objectUrl, type S3Place, storeScript } from "./batch-scripts.ts";
import { stagedFolder } from "./job-scripts.ts";
import type { ExecutorLog, ServiceTask } from "./service-client.ts";
import { attemptTag, executorAt, type TesTaskDocument } from "./tes-task.ts";

/** In the order of a task's executors. */
export const containerNames = ["memoir-prepare", "task", "memoir-publish"] as const;

export interface BatchPlace {
  readonly queue: string;
  /** Role that gives jobs access to S3; undefined = that of the machines. */
  readonly jobRole?: string;
  readonly executionRole?: string;
  readonly s3: S3Place;
}

const helperMebibytes = 512;
const mebibyte = 2 ** 20;
const gigabyte = 1e9;

/** What can differ between jobs of one definition is in their requests, so that there is one for each image. */
export function definitionOf(
  { executors, volumes }: Pick<TesTaskDocument, "executors" | "volumes">,
  { jobRole, executionRole }: Pick<BatchPlace, "jobRole" | "executionRole">,
): RegisterJobDefinitionRequest {
  const paths = [...volumes, stagedFolder];
  const named = paths.map((containerPath, i) => ({ sourceVolume: `volume-${i}`, containerPath }));
  const containers = executors.map(({ image }, i): TaskContainerProperties => {
    const [before] = i === 0 ? [] : [containerNames[i - 1]];
    return {
      name: containerNames[i] ?? "",
      image,
      essential: i === executors.length - 1,
      // The task gets nothing of what only its helpers need.
      mountPoints: i === 1 ? named.slice(0, -1) : named,
      ...(i === 1 ? {} : { user: "0" }),
      ...(before === undefined
        ? {}
        : { dependsOn: [{ containerName: before, condition: i === 1 ? "SUCCESS" : "COMPLETE" }] }),
      resourceRequirements: resources(1, helperMebibytes, 0),
    };
  });
  const properties = {
    type: "container" as const,
    platformCapabilities: ["EC2" as const],
    ecsProperties: {
      taskProperties: [
        {
          containers,
          volumes: paths.map((_, i) => ({ name: `volume-${i}`, host: {} })),
          ...defined({ taskRoleArn: jobRole, executionRoleArn: executionRole }),
        },
      ],
    },
    retryStrategy: { attempts: 1 },
    tags: { memoir: "job-definition" },
  };
  return { ...properties, jobDefinitionName: `memoir-${digestOf(plain(properties)).slice(0, 24)}` };
}

function plain(value: unknown): never {
  return JSON.parse(JSON.stringify(value)) as never;
}

function resources(cpu: number, mebibytes: number, gpu: number) {
  return [
    { type: "VCPU" as const, value: String(cpu) },
    { type: "MEMORY" as const, value: String(mebibytes) },
    ...(gpu > 0 ? [{ type: "GPU" as const, value: String(gpu) }] : []),
  ];
}

/** @param list where the list of inputs is */
export function submissionOf(
  task: TesTaskDocument,
  place: BatchPlace,
  { definition, list }: { readonly definition: string; readonly list: string },
): SubmitJobRequest {
  const [prepare, own, publish] = task.executors;
  const { cpu_cores: cpu, ram_gb: memory = 1, backend_parameters: more } = task.resources;
  const { s3 } = place;
  const words = (script: string, uri: string, then: string) => [
    ...["/bin/sh", "-c", script, "memoir-job"],
    ...[s3.region, objectUrl(uri, s3), then],
  ];
  const outputs = task.outputs[0]?.url ?? "";
  const environment = Object.entries(own?.env ?? {}).map(([name, value]) => ({ name, value }));
  const containers = [
    { name: containerNames[0], command: words(fetchScript, list, prepare?.command.at(-1) ?? "") },
    {
      name: containerNames[1],
      command: [...(own?.command ?? [])],
      environment,
      resourceRequirements: resources(
        cpu,
        Math.max(64, Math.ceil((memory * gigabyte) / mebibyte)),
        Number(more?.["gpu"] ?? 0),
      ),
    },
    { name: containerNames[2], command: words(storeScript, outputs, publish?.command.at(-1) ?? "") },
  ];
  return {
    jobName: jobNameOf(task.tags[attemptTag] ?? task.name),
    jobQueue: place.queue,
    jobDefinition: definition,
    ecsPropertiesOverride: { taskProperties: [{ containers }] },
    tags: Object.fromEntries(
      Object.entries(task.tags).map(([name, value]) => [
        name,
        value.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, "_").slice(0, 256),
      ]),
    ),
    propagateTags: true,
  };
}

/** Of an attempt: letters, digits, `-` and `_`, at most 128. */
export function jobNameOf(attemptId: string): string {
  return attemptId.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 128);
}

/** No machine of the queue is large enough. A job that waits for another reason starts when somebody corrects the queue. */
const neverStarts = /^MISCONFIGURATION:(?:JOB_RESOURCE_REQUIREMENT|COMPUTE_ENVIRONMENT_MAX_RESOURCE)\b/;

export function taskOf(job: JobDetail): ServiceTask {
  const { jobId: id = "", tags = {}, statusReason } = job;
  const executors = logsOf(job);
  return {
    id,
    tags,
    state: stateOf(job),
    executors,
    systemLogs: [...textsOf(statusReason), ...reasonsOf(job)],
    ...(job.status === "RUNNABLE" && statusReason !== undefined && neverStarts.test(statusReason)
      ? { neverStarts: statusReason }
      : {}),
  };
}

function textsOf(text: string | undefined): readonly string[] {
  return text === undefined || text === "" ? [] : [text];
}

function stateOf({ status, statusReason = "", isCancelled, isTerminated, ...job }: JobDetail): string {
  switch (status) {
    case "SUBMITTED":
    case "PENDING":
    case "RUNNABLE":
      return "QUEUED";
    case "STARTING":
      return "INITIALIZING";
    case "RUNNING":
      return "RUNNING";
    case "SUCCEEDED":
      return "COMPLETE";
    case "FAILED":
      if (isCancelled === true || isTerminated === true) return "CANCELED";
      // A spot machine was taken away, or another one failed.
      if (statusReason.startsWith("Host EC2")) return "PREEMPTED";
      // Whatever a task ends with, its results are published after it: where they were not, it did not end by itself.
      return helpersOf(logsOf(job)).some(({ exitCode = 0 }) => exitCode !== 0)
        ? "EXECUTOR_ERROR"
        : "SYSTEM_ERROR";
    default:
      return "UNKNOWN";
  }
}

function containersOf({ attempts, ecsProperties }: Pick<JobDetail, "attempts" | "ecsProperties">) {
  return (
    attempts?.at(-1)?.taskProperties?.[0]?.containers ?? ecsProperties?.taskProperties?.[0]?.containers ?? []
  );
}

function logsOf(job: Pick<JobDetail, "attempts" | "ecsProperties">): readonly ExecutorLog[] {
  const containers = containersOf(job);
  const logs = containerNames.map((name): ExecutorLog => {
    const found = containers.find((each) => each.name === name);
    const reason = found?.reason ?? "";
    return {
      ...defined({ exitCode: found?.exitCode }),
      stderr: reason,
      ...(reason.startsWith("OutOfMemoryError") ? { outOfMemory: true as const } : {}),
    };
  });
  return logs;
}

function helpersOf(logs: readonly ExecutorLog[]): readonly ExecutorLog[] {
  return logs.filter((_, i) => i !== executorAt.task);
}

function reasonsOf(job: JobDetail): readonly string[] {
  return containersOf(job).flatMap(({ name, reason, logStreamName }) =>
    (reason ?? "") === ""
      ? []
      : [`${name}: ${reason}${logStreamName === undefined ? "" : ` (log ${logStreamName})`}`],
  );
}
