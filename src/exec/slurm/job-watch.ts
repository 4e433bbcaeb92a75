/**
 * Waits for jobs: one `squeue` for all of them, again and again. What is decided of one job by what is seen is a pure function;
 * a controller that does not answer says nothing about any job, and a job without a row may just not have one.
 */
import { systemErrorCode } from "../../kernel/index.ts";
import { isClaimed, jobPaths, readExitCode, readJobFile, WatchLoop } from "../core/index.ts";
import { cancelArguments, queueArguments } from "./command-lines.ts";
import {
  isHeldUp,
  isLaunchFailure,
  isNeverStarting,
  isWaiting,
  parseQueue,
  phaseOf,
  type QueueRow,
} from "./parse-answers.ts";
import type { SlurmClient } from "./slurm-client.ts";

export interface WatchTimes {
  /** Milliseconds between two looks at the queue while something changes; grows tenfold while nothing does. */
  readonly pollMs: number;
  /** How long the exit code of a job that has ended may take to be seen on a shared file system. */
  readonly settleMs: number;
  /** How long a job may be without a row before it counts as lost. */
  readonly missingMs: number;
  /** How long a job must have waited for what never comes. */
  readonly stuckMs: number;
  /** How long a cancelled job is asked after while the controller is away. */
  readonly awayMs: number;
}

export interface WatchedJob {
  readonly name: string;
  readonly element: number | undefined;
  readonly directory: string;
}

export type JobOutcome =
  /** It is over; `row` is what Slurm said of it last, and `jobId` its id. */
  | { readonly kind: "over"; readonly row: QueueRow | undefined }
  | { readonly kind: "never-starts"; readonly row: QueueRow }
  /** It had begun and waits again: it will not run the attempt a second time. */
  | { readonly kind: "requeued"; readonly row: QueueRow }
  /** It was to be cancelled and Slurm could not be asked to. */
  | { readonly kind: "unreachable" };

/** What one look showed. */
export interface Sight {
  /** `unknown`: the controller did not answer. */
  readonly row: QueueRow | undefined | "unknown";
  readonly exitCode: number | undefined;
  /** The job's script has said why there is no exit code. */
  readonly hasEnd: boolean;
  readonly isClaimed: boolean;
  readonly isCancelled: boolean;
}

/** For how long a sight has been what it is, in milliseconds. */
export type Verdict =
  | { readonly kind: "go-on" }
  /** Decided once it has stayed so. */
  | {
      readonly kind: "after";
      readonly what: "ended" | "missing" | "never-starts" | "requeued" | "unreachable";
      readonly ms: number;
    }
  | { readonly kind: "over" };

export function judge(sight: Sight, times: WatchTimes): Verdict {
  const { row } = sight;
  const isSettled = sight.exitCode !== undefined || sight.hasEnd;
  if (row === "unknown") {
    if (isSettled) return { kind: "over" };
    return sight.isCancelled ? { kind: "after", what: "unreachable", ms: times.awayMs } : { kind: "go-on" };
  }
  if (row === undefined) {
    if (isSettled) return { kind: "over" };
    return { kind: "after", what: "missing", ms: sight.isCancelled ? times.settleMs : times.missingMs };
  }
  switch (phaseOf(row.state)) {
    case "active":
      // A row that is older than the job's beginning no longer appears at the next look.
      if (sight.isClaimed && isWaiting(row) && !sight.isCancelled)
        return { kind: "after", what: "requeued", ms: times.settleMs };
      // A controller that died before it had saved that the job began starts it a second time, and waits without end.
      if (isSettled && !sight.isCancelled) return { kind: "after", what: "ended", ms: times.settleMs };
      return isNeverStarting(row) && !sight.isCancelled
        ? { kind: "after", what: "never-starts", ms: times.stuckMs }
        : { kind: "go-on" };
    case "completing":
      // Success is that, while Slurm still tidies up. Why a job failed is in its last state only.
      if (sight.exitCode === 0) return { kind: "over" };
      return isSettled ? { kind: "after", what: "ended", ms: times.settleMs } : { kind: "go-on" };
    case "ended":
      // One that never began leaves nothing to be waited for.
      if (isSettled || (sight.isCancelled && !sight.isClaimed)) return { kind: "over" };
      if (isLaunchFailure(row) && !sight.isClaimed) return { kind: "over" };
      return { kind: "after", what: "ended", ms: times.settleMs };
  }
}

interface Watched extends WatchedJob {
  isCancelled: boolean;
  row: QueueRow | undefined;
  /** When the exit code was looked for although Slurm says that the job runs. */
  lookedAt: number;
  /** What the verdict waits for, and since when. */
  since: { readonly what: string; readonly at: number } | undefined;
}

export class JobWatch {
  readonly #client: SlurmClient;
  readonly #times: WatchTimes;
  readonly #say: (words: string) => void;
  readonly #loop: WatchLoop<Watched, JobOutcome>;
  #isAway = false;
  /** Why jobs are held up that was reported, so that it is said once. */
  #reported: ReadonlySet<string> = new Set();

  constructor(parts: { client: SlurmClient; times: WatchTimes; say: (words: string) => void }) {
    this.#client = parts.client;
    this.#times = parts.times;
    this.#say = parts.say;
    this.#loop = new WatchLoop({ pollMs: parts.times.pollMs, look: (jobs) => this.#look(jobs) });
  }

  /** `cancel` asks Slurm to end the job, however often it takes. */
  watch(job: WatchedJob): { readonly outcome: Promise<JobOutcome>; readonly cancel: () => void } {
    const watched: Watched = {
      ...job,
      isCancelled: false,
      row: undefined,
      lookedAt: performance.now(),
      since: undefined,
    };
    const outcome = this.#loop.add(watched);
    const cancel = () => {
      watched.isCancelled = true;
      this.#loop.wake();
    };
    return { outcome, cancel };
  }

  close(reason: unknown): Promise<void> {
    return this.#loop.close(reason);
  }

  /** Whether anything was different from the time before. */
  async #look(jobs: readonly Watched[]): Promise<boolean> {
    const answer = await this.#client("squeue", queueArguments());
    const rows = answer.kind === "answered" ? rowsByJob(parseQueue(answer.stdout)) : undefined;
    if (rows === undefined && !this.#isAway && answer.kind === "failed")
      this.#say(`Slurm's controller does not answer (${answer.words}); asking again`);
    this.#isAway = rows === undefined;
    let hasChanged = false;
    const toCancel = new Set<string>();
    for (const job of jobs) {
      if (!this.#loop.has(job)) continue;
      try {
        const before = `${job.row?.state} ${job.row?.reason}`;
        const row = rows === undefined ? "unknown" : rows.get(jobKey(job));
        if (row !== "unknown" && row !== undefined) job.row = row;
        const verdict = judge(await sightOf(job, row, this.#times), this.#times);
        if (this.#settle(job, verdict) || `${job.row?.state} ${job.row?.reason}` !== before)
          hasChanged = true;
        else if (job.isCancelled && typeof row === "object" && phaseOf(row.state) === "active")
          toCancel.add(slurmId(row));
      } catch (error) {
        this.#loop.fail(job, error);
      }
    }
    if (rows !== undefined) this.#reportHeldUp(jobs);
    if (toCancel.size > 0) await this.#cancel([...toCancel]);
    return hasChanged || toCancel.size > 0;
  }

  /** Nothing is wrong with these jobs, but nobody would look for the reason in Slurm. */
  #reportHeldUp(jobs: readonly Watched[]): void {
    const heldUp = new Map<string, QueueRow[]>();
    for (const { row, isCancelled } of jobs.filter((job) => this.#loop.has(job)))
      if (row !== undefined && !isCancelled && isHeldUp(row)) {
        const same = heldUp.get(row.reason);
        if (same === undefined) heldUp.set(row.reason, [row]);
        else same.push(row);
      }
    for (const [reason, [first, ...others]] of heldUp) {
      if (first === undefined || this.#reported.has(reason)) continue;
      const more = others.length === 0 ? "" : ` and ${others.length} more`;
      this.#say(
        `job ${slurmId(first)}${more} cannot start (${reason}): waiting until this is changed in Slurm; Ctrl-C cancels the run and its jobs`,
      );
    }
    this.#reported = new Set(heldUp.keys());
  }

  #settle(job: Watched, verdict: Verdict): boolean {
    if (verdict.kind === "go-on") {
      job.since = undefined;
      return false;
    }
    const now = performance.now();
    if (verdict.kind === "after") {
      if (job.since?.what !== verdict.what) job.since = { what: verdict.what, at: now };
      if (now - job.since.at < verdict.ms) return false;
    }
    if (verdict.kind === "after" && verdict.what === "unreachable")
      this.#loop.settle(job, { kind: "unreachable" });
    else if (
      verdict.kind === "after" &&
      (verdict.what === "never-starts" || verdict.what === "requeued") &&
      job.row !== undefined
    )
      this.#loop.settle(job, { kind: verdict.what, row: job.row });
    else this.#loop.settle(job, { kind: "over", row: job.row });
    return true;
  }

  async #cancel(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += 500)
      await this.#client("scancel", cancelArguments(ids.slice(from, from + 500)));
  }
}

/** `12` or `12_3`, as Slurm's commands take it. */
export function slurmId({ jobId, element }: Pick<QueueRow, "jobId" | "element">): string {
  return element === undefined ? jobId : `${jobId}_${element}`;
}

/** Where two jobs have one name (a submission that was repeated), the one that is not over counts. */
export function rowsByJob(rows: readonly QueueRow[]): ReadonlyMap<string, QueueRow> {
  const found = new Map<string, QueueRow>();
  for (const row of rows) {
    const key = jobKey(row);
    const earlier = found.get(key);
    if (earlier === undefined || phaseOf(earlier.state) === "ended") found.set(key, row);
  }
  return found;
}

export function jobKey({ name, element }: Pick<WatchedJob, "name" | "element">): string {
  return `${element ?? ""} ${name}`;
}

async function sightOf(job: Watched, row: Sight["row"], { settleMs }: WatchTimes): Promise<Sight> {
  const { directory, isCancelled } = job;
  const isRunning = typeof row === "object" && phaseOf(row.state) === "active";
  const hasBegun = isRunning && isWaiting(row) && isClaimed(job.directory);
  // Of a job that runs nothing else counts, but for the few whose end Slurm never comes to know.
  const isDue = job.since?.what === "ended" || performance.now() - job.lookedAt > settleMs;
  if (isRunning && (hasBegun || !isDue))
    return { row, isCancelled, exitCode: undefined, hasEnd: false, isClaimed: hasBegun };
  job.lookedAt = performance.now();
  try {
    return {
      row,
      isCancelled,
      exitCode: await readExitCode(directory),
      hasEnd: readJobFile(jobPaths(directory).end) !== "",
      isClaimed: isClaimed(directory),
    };
  } catch (error) {
    // A shared file system that fails for a moment says nothing.
    if (!["EIO", "ESTALE", "ETIMEDOUT"].includes(systemErrorCode(error) ?? "")) throw error;
    return { row: "unknown", isCancelled, exitCode: undefined, hasEnd: false, isClaimed: false };
  }
}
