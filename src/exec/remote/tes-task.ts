/** What a task is for a TES server, and what its states mean: pure. */
import { defined } from "../../kernel/index.ts";
import { taskRoot, taskWork } from "../../task/index.ts";
import { type Attempt, quoted, wrapperArguments } from "../core/index.ts";
import { publishedFolder } from "./job-scripts.ts";

/** As TES 1.1 has it; only what Memoir uses. */
export interface TesTaskDocument {
  readonly name: string;
  readonly description: string;
  readonly inputs: readonly TesInput[];
  readonly outputs: readonly TesOutput[];
  readonly resources: TesResources;
  readonly executors: readonly TesExecutor[];
  readonly volumes: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

export interface TesInput {
  readonly url: string;
  readonly path: string;
  readonly type: "FILE";
}

interface TesOutput {
  readonly url: string;
  readonly path: string;
  readonly type: "DIRECTORY";
}

interface TesResources {
  readonly cpu_cores: number;
  readonly ram_gb?: number;
  readonly disk_gb?: number;
  readonly preemptible?: boolean;
  readonly backend_parameters?: Readonly<Record<string, string>>;
}

interface TesExecutor {
  readonly image: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ignore_error?: boolean;
}

export const attemptTag = "memoir.attempt";
export const submissionTag = "memoir.submission";

/** Positions of the executors of a task. */
export const executorAt = { prepare: 0, task: 1, publish: 2 } as const;

export interface TaskOrder {
  readonly attempt: Attempt;
  readonly inputs: readonly TesInput[];
  /** Paths of the two scripts, in the container. */
  readonly prepare: string;
  readonly publish: string;
  /** Where the outputs go. */
  readonly outputs: string;
  readonly helperImage: string;
  /** Names this request to create a task: a task that carries it was made by it. */
  readonly submission: string;
  readonly preemptible: boolean;
}

const gigabyte = 1e9;

export function taskDocument(order: TaskOrder): TesTaskDocument {
  const { attempt, helperImage } = order;
  const { cpu, memoryBytes, gpu, diskBytes } = attempt.resources;
  return {
    name: attempt.id,
    description: attempt.labels["memoir.call"] ?? attempt.id,
    inputs: order.inputs,
    outputs: [{ url: order.outputs, path: publishedFolder, type: "DIRECTORY" }],
    resources: {
      cpu_cores: Math.max(1, Math.ceil(cpu)),
      ...(memoryBytes > 0 ? { ram_gb: memoryBytes / gigabyte } : {}),
      ...(diskBytes === undefined ? {} : { disk_gb: diskBytes / gigabyte }),
      ...(order.preemptible ? { preemptible: true } : {}),
      ...(gpu > 0 ? { backend_parameters: { gpu: String(Math.ceil(gpu)) } } : {}),
    },
    executors: [
      { image: helperImage, command: ["/bin/sh", order.prepare] },
      taskExecutor(attempt),
      { image: helperImage, command: ["/bin/sh", order.publish] },
    ],
    volumes: [taskRoot, ...(attempt.disks ?? [])],
    tags: { ...attempt.labels, [attemptTag]: attempt.id, [submissionTag]: order.submission },
  };
}

/** Always ends well: how the task ended is in its file, and servers end at an executor that fails. */
function taskExecutor({ image, shell, arguments: more = [], env, workDir }: Attempt): TesExecutor {
  const own = [...shell, `${taskRoot}/command`, ...more];
  const command =
    workDir === undefined
      ? own
      : ["/bin/sh", "-c", 'cd "$1" && shift && exec "$@"', "memoir-task", workDir, ...own];
  const words = wrapperArguments(taskRoot, { kind: "container", ownCgroup: true }, command);
  return {
    image: image?.reference ?? "",
    command: ["/bin/sh", "-c", `${otherName(workDir)}/bin/sh "$@"; exit 0`, "memoir-job", ...words],
    ...defined({ env: Object.keys(env).length === 0 ? undefined : env }),
    ignore_error: true,
  };
}

/** The working directory by its second name. */
function otherName(workDir: string | undefined): string {
  if (workDir === undefined || workDir === taskWork) return "";
  const place = quoted(workDir);
  const parent = quoted(workDir.slice(0, workDir.lastIndexOf("/")) || "/");
  return `mkdir -p ${parent} && { [ ! -d ${place} ] || rmdir ${place}; } && ln -s ${taskWork} ${place} || exit 1; `;
}

export type TaskPhase =
  | "going"
  /** The service says that all executors ended well. */
  | "complete"
  | "executor-failed"
  | "cancelled"
  /** The service, a machine, or a price took it away. */
  | "taken-away";

/** A state that nobody knows is asked for again. */
export function phaseOf(state: string): TaskPhase {
  switch (state) {
    case "COMPLETE":
      return "complete";
    case "EXECUTOR_ERROR":
      return "executor-failed";
    case "CANCELED":
      return "cancelled";
    case "SYSTEM_ERROR":
    case "PREEMPTED":
      return "taken-away";
    default:
      return "going";
  }
}
