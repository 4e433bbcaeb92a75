/**
 * Runs tasks as jobs of a Slurm cluster whose nodes see the attempts' directories. Slurm is asked for as little as possible: it
 * takes jobs, says which are not over, and cancels; exit code, streams and figures come from the attempt's directory.
 *
 * Jobs outlive Memoir. An attempt's directory holds the name of its job, so a later Memoir finds it again.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import {
  AppError,
  type Ask,
  bytesOfText,
  checkAsk,
  onDisk,
  pause,
  Semaphore,
  SingleFlight,
} from "../../kernel/index.ts";
import { findProgram } from "../../process/index.ts";
import {
  type Attempt,
  type AttemptEnd,
  type AttemptState,
  attemptPaths,
  containerMounts,
  type Executor,
  type ExecutorAbilities,
  ensureStreams,
  environmentIdentity,
  environmentScript,
  identityTools,
  isClaimed,
  jobPaths,
  type PinnedImage,
  prepareAttempt,
  prepareJob,
  readAttemptEnd,
  readJobFile,
  type Staging,
  type StopReason,
  settleInputs,
  stoppedEnd,
  taskEnvironment,
  type Usage,
  unsettableVariable,
  withSpoiled,
  writeStopMark,
} from "../core/index.ts";
import { isPlainHttp } from "../images/index.ts";
import { cancelArguments, configArguments, queueArguments, type SlurmPlacement } from "./command-lines.ts";
import { containerScript, type JobEngine, removalScript } from "./container-lines.ts";
import { JobAccounting } from "./job-accounting.ts";
import { type JobOutcome, JobWatch, jobKey, rowsByJob, slurmId, type WatchTimes } from "./job-watch.ts";
import {
  type ClusterConfig,
  isEndedByOthers,
  isLaunchFailure,
  isWaiting,
  parseConfig,
  parseQueue,
  phaseOf,
  type QueueRow,
  saysOutOfMemory,
} from "./parse-answers.ts";
import { createSlurmClient, type SlurmClient } from "./slurm-client.ts";
import { readSubmission, type Submission } from "./submission.ts";
import { notFound, Submitter } from "./submitter.ts";

export interface SlurmExecutorOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly placement: SlurmPlacement;
  /** What runs images inside jobs. Default `auto`. */
  readonly engine?: JobEngine;
  /** Jobs in Slurm at the same time. Default 1000. */
  readonly maxJobs?: number;
  /** Milliseconds between TERM and KILL. Default 10000. */
  readonly graceMs?: number;
  readonly times?: Partial<WatchTimes>;
  /** Reports to people, for example that the controller does not answer. */
  readonly say?: (words: string) => void;
}

const defaultTimes: WatchTimes = {
  pollMs: 1_000,
  settleMs: 60_000,
  missingMs: 60_000,
  stuckMs: 30_000,
  awayMs: 300_000,
};
/** An executor that cannot be opened should say so before the user has gone for a coffee. */
const openMs = 30_000;
const plainPath = /^[A-Za-z0-9_@%+=:,./-]+$/;
const logTailBytes = 2_000;

export function createSlurmExecutor(options: SlurmExecutorOptions): Executor {
  return new SlurmExecutor(options);
}

class SlurmExecutor implements Executor {
  readonly name = "slurm";
  readonly #options: SlurmExecutorOptions;
  readonly #env: Readonly<Record<string, string>>;
  readonly #client: SlurmClient;
  readonly #times: WatchTimes;
  readonly #watch: JobWatch;
  readonly #accounting: JobAccounting;
  readonly #starting = new SingleFlight<void>();
  readonly #jobs: Semaphore;
  /** Gives back the place of an attempt that was submitted here. */
  readonly #places = new Map<string, () => void>();
  readonly #staged = new Map<string, Staging>();
  #opened:
    | { readonly config: ClusterConfig; readonly submitter: Submitter; readonly identity: string }
    | undefined;

  constructor(options: SlurmExecutorOptions) {
    this.#options = options;
    this.#env = taskEnvironment(options.env);
    this.#client = createSlurmClient(options.env);
    this.#times = { ...defaultTimes, ...options.times };
    this.#accounting = new JobAccounting(this.#client);
    this.#jobs = new Semaphore(options.maxJobs ?? 1_000);
    this.#watch = new JobWatch({ client: this.#client, times: this.#times, say: this.#say });
  }

  readonly #say = (words: string): void => this.#options.say?.(words);

  get can(): ExecutorAbilities {
    return {
      ...(this.#engine === "none" ? { containers: false } : { containers: true, plainTasks: true as const }),
      sharesFiles: true,
      elsewhere: true,
      survives: true,
      mountsTaskRoot: false,
      limitsMemory: this.#opened?.config.limitsMemory === true,
      isolates: false,
    };
  }

  /** @throws AppError EXEC_SCHEDULER_NOT_FOUND, or EXEC_SCHEDULER_FAILED when the controller does not answer */
  async open(ask: Ask): Promise<void> {
    const config = await this.#config(ask);
    const { placement, env } = this.#options;
    const submitter = new Submitter({
      client: this.#client,
      placement,
      graceMs: this.#graceMs,
      awayMs: this.#times.awayMs,
      maxArraySize: config.maxArraySize,
      say: this.#say,
    });
    const here = await environmentIdentity({ env: this.#env, isolate: false, tools: identityTools });
    const { partition = "", constraint = "" } = placement;
    const identity = [
      "slurm",
      config.cluster ?? "",
      partition,
      constraint,
      env["SLURM_CLUSTERS"] ?? "",
      here,
    ];
    this.#opened = { config, submitter, identity: JSON.stringify(identity) };
  }

  async #config(ask: Ask): Promise<ClusterConfig> {
    const until = performance.now() + Math.min(openMs, this.#times.awayMs);
    for (;;) {
      const answer = await this.#client("scontrol", configArguments, { ask });
      checkAsk(ask, "asking Slurm for its configuration");
      if (answer.kind === "not-found") throw notFound(answer.program);
      if (answer.kind === "answered") return parseConfig(answer.stdout);
      if (performance.now() > until)
        throw new AppError("EXEC_SCHEDULER_FAILED", `asking Slurm for its configuration: ${answer.words}`);
      await pause(1_000, ask);
    }
  }

  get #engine(): JobEngine {
    return this.#options.engine ?? "auto";
  }

  get #graceMs(): number {
    return this.#options.graceMs ?? 10_000;
  }

  #ready() {
    if (this.#opened === undefined)
      throw new AppError("EXEC_SCHEDULER_FAILED", "asking Slurm: the executor was not opened");
    return this.#opened;
  }

  /** Slurm itself decides what runs when: only the number of jobs is bounded here. */
  capacity() {
    const most = Number.POSITIVE_INFINITY;
    return { cpu: most, memoryBytes: most, gpu: most };
  }

  environmentIdentity(): string | undefined {
    return this.#opened?.identity;
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
    if ((await readAttemptEnd(attempt.directory, { wallSeconds: 0 })) !== undefined) return;
    if (this.#places.has(attempt.id)) return;
    const { submitter } = this.#ready();
    const earlier = readSubmission(attempt.directory);
    if (
      earlier !== undefined &&
      (isClaimed(attempt.directory) || (await this.#row(earlier, ask)) !== undefined)
    )
      return;
    const release = await this.#jobs.acquire();
    try {
      checkAsk(ask, `starting ${attempt.id}`);
      await this.#prepare(attempt, ask);
      await submitter.submit(attempt, ask);
      this.#places.set(attempt.id, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  async #prepare(attempt: Attempt, ask: Ask): Promise<void> {
    const { image } = attempt;
    if (image !== undefined) return this.#prepareContainer(attempt, image, ask);
    this.#staged.set(attempt.id, await prepareJob(attempt, { env: this.#env, plainPath }, ask));
  }

  async #prepareContainer(attempt: Attempt, image: PinnedImage, ask: Ask): Promise<void> {
    const { directory } = attempt;
    const engine = this.#engine;
    if (engine === "none") throw refusedStart(attempt, "it names an image, and --job-engine is none");
    const odd = unsettableVariable(attempt.env);
    if (odd !== undefined)
      throw refusedStart(attempt, `${JSON.stringify(odd)} is not a name of a variable that a shell can set`);
    // Charliecloud mounts nothing read-only.
    const wanted = engine === "charliecloud" ? { ...attempt, copyInputs: true as const } : attempt;
    const staging = await prepareAttempt(wanted, { inputs: "mount-points" }, ask);
    this.#staged.set(attempt.id, staging);
    const isRoot = process.getuid?.() === 0;
    const paths = jobPaths(directory);
    mkdirSync(onDisk(paths.folder), { recursive: true });
    const mounts = containerMounts(attempt, staging.mounts);
    const env = isRoot ? attempt.env : { HOME: "/tmp", ...attempt.env };
    writeFileSync(onDisk(paths.contained), "");
    writeFileSync(onDisk(paths.env), bytesOfText(environmentScript(env)), { mode: 0o600 });
    const script = containerScript(engine, {
      attempt,
      image,
      mounts,
      isRoot,
      plainHttp: isPlainHttp(image.reference),
    });
    writeFileSync(onDisk(paths.run), bytesOfText(script));
    if (engine === "podman" || engine === "auto")
      writeFileSync(onDisk(paths.after), bytesOfText(removalScript(attempt.id)));
  }

  /** The job's row; undefined also where the controller does not answer. */
  async #rowNow(job: Pick<Submission, "name" | "element">, ask: Ask): Promise<QueueRow | undefined> {
    const answer = await this.#client("squeue", queueArguments(job.name), { ask });
    checkAsk(ask, `looking for job ${job.name}`);
    return answer.kind === "answered" ? rowsByJob(parseQueue(answer.stdout)).get(jobKey(job)) : undefined;
  }

  /** @throws AppError EXEC_SCHEDULER_FAILED when the controller is away for too long */
  async #row(job: Pick<Submission, "name" | "element">, ask: Ask): Promise<QueueRow | undefined> {
    const until = performance.now() + this.#times.awayMs;
    for (;;) {
      const answer = await this.#client("squeue", queueArguments(job.name), { ask });
      checkAsk(ask, `looking for job ${job.name}`);
      if (answer.kind === "not-found") throw notFound(answer.program);
      if (answer.kind === "answered") return rowsByJob(parseQueue(answer.stdout)).get(jobKey(job));
      if (performance.now() > until)
        throw new AppError("EXEC_SCHEDULER_FAILED", `looking for job ${job.name} in Slurm: ${answer.words}`);
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
    const { outcome, cancel } = this.#watch.watch({ ...submission, directory });
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
      return await this.#conclude(attempt, { submission, over, stopped, wallSeconds });
    } finally {
      ask.signal.removeEventListener("abort", onAbort);
      this.#giveBack(attempt.id);
    }
  }

  async #conclude(
    attempt: Attempt,
    ended: {
      readonly submission: Submission;
      readonly over: JobOutcome;
      readonly stopped: StopReason | undefined;
      readonly wallSeconds: number;
    },
  ): Promise<AttemptEnd> {
    const { over, submission, stopped, wallSeconds } = ended;
    if (over.kind === "unreachable") {
      this.#say(
        `${submission.name} could not be cancelled: Slurm's controller does not answer (scancel --name=${submission.name})`,
      );
      return { kind: "cancelled" };
    }
    if (over.kind === "never-starts") {
      await this.#client("scancel", cancelArguments([slurmId(over.row)]));
      throw new AppError(
        "EXEC_JOB_REFUSED",
        `waiting for ${attempt.id}: job ${slurmId(over.row)} can never start (${over.row.reason}), and was cancelled`,
      );
    }
    const refusal = readJobFile(jobPaths(attempt.directory).refused).trim();
    if (refusal !== "" && stopped === undefined)
      throw new AppError("EXEC_JOB_REFUSED", `running ${attempt.id}: ${refusal}`);
    // It would only find that it has run.
    const isLeft = over.kind === "over" && over.row !== undefined && phaseOf(over.row.state) === "active";
    if ((over.kind === "requeued" || isLeft) && over.row !== undefined)
      await this.#client("scancel", cancelArguments([slurmId(over.row)]));
    if (existsSync(attempt.directory)) await settleInputs(attempt, this.#staged.get(attempt.id));
    const end = await this.#withUsage(
      await this.#readEnd(attempt, {
        submission,
        row: over.row,
        isRequeued: over.kind === "requeued",
        wallSeconds,
      }),
      over.row,
    );
    if (stopped === undefined) return end;
    return end.kind === "lost" ? { kind: "cancelled" } : stoppedEnd(end, stopped);
  }

  /** What the wrapper could not measure, from the cluster's accounting. */
  async #withUsage(end: AttemptEnd, row: QueueRow | undefined): Promise<AttemptEnd> {
    if (end.kind !== "exited" || row === undefined || this.#opened?.config.accounting !== true) return end;
    const used = await this.#accounting.usedBy(slurmId(row));
    if (used === undefined) return end;
    const { cpuSeconds, maxRssBytes } = end.usage;
    return {
      ...end,
      usage: {
        ...end.usage,
        cpuSeconds: cpuSeconds ?? used.cpuSeconds,
        maxRssBytes: maxRssBytes ?? used.maxRssBytes,
        source: "sacct",
      },
    };
  }

  async #readEnd(
    attempt: Attempt,
    facts: {
      readonly submission: Submission;
      readonly row: QueueRow | undefined;
      readonly isRequeued: boolean;
      readonly wallSeconds: number;
    },
  ): Promise<AttemptEnd> {
    const { directory } = attempt;
    const { submission, row, wallSeconds } = facts;
    const isTakenAway = facts.isRequeued || (row !== undefined && isEndedByOthers(row));
    const log = submission.log === "" ? "" : readJobFile(submission.log);
    const outOfMemory = row?.state === "OUT_OF_MEMORY" || saysOutOfMemory(log);
    const recorded = await readAttemptEnd(directory, { wallSeconds, outOfMemory });
    const isTimedOut = row?.state === "TIMEOUT" || row?.state === "DEADLINE";
    // A task that Slurm asks to end may end well, with half of its work done.
    if (recorded !== undefined && !(recorded.kind === "exited" && isTakenAway))
      return isTimedOut ? stoppedEnd(recorded, "timed-out") : withSpoiled(recorded, directory);
    const hadStreams = existsSync(attemptPaths(directory).stdout);
    const usage: Usage = { wallSeconds, cpuSeconds: null, maxRssBytes: null, source: "none" };
    const why = readJobFile(jobPaths(directory).end).trim();
    // The wrapper never came to open the streams: there was no shell to run it.
    if (attempt.image !== undefined && /^unstarted 127$/.test(why) && !hadStreams) {
      const words = `memoir: image ${attempt.image.requested} has no /bin/sh that can be run\n`;
      await ensureStreams(directory, words);
      return { kind: "exited", exitCode: 127, outOfMemory: false, usage };
    }
    if (existsSync(directory)) await ensureStreams(directory).catch(() => {});
    if (why === "timed-out" || isTimedOut) return { kind: "timed-out", usage };
    if (outOfMemory) return { kind: "exited", exitCode: 137, outOfMemory: true, usage };
    return { kind: "lost", message: lossWords(attempt, { row, why, log }) };
  }

  async state(attempt: Attempt, ask: Ask): Promise<AttemptState> {
    const { directory } = attempt;
    const recorded = await readAttemptEnd(directory, { wallSeconds: 0 });
    const submission = readSubmission(directory);
    const ofRecord: AttemptState =
      recorded === undefined ? { kind: "unknown" } : { kind: "ended", end: recorded };
    if (submission === undefined) return ofRecord;
    const endWith = async (row: QueueRow | undefined): Promise<AttemptState> => {
      const isRequeued = row !== undefined && isWaiting(row);
      return {
        kind: "ended",
        end: await this.#readEnd(attempt, { submission, row, isRequeued, wallSeconds: 0 }),
      };
    };
    if (recorded?.kind === "exited") {
      const row = await this.#rowNow(submission, ask);
      return row === undefined ? ofRecord : await endWith(row);
    }
    const row = await this.#row(submission, ask);
    if (row !== undefined && phaseOf(row.state) !== "ended") return { kind: "running" };
    return row === undefined && !isClaimed(directory) ? ofRecord : await endWith(row);
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
      new AppError("RUN_INTERRUPTED", "closing the Slurm executor; its jobs keep running"),
    );
    await this.#opened?.submitter.close();
  }
}

function refusedStart({ id }: Attempt, words: string): AppError {
  return new AppError("EXEC_JOB_REFUSED", `starting ${id}: ${words}`);
}

function lossWords(
  { id, directory }: Attempt,
  { row, why, log }: { readonly row: QueueRow | undefined; readonly why: string; readonly log: string },
): string {
  const state =
    row === undefined
      ? `${id} is no longer known to Slurm`
      : isWaiting(row)
        ? `job ${slurmId(row)} was put back into the queue`
        : `job ${slurmId(row)} ended as ${row.state}`;
  const reason = row === undefined || row.reason === "None" ? "" : ` (${row.reason})`;
  if (row !== undefined && isLaunchFailure(row) && !isClaimed(directory))
    return `${state}${reason} before it began: its node may not see ${directory}, or may not write there`;
  const own = why === "outside" ? ", ended from outside" : why === "" ? "" : `, ${why}`;
  const tail = log.slice(-logTailBytes).trim();
  return `${state}${reason}${own} and left no exit code${tail === "" ? "" : `: ${tail}`}`;
}
