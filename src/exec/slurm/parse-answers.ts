/** What Slurm's programs answer, as values. Nothing here throws. */

export interface QueueRow {
  /** Of the array, for its elements. */
  readonly jobId: string;
  /** undefined for a job on its own. */
  readonly element: number | undefined;
  readonly state: string;
  readonly reason: string;
  readonly name: string;
}

/** `123` or `123;cluster`. */
export function parseSubmitted(stdout: string): string | undefined {
  return /^(\d+)(?:;.*)?$/m.exec(stdout)?.[1];
}

/** Lines of `queueArguments`; others are skipped. */
export function parseQueue(stdout: string): readonly QueueRow[] {
  return stdout.split("\n").flatMap((line): QueueRow[] => {
    const match = /^(\d+)\|([^|]*)\|([A-Z_]+)\|(.*)\|([^|]*)$/.exec(line.trim());
    if (match === null) return [];
    const [, jobId = "", element = "", state = "", name = "", reason = ""] = match;
    return [{ jobId, element: /^\d+$/.test(element) ? Number(element) : undefined, state, reason, name }];
  });
}

/** What a state says about whether the job still needs to be waited for. */
export type JobPhase = "active" | "completing" | "ended";

const ended = new Set([
  "BOOT_FAIL",
  "CANCELLED",
  "COMPLETED",
  "DEADLINE",
  "FAILED",
  "LAUNCH_FAILED",
  "NODE_FAIL",
  "OUT_OF_MEMORY",
  "PREEMPTED",
  "RECONFIG_FAIL",
  "REVOKED",
  "TIMEOUT",
]);

/** A state that Memoir does not know means: ask again. */
export function phaseOf(state: string): JobPhase {
  if (state === "COMPLETING") return "completing";
  return ended.has(state) ? "ended" : "active";
}

const waiting = new Set(["PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"]);

/** It has not begun, or it has been put back into the queue. */
export function isWaiting({ state }: Pick<QueueRow, "state">): boolean {
  return waiting.has(state);
}

const endedByOthers = new Set(["CANCELLED", "PREEMPTED", "REVOKED"]);

/** What its task did at the end may have been what it does when it is asked to end. */
export function isEndedByOthers({ state }: Pick<QueueRow, "state">): boolean {
  return endedByOthers.has(state);
}

/** The node could not begin the job, or the job's script was killed there. */
export function isLaunchFailure({ state, reason }: Pick<QueueRow, "state" | "reason">): boolean {
  return state === "FAILED" && reason === "JobLaunchFailure";
}

const neverStarts = new Set([
  "AccountNotAllowed",
  "BadConstraints",
  "DependencyNeverSatisfied",
  "InvalidAccount",
  "InvalidQOS",
  "PartitionConfig",
  "PartitionNodeLimit",
  "PartitionTimeLimit",
  "QOSNotAllowed",
]);

/** Whether a job that waits for this reason will wait for ever, unless somebody changes the cluster's configuration. */
export function isNeverStarting({ state, reason }: Pick<QueueRow, "state" | "reason">): boolean {
  return (
    state === "PENDING" &&
    (neverStarts.has(reason) || /(?:PerJob|MaxWallDurationPerJob)(?:Limit)?$/.test(reason))
  );
}

const waitsForPeople =
  /^(?:JobHeld(?:User|Admin)|Partition(?:Down|Inactive)|ReqNodeNotAvail|Nodes required for job are DOWN|launch failed requeued held)/i;

/** Whether a job waits until a person does something: releases it, opens its partition, repairs nodes. That may well happen. */
export function isHeldUp({ state, reason }: Pick<QueueRow, "state" | "reason">): boolean {
  return state === "PENDING" && waitsForPeople.test(reason.replaceAll("_", " "));
}

export type Refusal =
  /** The job is not acceptable, now and later. */
  | "refused"
  /** This cluster takes no array of that size. */
  | "array"
  /** Anything else: the controller is away, or the queue is full. */
  | "ask-again";

const refusals = [
  /invalid (?:partition|account|qos|feature|wckey|generic resource|constraint|time|reservation|license)/i,
  /invalid --(?:time|mem|gpus|gres|constraint)/i,
  /invalid .*(?:partition|account|qos) (?:name |or )/i,
  /memory specification can not be satisfied/i,
  /requested node configuration is not available/i,
  /requested time limit is invalid/i,
  /more processors requested than permitted/i,
  /node count specification invalid/i,
  /access\/permission denied/i,
  /group not permitted to use this partition/i,
  /requested partition configuration not available/i,
  /required partition not available \(inactive or drain\)/i,
  /invalid node name/i,
  /requested reservation is invalid|access denied to requested reservation/i,
  /job dependency problem/i,
  /unrecognized option|unrecognised option/i,
];

/** What the errors of sbatch mean for the same request made again. */
export function refusalOf(stderr: string): Refusal {
  if (/invalid job array specification/i.test(stderr)) return "array";
  return refusals.some((pattern) => pattern.test(stderr)) ? "refused" : "ask-again";
}

export interface ClusterConfig {
  readonly cluster: string | undefined;
  readonly version: string | undefined;
  /** Elements that an array may have. */
  readonly maxArraySize: number;
  /** Jobs are recorded with what they used. */
  readonly accounting: boolean;
  /** Memory limits are enforced by control groups. */
  readonly limitsMemory: boolean;
}

/** Lines of `scontrol show config`. */
export function parseConfig(stdout: string): ClusterConfig {
  const value = (name: string) => new RegExp(`^${name}\\s*=\\s*(.*?)\\s*$`, "m").exec(stdout)?.[1];
  const size = Number(value("MaxArraySize"));
  const storage = value("AccountingStorageType");
  return {
    cluster: value("ClusterName"),
    version: value("SLURM_VERSION"),
    maxArraySize: Number.isSafeInteger(size) && size > 0 ? size : 1,
    accounting: storage !== undefined && !/none$/.test(storage) && storage !== "(null)",
    limitsMemory:
      /task\/cgroup/.test(value("TaskPlugin") ?? "") && /^yes$/i.test(value("ConstrainRAMSpace") ?? ""),
  };
}

export interface PartitionRow {
  readonly name: string;
  readonly isUp: boolean;
  readonly nodes: number;
}

export function parsePartitions(stdout: string): readonly PartitionRow[] {
  const nodes = new Map<string, PartitionRow>();
  for (const line of stdout.split("\n")) {
    const [name = "", state, count] = line.trim().split("|");
    if (name === "") continue;
    const earlier = nodes.get(name)?.nodes ?? 0;
    nodes.set(name, { name, isUp: state === "up", nodes: earlier + (Number(count) || 0) });
  }
  return [...nodes.values()];
}

export interface JobResources {
  readonly maxRssBytes: number | null;
  readonly cpuSeconds: number | null;
}

/** By `123` or `123_4`. A job that is not there has not been written yet: that says nothing about it. */
export function parseAccounting(stdout: string): ReadonlyMap<string, JobResources> {
  const found = new Map<string, JobResources>();
  for (const line of stdout.split("\n")) {
    const [id = "", rss = "", cpu = ""] = line.trim().split("|");
    // Figures are those of the batch step.
    if (!id.endsWith(".batch")) continue;
    found.set(id.slice(0, -".batch".length), { maxRssBytes: bytesOf(rss), cpuSeconds: secondsOf(cpu) });
  }
  return found;
}

const units: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

function bytesOf(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)$/.exec(text);
  return match === null ? null : Math.round(Number(match[1]) * (units[match[2] ?? ""] ?? 1));
}

/** `[days-][hours:]minutes:seconds[.fraction]`. */
function secondsOf(text: string): number | null {
  const match = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text);
  if (match === null) return null;
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = match;
  return Number(days) * 86_400 + Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}

/** Slurm's own words in a job's log that say that its memory ran out. */
export function saysOutOfMemory(log: string): boolean {
  return /exceeded job memory limit|oom[-_ ]kill|exceeded step memory limit/i.test(log);
}
