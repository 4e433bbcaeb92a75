/** The command lines of Slurm's programs: pure, one function each. */
import { defined } from "../../kernel/index.ts";

export interface SlurmPlacement {
  readonly account?: string;
  readonly partition?: string;
  readonly qos?: string;
  readonly constraint?: string;
}

/** What one job asks for; jobs that ask for the same can share an array. */
export interface JobShape {
  readonly cpu: number;
  /** 0 = the cluster's default. */
  readonly memoryMebibytes: number;
  readonly gpu: number;
  /** Absent: the partition's default. */
  readonly minutes?: number;
  /** Instead of the partition of all jobs. */
  readonly queue?: string;
  /** Words that the task adds. */
  readonly options?: readonly string[];
}

export interface SubmissionOrder {
  readonly name: string;
  readonly shape: JobShape;
  readonly placement: SlurmPlacement;
  /** Elements of the array, in order; absent for a job on its own. */
  readonly elements?: readonly number[];
  /** What Slurm itself has to say of the job; `%a` is the element's number. */
  readonly log: string;
}

/** The script is given on standard input. A requeued job would run twice in one folder: Memoir repeats it in another. */
export function submissionArguments(order: SubmissionOrder): readonly string[] {
  const { shape, placement, elements } = order;
  return [
    "--parsable",
    "--no-requeue",
    `--job-name=${order.name}`,
    ...(elements === undefined ? [] : [`--array=${rangesOf(elements)}`]),
    "--chdir=/",
    `--output=${order.log}`,
    "--nodes=1",
    "--ntasks=1",
    `--cpus-per-task=${shape.cpu}`,
    ...(shape.memoryMebibytes === 0 ? [] : [`--mem=${shape.memoryMebibytes}M`]),
    ...(shape.gpu === 0 ? [] : [`--gpus=${shape.gpu}`]),
    ...(shape.minutes === undefined ? [] : [`--time=${shape.minutes}`]),
    ...placementArguments(defined({ ...placement, partition: shape.queue ?? placement.partition })),
    ...(shape.options ?? []),
  ];
}

/** `0-4,7`. */
function rangesOf(numbers: readonly number[]): string {
  const ranges: { readonly from: number; to: number }[] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.to === number - 1) last.to = number;
    else ranges.push({ from: number, to: number });
  }
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(",");
}

function placementArguments({ account, partition, qos, constraint }: SlurmPlacement): readonly string[] {
  return [
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(qos === undefined ? [] : [`--qos=${qos}`]),
    ...(constraint === undefined ? [] : [`--constraint=${constraint}`]),
  ];
}

/** All jobs of this user, those that ended a short while ago too; or those of one name. */
export function queueArguments(name?: string): readonly string[] {
  return [
    "--me",
    "--noheader",
    "--array",
    "--states=all",
    ...(name === undefined ? [] : [`--name=${name}`]),
    // Names of other people's jobs may contain anything, so the name is not at an end; the reason has no bar.
    "--format=%F|%K|%T|%j|%r",
  ];
}

export function cancelArguments(ids: readonly string[]): readonly string[] {
  return ["--quiet", ...ids];
}

export const configArguments: readonly string[] = ["show", "config"];

/** State of each partition, for `memoir doctor`. */
export const partitionsArguments: readonly string[] = ["--noheader", "--format=%R|%a|%D|%c|%m|%l"];

export function accountingArguments(ids: readonly string[]): readonly string[] {
  return ["--noheader", "--parsable2", `--jobs=${ids.join(",")}`, "--format=JobID,MaxRSS,TotalCPU"];
}

/** The log as `--output` takes it; undefined where Slurm cannot be given the path. */
export function logPattern(path: string): string | undefined {
  // After a backslash Slurm replaces nothing; a line break would end the option in its records.
  return /[\\\n]/.test(path) ? undefined : path.replaceAll("%", "%%");
}
