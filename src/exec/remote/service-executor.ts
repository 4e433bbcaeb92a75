/**
 * Runs tasks at a service whose machines share no disk with this one. Inputs and
 * outputs go by their location in an object store; their bytes do not pass through this process unless somebody reads
 * them here. What a task left is known by the digests that its own job has computed.
 *
 * Tasks outlive Memoir. An attempt's directory holds the id of its task, so a later Memoir finds it again.
 */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { isHttpTrouble } from "../../http-client/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  freshAsk,
  invariant,
  messageOf,
  onDisk,
  pause,
  Semaphore,
  SingleFlight,
  unreachable,
} from "../../kernel/index.ts";
import type { ObjectStore } from "../../store/objects/index.ts";
import type { AttemptFiles } from "../../task/index.ts";
import {
  type Attempt,
  type AttemptEnd,
  type AttemptState,
  type Executor,
  type ExecutorAbilities,
  ensureStreams,
  readAttemptEnd,
  type StopReason,
  type Usage,
  writeStopMark,
} from "../core/index.ts";
import { AttemptResults, placeOf } from "./attempt-results.ts";
import type { ExecutorLog, ServiceAnswer, ServiceClient, ServiceTask } from "./service-client.ts";
import { stageInputs } from "./stage-inputs.ts";
import { readRecord, type TaskRecord, writeRecord } from "./task-record.ts";
import { type TaskOutcome, TaskWatch, type WatchTimes } from "./task-watch.ts";
import { attemptTag, executorAt, phaseOf, submissionTag, taskDocument } from "./tes-task.ts";
import { WorkStore } from "./work-store.ts";

export interface ServiceExecutorOptions {
  /** `tes`, `aws-batch`. */
  readonly name: string;
  readonly client: ServiceClient;
  /** Rooted at the work prefix. */
  readonly work: ObjectStore;
  /** For inputs that are read here. */
  readonly openObjects: (uri: string) => ObjectStore;
  readonly helperImage: string;
  /** Tasks at the service at the same time. Default 1000. */
  readonly maxJobs?: number;
  /** The service gives tasks an identity for object stores. */
  readonly usesStores?: true;
  /** Tasks may run on machines that can be taken away. */
  readonly preemptible?: boolean;
  readonly times?: Partial<WatchTimes>;
  readonly say?: (words: string) => void;
}

const defaultTimes: WatchTimes = {
  pollMs: 2_000,
  missingMs: 60_000,
  stuckMs: 30_000,
  settleMs: 60_000,
  awayMs: 300_000,
};
const openMs = 30_000;
const runLabel = "memoir.run";

export function createServiceExecutor(options: ServiceExecutorOptions): Executor {
  return new ServiceExecutor(options);
}

class ServiceExecutor implements Executor {
  readonly name: string;
  readonly can: ExecutorAbilities;
  readonly #options: ServiceExecutorOptions;
  readonly #client: ServiceClient;
  readonly #work: WorkStore;
  readonly #times: WatchTimes;
  readonly #watch: TaskWatch;
  readonly #results: AttemptResults;
  readonly #starting = new SingleFlight<void>();
  readonly #jobs: Semaphore;
  /** Gives back the place of an attempt that was submitted here. */
  readonly #places = new Map<string, () => void>();

  constructor(options: ServiceExecutorOptions) {
    this.#options = options;
    this.name = options.name;
    this.can = {
      containers: true,
      sharesFiles: false,
      elsewhere: true,
      survives: true,
      mountsTaskRoot: true,
      limitsMemory: false,
      isolates: false,
      ...defined({ usesStores: options.usesStores }),
    };
    this.#client = options.client;
    this.#work = new WorkStore(options.work);
    this.#times = { ...defaultTimes, ...options.times };
    const { pollMs, settleMs } = this.#times;
    this.#results = new AttemptResults({
      work: this.#work,
      openObjects: options.openObjects,
      pollMs,
      settleMs,
    });
    this.#jobs = new Semaphore(options.maxJobs ?? 1_000);
    this.#watch = new TaskWatch({ client: options.client, times: this.#times, say: this.#say });
  }

  readonly #say = (words: string): void => this.#options.say?.(words);

  /** @throws AppError EXEC_SERVICE_FAILED when the service does not answer, STORE_* when the work prefix cannot be used */
  async open(ask: Ask): Promise<void> {
    await this.#work.open(ask);
    await this.#asked("asking for its service-info", Math.min(openMs, this.#times.awayMs), ask, () =>
      this.#client.service(ask),
    );
  }

  /** Asks again while nobody knows the answer. */
  async #asked<T>(
    doing: string,
    patienceMs: number,
    ask: Ask,
    request: () => Promise<ServiceAnswer<T>>,
  ): Promise<T> {
    const until = performance.now() + patienceMs;
    for (let waitMs = 250; ; waitMs = Math.min(2 * waitMs, 15_000)) {
      const answer = await request();
      if (answer.kind === "answered") return answer.value;
      if (answer.kind === "refused" || performance.now() > until)
        throw new AppError("EXEC_SERVICE_FAILED", `${doing} of ${this.#client.url}: ${answer.words}`);
      await pause(waitMs, ask);
    }
  }

  /** The service itself decides what runs when: only the number of tasks is bounded here. */
  capacity() {
    const most = Number.POSITIVE_INFINITY;
    return { cpu: most, memoryBytes: most, gpu: most };
  }

  environmentIdentity(): string | undefined {
    return undefined;
  }

  start(attempt: Attempt, ask: Ask): Promise<void> {
    return this.#starting.run(attempt.id, () => this.#start(attempt, ask));
  }

  async #start(attempt: Attempt, ask: Ask): Promise<void> {
    const { directory } = attempt;
    if ((await readAttemptEnd(directory, { wallSeconds: 0 })) !== undefined) return;
    const earlier = readRecord(directory);
    if (earlier !== undefined && (await this.#findTask(attempt, earlier, ask)) !== undefined) return;
    const release = await this.#jobs.acquire();
    try {
      checkAsk(ask, `starting ${attempt.id}`);
      await this.#submit(attempt, earlier?.submissions ?? [], ask);
      this.#places.set(attempt.id, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The id of the attempt's task; undefined when the service has none. */
  async #findTask(attempt: Attempt, record: TaskRecord, ask: Ask): Promise<string | undefined> {
    if (record.taskId !== undefined) return record.taskId;
    const found = (await this.#tasksOf(attempt, ask)).find(({ tags }) =>
      record.submissions.includes(tags[submissionTag] ?? ""),
    );
    if (found !== undefined) this.#noteTask(attempt, record, found);
    return found?.id;
  }

  #noteTask(
    { directory }: Attempt,
    record: TaskRecord,
    { id, tags }: Pick<ServiceTask, "id" | "tags">,
  ): void {
    const own = tags[submissionTag] ?? "";
    const submissions = [own, ...record.submissions.filter((each) => each !== own)];
    writeRecord(directory, { ...record, submissions, taskId: id });
  }

  async #tasksOf({ id }: Attempt, ask: Ask): Promise<readonly ServiceTask[]> {
    const tag = { key: attemptTag, value: id };
    const listed = await this.#asked<readonly ServiceTask[]>(
      `looking for ${id}`,
      this.#times.awayMs,
      ask,
      () => this.#client.list(tag, "BASIC", ask),
    );
    return listed.filter(({ tags }) => tags[attemptTag] === id);
  }

  async #submit(attempt: Attempt, earlier: readonly string[], ask: Ask): Promise<void> {
    const { directory, id, labels } = attempt;
    const { helperImage, preemptible = false } = this.#options;
    const staged = await stageInputs(attempt, this.#work, ask);
    const run = labels[runLabel];
    const group = run === undefined ? { key: attemptTag, value: id } : { key: runLabel, value: run };
    let record: TaskRecord = { submissions: earlier, taskId: undefined, group, staged: staged.placed };
    const until = performance.now() + this.#times.awayMs;
    for (let waitMs = 250; ; waitMs = Math.min(2 * waitMs, 15_000)) {
      // Each request has its own place for outputs: when the answer to one is lost, two tasks may run.
      const submission = randomBytes(8).toString("hex");
      record = { ...record, submissions: [submission, ...record.submissions] };
      writeRecord(directory, record);
      const outputs = this.#work.uriOf(placeOf(id, submission));
      const answer = await this.#client.create(
        taskDocument({ ...staged, attempt, outputs, helperImage, submission, preemptible }),
        ask,
      );
      if (answer.kind === "answered") {
        writeRecord(directory, { ...record, taskId: answer.value });
        return;
      }
      if (answer.kind === "refused") {
        rmSync(onDisk(`${directory}/job/task.json`), { force: true });
        throw new AppError("EXEC_JOB_REFUSED", `submitting ${id} to ${this.#client.url}: ${answer.words}`);
      }
      await pause(waitMs, ask);
      if ((await this.#findTask(attempt, record, ask)) !== undefined) return;
      if (performance.now() > until)
        throw new AppError("EXEC_SERVICE_FAILED", `submitting ${id} to ${this.#client.url}: ${answer.words}`);
      if (waitMs === 250) this.#say(`${this.#client.url} did not take ${id} (${answer.words}); asking again`);
    }
  }

  async wait(attempt: Attempt, ask: Ask): Promise<AttemptEnd> {
    const { directory, id, timeoutMs } = attempt;
    const recorded = await this.#results.recordedEnd(attempt);
    if (recorded !== undefined) return recorded;
    const record = readRecord(directory);
    if (record?.taskId === undefined)
      return { kind: "lost", message: `${id} was not submitted and left no exit code` };
    const began = performance.now();
    let stopped: StopReason | undefined;
    const stop = (reason: StopReason) => {
      stopped ??= reason;
      void writeStopMark(directory, reason);
    };
    const { outcome, cancel } = this.#watch.watch(
      { taskId: record.taskId, group: record.group, timeoutMs },
      () => stop("timed-out"),
    );
    const onAbort = () => {
      stop("cancelled");
      cancel();
    };
    ask.signal.addEventListener("abort", onAbort, { once: true });
    if (ask.signal.aborted) onAbort();
    try {
      const over = await outcome;
      const wallSeconds = (performance.now() - began) / 1000;
      const end = await this.#conclude(attempt, record, over, stopped === undefined ? ask : freshAsk());
      await this.#tidy(attempt, record, stopped);
      if (stopped === "timed-out" && end.kind !== "timed-out")
        return { kind: "timed-out", usage: usageOf(end, wallSeconds) };
      return stopped === "cancelled" ? { kind: "cancelled" } : end;
    } finally {
      ask.signal.removeEventListener("abort", onAbort);
      this.#giveBack(id);
    }
  }

  async #conclude(attempt: Attempt, record: TaskRecord, over: TaskOutcome, ask: Ask): Promise<AttemptEnd> {
    const { id } = attempt;
    switch (over.kind) {
      case "unreachable":
        this.#say(`${record.taskId} could not be cancelled: ${this.#client.url} does not answer`);
        return { kind: "cancelled" };
      case "never-starts":
        rmSync(onDisk(`${attempt.directory}/job/task.json`), { force: true });
        throw new AppError(
          "EXEC_JOB_REFUSED",
          `waiting for ${id}: ${record.taskId} can never start (${over.reason}), and was cancelled`,
        );
      case "vanished":
        return { kind: "lost", message: `the service no longer knows the task ${record.taskId} of ${id}` };
      case "over":
        break;
    }
    const task = await this.#logsOf(record, ask);
    const words = [over.state, ...task.systemLogs].join("; ").slice(0, 2_000);
    switch (over.phase) {
      case "complete":
        return this.#bring(attempt, record, task, ask);
      case "cancelled":
        return { kind: "lost", message: `the task ${record.taskId} of ${id} was cancelled by somebody else` };
      case "taken-away":
        return { kind: "lost", message: `the task ${record.taskId} of ${id} ended as ${words}` };
      case "executor-failed":
        return this.#failedExecutor(attempt, record, task, words);
      default:
        return unreachable(over.phase);
    }
  }

  async #logsOf({ taskId }: TaskRecord, ask: Ask): Promise<Pick<ServiceTask, "executors" | "systemLogs">> {
    invariant(taskId !== undefined, "it was submitted");
    const answer = await this.#client.get(taskId, "FULL", ask);
    return answer.kind === "answered" ? answer.value : { executors: [], systemLogs: [] };
  }

  async #failedExecutor(
    attempt: Attempt,
    record: TaskRecord,
    { executors }: Pick<ServiceTask, "executors">,
    words: string,
  ): Promise<AttemptEnd> {
    const at = executors.findIndex(({ exitCode }) => exitCode !== undefined && exitCode !== 0);
    const log = executors[at];
    const said = [words, log?.stderr.trim() ?? ""].filter(Boolean).join(": ").slice(-2_000);
    if (at === executorAt.task && log?.exitCode !== undefined)
      return this.#withoutResults(attempt, { ...log, exitCode: log.exitCode });
    return { kind: "lost", message: `the task ${record.taskId} of ${attempt.id} failed: ${said}` };
  }

  /** The container of the task did not come to run its script, or was killed as a whole. */
  async #withoutResults(
    { directory }: Attempt,
    { exitCode, stderr, outOfMemory }: ExecutorLog & { readonly exitCode: number },
  ): Promise<AttemptEnd> {
    await ensureStreams(directory, stderr);
    return { kind: "exited", exitCode, outOfMemory: outOfMemory === true, usage: noUsage(0) };
  }

  async #bring(
    attempt: Attempt,
    record: TaskRecord,
    task: Pick<ServiceTask, "executors">,
    ask: Ask,
  ): Promise<AttemptEnd> {
    const message = await this.#results.bring(attempt, record, ask);
    if (message !== undefined) return { kind: "lost", message };
    const end = await this.#results.recordedEnd(attempt);
    if (end !== undefined) return end;
    const log = task.executors[executorAt.task];
    if (log?.exitCode !== undefined && log.exitCode !== 0)
      return this.#withoutResults(attempt, { ...log, exitCode: log.exitCode, stderr: "" });
    return { kind: "lost", message: `${attempt.id} left no exit code` };
  }

  /** Tasks that nobody knew of, and what an attempt leaves that was stopped. */
  async #tidy(attempt: Attempt, record: TaskRecord, stopped: StopReason | undefined): Promise<void> {
    const ask = freshAsk();
    try {
      if (record.submissions.length > 1)
        for (const task of await this.#tasksOf(attempt, ask)) {
          if (task.id === record.taskId || phaseOf(task.state) !== "going") continue;
          await this.#client.cancel(task.id, ask);
        }
      if (stopped !== undefined) await this.#work.removeFolder(`attempts/${attempt.id}`, ask);
    } catch (error) {
      if (!(error instanceof AppError) && !isHttpTrouble(error)) throw error;
      this.#say(`tidying up after ${attempt.id}: ${messageOf(error)}`);
    }
  }

  async state(attempt: Attempt, ask: Ask): Promise<AttemptState> {
    const recorded = await this.#results.recordedEnd(attempt);
    if (recorded !== undefined) return { kind: "ended", end: recorded };
    const record = readRecord(attempt.directory);
    if (record === undefined || (await this.#findTask(attempt, record, ask)) === undefined)
      return { kind: "unknown" };
    const known = readRecord(attempt.directory) ?? record;
    invariant(known.taskId !== undefined, "it was found");
    const { taskId } = known;
    const until = performance.now() + this.#times.awayMs;
    for (;;) {
      const answer = await this.#client.get(taskId, "MINIMAL", ask);
      if (answer.kind === "answered") {
        const { state } = answer.value;
        const phase = phaseOf(state);
        if (phase === "going") return { kind: "running" };
        return {
          kind: "ended",
          end: await this.#conclude(attempt, known, { kind: "over", phase, state }, ask),
        };
      }
      if (answer.kind === "refused" && answer.status === 404)
        return { kind: "ended", end: await this.#conclude(attempt, known, { kind: "vanished" }, ask) };
      if (performance.now() > until)
        throw new AppError(
          "EXEC_SERVICE_FAILED",
          `asking ${this.#client.url} for ${taskId}: ${answer.words}`,
        );
      await pause(this.#times.pollMs, ask);
    }
  }

  filesOf(attempt: Attempt, ask: Ask): AttemptFiles {
    return this.#results.filesOf(attempt, ask);
  }

  /** What it has published stays: the run's results are there until somebody records them. */
  async remove(attempt: Attempt): Promise<void> {
    this.#giveBack(attempt.id);
  }

  #giveBack(id: string): void {
    this.#places.get(id)?.();
    this.#places.delete(id);
  }

  /** Tasks continue; whoever waits for one here gets RUN_INTERRUPTED. */
  async close(): Promise<void> {
    await this.#watch.close(new AppError("RUN_INTERRUPTED", "closing the executor; its tasks keep running"));
    this.#client.close();
    await this.#work.close();
  }
}

function noUsage(wallSeconds: number): Usage {
  return { wallSeconds, cpuSeconds: null, maxRssBytes: null, source: "none" };
}

function usageOf(end: AttemptEnd, wallSeconds: number): Usage {
  return end.kind === "exited" ? end.usage : noUsage(wallSeconds);
}
