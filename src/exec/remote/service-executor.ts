/**
 * Runs tasks at a service whose machines share no disk with this one. Inputs and
 * outputs go by their location in an object store; their bytes do not pass through this process unless somebody reads
 * them here. What a task left is known by the digests that its own job has computed.
 *
 * Tasks outlive Memoir. An attempt's directory holds the id of its task, so a later Memoir finds it again.
 */
import { randomBytes } from "node:crypto";
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { sha256 as sha256Of } from "../../hash/index.ts";
import { isHttpTrouble } from "../../http-client/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  freshAsk,
  invariant,
  messageOf,
  onDisk,
  pause,
  Semaphore,
  SingleFlight,
  unreachable,
} from "../../kernel/index.ts";
import { type ObjectStore, parseS3Uri } from "../../store/objects/index.ts";
import { type AttemptFiles, taskRoot } from "../../task/index.ts";
import {
  type Attempt,
  type AttemptEnd,
  type AttemptState,
  attemptPaths,
  type Executor,
  type ExecutorAbilities,
  ensureStreams,
  readAttemptEnd,
  type StopReason,
  type Usage,
  writeStopMark,
} from "../core/index.ts";
import { listingName } from "./job-scripts.ts";
import { type ListedFile, type Listing, parseListing } from "./listing.ts";
import { ObjectAttemptFiles } from "./object-attempt-files.ts";
import type { ExecutorLog, ServiceAnswer, ServiceClient, ServiceTask } from "./service-client.ts";
import { stageInputs } from "./stage-inputs.ts";
import { readJobFile, readRecord, type TaskRecord, writeJobFile, writeRecord } from "./task-record.ts";
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
  /** Tasks may run on machines that can be taken away. */
  readonly preemptible?: boolean;
  readonly times?: Partial<WatchTimes>;
  readonly say?: (words: string) => void;
}

const defaultTimes: WatchTimes = { pollMs: 2_000, missingMs: 60_000, settleMs: 60_000, awayMs: 300_000 };
const openMs = 30_000;
/** Streams up to this size are brought here whole, of larger ones the end. */
const streamBytes = 16 << 20;
const streamTailBytes = 256 << 10;
const runLabel = "memoir.run";

export function createServiceExecutor(options: ServiceExecutorOptions): Executor {
  return new ServiceExecutor(options);
}

class ServiceExecutor implements Executor {
  readonly name: string;
  readonly can: ExecutorAbilities = {
    containers: true,
    sharesFiles: false,
    elsewhere: true,
    survives: true,
    mountsTaskRoot: true,
    limitsMemory: false,
    isolates: false,
  };
  readonly #options: ServiceExecutorOptions;
  readonly #client: ServiceClient;
  readonly #work: WorkStore;
  readonly #times: WatchTimes;
  readonly #watch: TaskWatch;
  readonly #starting = new SingleFlight<void>();
  readonly #jobs: Semaphore;
  /** Gives back the place of an attempt that was submitted here. */
  readonly #places = new Map<string, () => void>();
  /** An object was found here whose ETag is not the MD5 of its content although it is whole. */
  #hasOtherEtags = false;

  constructor(options: ServiceExecutorOptions) {
    this.#options = options;
    this.name = options.name;
    this.#client = options.client;
    this.#work = new WorkStore(options.work);
    this.#times = { ...defaultTimes, ...options.times };
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
    const recorded = await this.#recordedEnd(attempt);
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

  async #recordedEnd(attempt: Attempt): Promise<AttemptEnd | undefined> {
    const end = await readAttemptEnd(attempt.directory, { wallSeconds: 0 });
    if (end?.kind !== "exited") return end;
    const listing = this.#listingOf(attempt);
    return listing === undefined ? undefined : spoiledEnd(end, listing);
  }

  async #conclude(attempt: Attempt, record: TaskRecord, over: TaskOutcome, ask: Ask): Promise<AttemptEnd> {
    const { id } = attempt;
    switch (over.kind) {
      case "unreachable":
        this.#say(`${record.taskId} could not be cancelled: ${this.#client.url} does not answer`);
        return { kind: "cancelled" };
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

  /** Brings what is small: the exit code, what was used, the streams, and the listing of everything else. */
  async #bring(
    attempt: Attempt,
    record: TaskRecord,
    task: Pick<ServiceTask, "executors">,
    ask: Ask,
  ): Promise<AttemptEnd> {
    const { directory, id } = attempt;
    const [submission = ""] = record.submissions;
    const place = placeOf(id, submission);
    const until = performance.now() + this.#times.settleMs;
    let trouble = "";
    for (;;) {
      const bytes = await this.#work.read(`${place}/${listingName}`, ask);
      const listing = bytes === undefined ? undefined : parseListing(bytes);
      trouble =
        bytes === undefined
          ? "its listing is not there"
          : listing === undefined
            ? "its listing is not whole"
            : ((await this.#missing(place, listing, ask)) ?? "");
      if (bytes !== undefined && listing !== undefined && trouble === "") {
        await this.#bringStreams(attempt, place, listing, ask);
        writeJobFile(directory, listingName, bytes);
        const paths = attemptPaths(directory);
        writeFileSync(onDisk(paths.usage), listing.texts.get(`${taskRoot}/usage.json`) ?? "");
        const rc = listing.texts.get(`${taskRoot}/rc`);
        // Last: what is there is complete.
        if (rc !== undefined) writeFileSync(onDisk(paths.rc), rc);
        break;
      }
      if (performance.now() > until)
        return {
          kind: "lost",
          message: `the results of ${id} are not whole in ${this.#work.uriOf(place)}: ${trouble}`,
        };
      await pause(this.#times.pollMs, ask);
    }
    const end = await this.#recordedEnd(attempt);
    if (end !== undefined) return end;
    const log = task.executors[executorAt.task];
    if (log?.exitCode !== undefined && log.exitCode !== 0)
      return this.#withoutResults(attempt, { ...log, exitCode: log.exitCode, stderr: "" });
    return { kind: "lost", message: `${id} left no exit code` };
  }

  /** Words when an object is not there as the job has listed it. */
  async #missing(place: string, listing: Listing, ask: Ask): Promise<string | undefined> {
    const there = await this.#work.list(`${place}/files`, ask);
    for (const [path, member] of listing.members) {
      if (member.kind !== "file" || member.object === undefined) continue;
      const found = there.get(member.object);
      if (found === undefined) return `${path} is not there`;
      if (found.sizeBytes !== member.sizeBytes)
        return `${path} has ${found.sizeBytes} bytes, expected ${member.sizeBytes}`;
      const isOther = /^[0-9a-f]{32}$/.test(found.etag ?? "") && found.etag !== member.md5;
      if (isOther && !(await this.#holds(`${place}/files/${member.object}`, member, ask)))
        return `${path} has the MD5 ${found.etag}, expected ${member.md5}`;
    }
    return undefined;
  }

  /** Of objects that are encrypted with a key of the customer the ETag is not a digest, and only reading them shows it. */
  async #holds(name: string, { sha256, sizeBytes }: ListedFile, ask: Ask): Promise<boolean> {
    if (this.#hasOtherEtags || sizeBytes > streamBytes) return this.#hasOtherEtags;
    const bytes = await this.#work.read(name, ask);
    this.#hasOtherEtags = bytes !== undefined && sha256Of(bytes) === sha256;
    return this.#hasOtherEtags;
  }

  async #bringStreams(attempt: Attempt, place: string, listing: Listing, ask: Ask): Promise<void> {
    const { stdout, stderr } = attemptPaths(attempt.directory);
    for (const [name, to] of [
      ["stdout", stdout],
      ["stderr", stderr],
    ] as const) {
      const member = listing.members.get(`${taskRoot}/${name}`);
      if (member?.kind !== "file" || member.object === undefined) continue;
      const object = `${place}/files/${member.object}`;
      const { sizeBytes: end } = member;
      const start = end <= streamBytes ? 0 : end - streamTailBytes;
      const bytes =
        end === 0 ? new Uint8Array() : await this.#work.objects.readRange(object, { start, end }, ask);
      writeFileSync(
        onDisk(to),
        start === 0 ? bytes : `… the first ${start} bytes are in ${this.#work.uriOf(object)}\n`,
      );
      if (start > 0) appendFileSync(onDisk(to), bytes);
    }
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
    const recorded = await this.#recordedEnd(attempt);
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

  #listingOf({ directory }: Attempt): Listing | undefined {
    const bytes = readJobFile(directory, listingName);
    return bytes === undefined ? undefined : parseListing(bytes);
  }

  filesOf(attempt: Attempt, ask: Ask): AttemptFiles {
    const record = readRecord(attempt.directory);
    const place = placeOf(attempt.id, record?.submissions[0] ?? "");
    return new ObjectAttemptFiles(
      {
        attempt,
        members: this.#listingOf(attempt)?.members ?? new Map(),
        staged: new Set(record?.staged),
        uri: this.#work.uriOf(place),
        read: async (object, range, within) => {
          const name = `${place}/files/${object}`;
          if (range !== undefined) return this.#work.objects.readRange(name, range, within);
          const bytes = await this.#work.read(name, within);
          if (bytes !== undefined) return bytes;
          throw new AppError("STORE_OBJECT_NOT_FOUND", `reading ${this.#work.uriOf(name)}: it is not there`);
        },
        readInput: async (location, within) => {
          const { bucket, key } = parseS3Uri(location);
          const store = this.#options.openObjects(`s3://${bucket}`);
          try {
            const bytes = await store.read(key, within);
            if (bytes !== undefined) return bytes;
            throw new AppError("STORE_OBJECT_NOT_FOUND", `reading ${location}: it is not there`);
          } finally {
            await store.close();
          }
        },
      },
      ask,
    );
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

/** Of what one request to create a task publishes. */
function placeOf(id: string, submission: string): string {
  return `attempts/${id}/${submission}`;
}

function noUsage(wallSeconds: number): Usage {
  return { wallSeconds, cpuSeconds: null, maxRssBytes: null, source: "none" };
}

function usageOf(end: AttemptEnd, wallSeconds: number): Usage {
  return end.kind === "exited" ? end.usage : noUsage(wallSeconds);
}

/** The end with what the task has deleted or replaced of what its outputs are read with. */
function spoiledEnd(end: Extract<AttemptEnd, { kind: "exited" }>, { members }: Listing): AttemptEnd {
  const needed = [
    ["stdout", "file", "its standard output"],
    ["stderr", "file", "its standard error"],
    ["work", "directory", "its working directory"],
    ["rc", "file", "the file of its exit code"],
  ] as const;
  const gone = needed.find(([name, kind]) => members.get(`${taskRoot}/${name}`)?.kind !== kind);
  return gone === undefined ? end : { ...end, spoiled: `${gone[2]} (${taskRoot}/${gone[0]})` };
}
