/**
 * Runs tasks as jobs of any scheduler whose nodes see the attempts' directories, by command lines that the user gives. The
 * scheduler takes jobs, lists those that are not over, and cancels; everything else comes from the attempt's directory.
 *
 * Jobs outlive Memoir. An attempt's directory holds the id of its job, so a later Memoir finds it again.
 */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  AppError,
  type Ask,
  bytesOfText,
  checkAsk,
  pause,
  Semaphore,
  SingleFlight,
} from "../../kernel/index.ts";
import { findProgram } from "../../process/index.ts";
import {
  type Attempt,
  type AttemptEnd,
  type AttemptState,
  attemptText,
  type Executor,
  type ExecutorAbilities,
  ensureStreams,
  environmentIdentity,
  identityTools,
  isClaimed,
  jobPaths,
  jobScript,
  prepareJob,
  readAttemptEnd,
  readJobFile,
  type Staging,
  type StopReason,
  settleInputs,
  stoppedEnd,
  taskEnvironment,
  type Usage,
  withSpoiled,
  writeStopMark,
} from "../core/index.ts";
import { type JobOutcome, JobWatch, plainId, type WatchTimes } from "./job-watch.ts";
import { createSchedulerClient, type SchedulerClient } from "./scheduler-client.ts";
import { readSubmission, writeSubmission } from "./submission.ts";
import { fill, type SchedulerTemplates, type Values } from "./templates.ts";

export interface TemplateExecutorOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly templates: SchedulerTemplates;
  /** Jobs in the scheduler at the same time. Default 1000. */
  readonly maxJobs?: number;
  readonly times?: Partial<WatchTimes>;
  /** Reports to people, for example that the scheduler does not answer. */
  readonly say?: (words: string) => void;
}

const defaultTimes: WatchTimes = {
  pollMs: 5_000,
  settleMs: 60_000,
  missingMs: 120_000,
  graceMs: 10_000,
  awayMs: 300_000,
};
/** Submissions at the same time: each is a program. */
const submitsAtOnce = 4;
const mebibyte = 2 ** 20;
/** Of logs: schedulers give commas, colons and other signs in them a meaning. */
const plainPath = /^[A-Za-z0-9_./-]+$/;
const logTailBytes = 2_000;

export function createTemplateExecutor(options: TemplateExecutorOptions): Executor {
  return new TemplateExecutor(options);
}

class TemplateExecutor implements Executor {
  readonly name = "template";
  readonly can: ExecutorAbilities = {
    containers: false,
    sharesFiles: true,
    elsewhere: true,
    survives: true,
    mountsTaskRoot: false,
    limitsMemory: false,
    isolates: false,
  };
  readonly #options: TemplateExecutorOptions;
  readonly #env: Readonly<Record<string, string>>;
  readonly #client: SchedulerClient;
  readonly #times: WatchTimes;
  readonly #watch: JobWatch;
  readonly #starting = new SingleFlight<void>();
  readonly #jobs: Semaphore;
  readonly #submits = new Semaphore(submitsAtOnce);
  /** Gives back the place of an attempt that was submitted here. */
  readonly #places = new Map<string, () => void>();
  readonly #staged = new Map<string, Staging>();
  #identity: string | undefined;

  constructor(options: TemplateExecutorOptions) {
    this.#options = options;
    this.#env = taskEnvironment(options.env);
    this.#client = createSchedulerClient(options.env);
    this.#times = { ...defaultTimes, ...options.times };
    this.#jobs = new Semaphore(options.maxJobs ?? 1_000);
    const { templates, say = () => {} } = options;
    this.#watch = new JobWatch({ client: this.#client, templates, times: this.#times, say });
  }

  /** @throws AppError EXEC_SCHEDULER_NOT_FOUND, or EXEC_SCHEDULER_FAILED when the scheduler does not answer */
  async open(ask: Ask): Promise<void> {
    const { submit, status } = this.#options.templates;
    const answer = await this.#client(fill(status, {}), { ask });
    checkAsk(ask, "asking the scheduler for its jobs");
    if (answer.kind === "not-found") throw notFound(answer.program);
    if (answer.kind === "failed")
      throw new AppError("EXEC_SCHEDULER_FAILED", `asking the scheduler for its jobs: ${answer.words}`);
    const here = await environmentIdentity({ env: this.#env, isolate: false, tools: identityTools });
    this.#identity = JSON.stringify(["template", submit, here]);
  }

  /** The scheduler itself decides what runs when: only the number of jobs is bounded here. */
  capacity() {
    const most = Number.POSITIVE_INFINITY;
    return { cpu: most, memoryBytes: most, gpu: most };
  }

  environmentIdentity(): string | undefined {
    return this.#identity;
  }

  /** Nodes are expected to have the programs that the submitting machine has. */
  async programPath(name: string, env: Readonly<Record<string, string>>): Promise<string | undefined> {
    if (name.includes("/") && !name.startsWith("/")) return undefined;
    return findProgram(name, { ...this.#env, ...env }, "/");
  }

  start(attempt: Attempt, ask: Ask): Promise<void> {
    return this.#starting.run(attempt.id, () => this.#start(attempt, ask));
  }

  async #start(attempt: Attempt, ask: Ask): Promise<void> {
    const { directory } = attempt;
    if ((await readAttemptEnd(directory, { wallSeconds: 0 })) !== undefined) return;
    if (this.#places.has(attempt.id) || isClaimed(directory)) return;
    const earlier = readSubmission(directory);
    if (earlier?.jobId !== undefined && (await this.#isListed(earlier.jobId, ask))) return;
    const release = await this.#jobs.acquire();
    try {
      checkAsk(ask, `starting ${attempt.id}`);
      await this.#prepare(attempt, ask);
      await this.#submit(attempt, ask);
      this.#places.set(attempt.id, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  async #prepare(attempt: Attempt, ask: Ask): Promise<void> {
    this.#staged.set(attempt.id, await prepareJob(attempt, { env: this.#env, plainPath }, ask));
  }

  /**
   * A submission whose answer was lost is repeated: the job of the one before finds another token and leaves.
   * @throws AppError EXEC_JOB_REFUSED with the scheduler's words
   */
  async #submit(attempt: Attempt, ask: Ask): Promise<void> {
    const { directory, id, timeoutMs } = attempt;
    const { submit, jobId: pattern } = this.#options.templates;
    const token = randomBytes(10).toString("hex");
    writeSubmission(directory, { token, jobId: undefined });
    const { graceMs } = this.#times;
    const script = jobScript({
      attempt: attemptText({ directory, timeoutMs }),
      submission: token,
      graceMs,
      hasWatcher: true,
    });
    const bytes = Buffer.from(bytesOfText(script));
    const file = scriptPath(directory, token);
    const release = await this.#submits.acquire();
    try {
      checkAsk(ask, `submitting ${id}`);
      writeFileSync(file, bytes, { mode: 0o700, flag: dirname(file) === tmpdir() ? "wx" : "w" });
      const words = fill(submit, { ...submitValues(attempt, token, graceMs), script: file });
      const answer = await this.#client(words, { stdin: bytes });
      if (answer.kind === "not-found") throw notFound(answer.program);
      if (answer.kind === "failed")
        throw new AppError("EXEC_JOB_REFUSED", `submitting ${id} to the scheduler: ${answer.words}`);
      const jobId = answer.stdout
        .split("\n")
        .map((line) => pattern.exec(line)?.[1])
        .find((found) => found !== undefined);
      if (jobId === undefined)
        throw new AppError(
          "EXEC_JOB_REFUSED",
          `submitting ${id} to the scheduler: its answer has no job id: ${answer.stdout.trim().slice(0, 200)}`,
        );
      writeSubmission(directory, { token, jobId });
    } finally {
      release();
      if (dirname(file) === tmpdir()) rmSync(file, { force: true });
    }
  }

  /** @throws AppError EXEC_SCHEDULER_FAILED when the scheduler does not answer for too long */
  async #isListed(jobId: string, ask: Ask): Promise<boolean> {
    const until = performance.now() + this.#times.awayMs;
    for (;;) {
      const states = await this.#watch.listed();
      checkAsk(ask, `looking for job ${jobId}`);
      if (states !== undefined) return this.#watch.phaseOf(states.get(plainId(jobId))) === "active";
      if (performance.now() > until)
        throw new AppError(
          "EXEC_SCHEDULER_FAILED",
          `looking for job ${jobId}: the scheduler does not answer`,
        );
      await pause(this.#times.pollMs, ask);
    }
  }

  async wait(attempt: Attempt, ask: Ask): Promise<AttemptEnd> {
    const { directory } = attempt;
    const submission = readSubmission(directory);
    if (submission === undefined) {
      const recorded = await readAttemptEnd(directory, { wallSeconds: 0 });
      return recorded ?? { kind: "lost", message: `${attempt.id} was not submitted and left no exit code` };
    }
    const began = performance.now();
    const { outcome, cancel } = this.#watch.watch({ jobId: submission.jobId, directory });
    let stopped: StopReason | undefined;
    const onAbort = () => {
      stopped = "cancelled";
      void writeStopMark(directory, "cancelled").then(cancel, cancel);
    };
    ask.signal.addEventListener("abort", onAbort, { once: true });
    if (ask.signal.aborted) onAbort();
    try {
      const over = await outcome;
      const wallSeconds = (performance.now() - began) / 1000;
      return await this.#conclude(attempt, { over, stopped, wallSeconds });
    } finally {
      ask.signal.removeEventListener("abort", onAbort);
      this.#giveBack(attempt.id);
    }
  }

  async #conclude(
    attempt: Attempt,
    ended: {
      readonly over: JobOutcome;
      readonly stopped: StopReason | undefined;
      readonly wallSeconds: number;
    },
  ): Promise<AttemptEnd> {
    const { over, stopped, wallSeconds } = ended;
    if (over.kind === "unreachable") {
      this.#options.say?.(`the job of ${attempt.id} could not be cancelled: the scheduler does not answer`);
      return { kind: "cancelled" };
    }
    if (existsSync(attempt.directory)) await settleInputs(attempt, this.#staged.get(attempt.id));
    const end = await this.#readEnd(attempt, over.state, wallSeconds);
    if (stopped === undefined) return end;
    return end.kind === "lost" ? { kind: "cancelled" } : stoppedEnd(end, stopped);
  }

  async #readEnd(attempt: Attempt, state: string | undefined, wallSeconds: number): Promise<AttemptEnd> {
    const { directory } = attempt;
    const recorded = await readAttemptEnd(directory, { wallSeconds });
    if (recorded !== undefined) return withSpoiled(recorded, directory);
    if (existsSync(directory)) await ensureStreams(directory).catch(() => {});
    const usage: Usage = { wallSeconds, cpuSeconds: null, maxRssBytes: null, source: "none" };
    const why = readJobFile(jobPaths(directory).end).trim();
    if (why === "timed-out") return { kind: "timed-out", usage };
    const log = readJobFile(jobPaths(directory).log).slice(-logTailBytes).trim();
    const id = readSubmission(directory)?.jobId ?? "without an id";
    const last = state === undefined ? "is not listed by the scheduler" : `was last listed as ${state}`;
    const own = why === "outside" ? ", ended from outside" : why === "" ? "" : `, ${why}`;
    return {
      kind: "lost",
      message: `job ${id} ${last}${own} and left no exit code${log === "" ? "" : `: ${log}`}`,
    };
  }

  async state(attempt: Attempt, ask: Ask): Promise<AttemptState> {
    const { directory } = attempt;
    const recorded = await readAttemptEnd(directory, { wallSeconds: 0 });
    if (recorded !== undefined) return { kind: "ended", end: recorded };
    const submission = readSubmission(directory);
    if (submission === undefined) return { kind: "unknown" };
    const { jobId } = submission;
    if (jobId !== undefined && (await this.#isListed(jobId, ask))) return { kind: "running" };
    if (!isClaimed(directory)) return { kind: "unknown" };
    return { kind: "ended", end: await this.#readEnd(attempt, undefined, 0) };
  }

  async remove(attempt: Attempt, _ask: Ask): Promise<void> {
    this.#staged.delete(attempt.id);
    this.#giveBack(attempt.id);
  }

  #giveBack(id: string): void {
    this.#places.get(id)?.();
    this.#places.delete(id);
  }

  /** Jobs continue; whoever waits for one here gets RUN_INTERRUPTED. */
  async close(): Promise<void> {
    await this.#watch.close(
      new AppError("RUN_INTERRUPTED", "closing the template executor; its jobs keep running"),
    );
  }
}

/** Some schedulers put it into a command line for a shell, so it is always a plain one. */
function scriptPath(directory: string, token: string): string {
  const path = `${jobPaths(directory).folder}/script`;
  return plainPath.test(path) ? path : join(tmpdir(), `memoir-job-${token}`);
}

function submitValues({ directory, resources, timeoutMs }: Attempt, token: string, graceMs: number): Values {
  const cpus = Math.max(1, Math.ceil(resources.cpu));
  const memory = Math.ceil(resources.memoryBytes / mebibyte);
  // The job ends the task itself, to the millisecond; the scheduler comes after.
  const minutes = timeoutMs === undefined ? undefined : Math.ceil((timeoutMs + graceMs) / 60_000) + 1;
  const { log } = jobPaths(directory);
  const out = plainPath.test(log) ? log : "/dev/null";
  return {
    cpus: String(cpus),
    memory_mb: memory === 0 ? undefined : String(memory),
    memory_mb_per_cpu: memory === 0 ? undefined : String(Math.ceil(memory / cpus)),
    gpus: resources.gpu === 0 ? undefined : String(Math.ceil(resources.gpu)),
    minutes: minutes === undefined ? undefined : String(minutes),
    walltime:
      minutes === undefined
        ? undefined
        : `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}:00`,
    // Some schedulers take no more than 15 characters, and none that begins with a digit.
    name: `m${token.slice(0, 13)}`,
    out,
    err: out,
  };
}

function notFound(program: string): AppError {
  return new AppError("EXEC_SCHEDULER_NOT_FOUND", `asking the scheduler: ${program} is not on PATH`);
}
