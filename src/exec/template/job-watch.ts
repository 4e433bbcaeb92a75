/**
 * Waits for jobs: one status command for all of them, again and again. A scheduler that does not answer says nothing about
 * any job; what it does not list may have ended a while ago, or may not be listed yet.
 */
import { isClaimed, jobPaths, readExitCode, readJobFile, requestJobEnd, WatchLoop } from "../core/index.ts";
import type { SchedulerClient } from "./scheduler-client.ts";
import { fill, type JobPhase, type SchedulerTemplates } from "./templates.ts";

export interface WatchTimes {
  /** Milliseconds between two looks; grows tenfold while nothing changes. */
  readonly pollMs: number;
  /** How long the scheduler and the file system may take to agree that a job has ended. */
  readonly settleMs: number;
  /** How long a job may be unlisted before it counts as lost. */
  readonly missingMs: number;
  /** How long a cancelled job has to end by itself before the scheduler is asked to end it. */
  readonly graceMs: number;
  /** How long a cancelled job is waited for while the scheduler does not answer. */
  readonly awayMs: number;
}

export interface WatchedJob {
  readonly jobId: string | undefined;
  readonly directory: string;
}

/** `state`: what the scheduler called it last. */
export interface JobOutcome {
  readonly kind: "over" | "unreachable";
  readonly state: string | undefined;
}

interface Watched extends WatchedJob {
  state: string | undefined;
  cancelledAt: number | undefined;
  since: { readonly what: string; readonly at: number } | undefined;
}

/** Schedulers add their server to an id, and cut it in lists. */
export function plainId(id: string): string {
  return /^\d+/.exec(id)?.[0] ?? id;
}

/** States by plain id. */
export function parseStatus(text: string, row: RegExp): ReadonlyMap<string, string> {
  const states = new Map<string, string>();
  for (const line of text.split("\n")) {
    const { id, state } = row.exec(line)?.groups ?? {};
    if (id !== undefined && state !== undefined) states.set(plainId(id), state);
  }
  return states;
}

export class JobWatch {
  readonly #client: SchedulerClient;
  readonly #templates: SchedulerTemplates;
  readonly #times: WatchTimes;
  readonly #say: (words: string) => void;
  readonly #loop: WatchLoop<Watched, JobOutcome>;
  #isAway = false;

  constructor(parts: {
    client: SchedulerClient;
    templates: SchedulerTemplates;
    times: WatchTimes;
    say: (words: string) => void;
  }) {
    this.#client = parts.client;
    this.#templates = parts.templates;
    this.#times = parts.times;
    this.#say = parts.say;
    this.#loop = new WatchLoop({ pollMs: parts.times.pollMs, look: (jobs) => this.#look(jobs) });
  }

  watch(job: WatchedJob): { readonly outcome: Promise<JobOutcome>; readonly cancel: () => void } {
    const watched: Watched = { ...job, state: undefined, cancelledAt: undefined, since: undefined };
    const outcome = this.#loop.add(watched);
    const cancel = () => {
      watched.cancelledAt ??= performance.now();
      requestJobEnd(job.directory);
      this.#loop.wake();
    };
    return { outcome, cancel };
  }

  close(reason: unknown): Promise<void> {
    return this.#loop.close(reason);
  }

  /** Whether anything was different from the time before. */
  async #look(jobs: readonly Watched[]): Promise<boolean> {
    const states = await this.listed();
    let hasChanged = false;
    for (const job of jobs) {
      if (!this.#loop.has(job)) continue;
      try {
        const before = job.state;
        if (await this.#lookAt(job, states)) hasChanged = true;
        hasChanged ||= job.state !== before;
      } catch (error) {
        this.#loop.fail(job, error);
      }
    }
    return hasChanged;
  }

  /** States by plain id; undefined = the scheduler does not answer. */
  async listed(): Promise<ReadonlyMap<string, string> | undefined> {
    const answer = await this.#client(fill(this.#templates.status, {}));
    if (answer.kind !== "answered" && !this.#isAway)
      this.#say(
        `the scheduler does not answer (${answer.kind === "failed" ? answer.words : `no ${answer.program}`}); asking again`,
      );
    this.#isAway = answer.kind !== "answered";
    return answer.kind === "answered" ? parseStatus(answer.stdout, this.#templates.row) : undefined;
  }

  phaseOf(state: string | undefined): JobPhase | "missing" {
    return state === undefined ? "missing" : (this.#templates.states.get(state) ?? "active");
  }

  async #lookAt(job: Watched, states: ReadonlyMap<string, string> | undefined): Promise<boolean> {
    const { directory, jobId } = job;
    const { settleMs, missingMs, awayMs, graceMs } = this.#times;
    const state = jobId === undefined ? undefined : states?.get(plainId(jobId));
    if (state !== undefined) job.state = state;
    const phase = states === undefined ? "unknown" : this.phaseOf(state);
    const isSettled =
      (await readExitCode(directory)) !== undefined || readJobFile(jobPaths(directory).end) !== "";
    // The list may be older than the job's end.
    if (isSettled && phase !== "active") return this.#resolve(job, "over");
    if (isSettled) return this.#after(job, "settled", settleMs, "over");
    const isCancelled = job.cancelledAt !== undefined;
    if (isCancelled && (phase === "active" || phase === "lost"))
      if (!isClaimed(directory) || performance.now() - (job.cancelledAt ?? 0) > graceMs + settleMs)
        await this.#cancel(job);
    switch (phase) {
      case "unknown":
        return isCancelled ? this.#after(job, "away", awayMs, "unreachable") : false;
      case "missing":
        return this.#after(job, "missing", isCancelled ? settleMs : missingMs, "over");
      case "ended":
        return this.#after(job, "ended", isCancelled && !isClaimed(directory) ? 0 : settleMs, "over");
      case "lost":
        if (!isCancelled) await this.#cancel(job);
        return this.#after(job, "lost", settleMs, "over");
      default:
        job.since = undefined;
        return false;
    }
  }

  #after(job: Watched, what: string, ms: number, kind: JobOutcome["kind"]): boolean {
    const now = performance.now();
    if (job.since?.what !== what) job.since = { what, at: now };
    return now - job.since.at >= ms && this.#resolve(job, kind);
  }

  #resolve(job: Watched, kind: JobOutcome["kind"]): true {
    this.#loop.settle(job, { kind, state: job.state });
    return true;
  }

  async #cancel({ jobId }: Watched): Promise<void> {
    if (jobId !== undefined) await this.#client(fill(this.#templates.cancel, { id: jobId }));
  }
}
