/**
 * The life of the server's runs: PENDING -> STARTING -> RUNNING -> STOPPING -> COMPLETED | FAILED | CANCELLED. Every
 * change is in the ledger before anybody is informed of it. Runs wait by priority (larger first), then by age, within the
 * limits of their group and of the server. After a restart, the server resumes the runs that were in progress: what
 * their tasks had recorded is reused, so no task runs twice.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { explainRun, replaceFile, type TimedEvent } from "../../engine/index.ts";
import type { ImageResolver } from "../../exec/core/index.ts";
import { AppError, type Ask, asAppError, freshAsk, isAppError, messageOf } from "../../kernel/index.ts";
import type {
  DefinitionRecord,
  Ledger,
  RunCacheRecord,
  RunGroupRecord,
  RunRecord,
  RunStatus,
  TaskRecord,
} from "../../ledger/index.ts";
import { type EntryNames, measureCache } from "../../store/entries/index.ts";
import type { Environment } from "../environment.ts";
import { openCache } from "../workflows/cache-place.ts";
import type { CacheRecord } from "../workflows/cache-registry.ts";
import { runOrder, type WorkflowRunResult } from "../workflows/run.ts";
import { parsedInputs } from "../workflows/run-inputs.ts";
import type { RunOrder } from "../workflows/run-order.ts";
import { engineRunName, folderOfRun, knownRun, nextEngineRun, readEngineRun } from "./engine-runs.ts";
import { exportLog, exportOutputs } from "./export-run.ts";
import { ImageMap, type RegistryMap } from "./image-map.ts";
import { inputDigests, missingFile } from "./input-digests.ts";
import { runManifest, taskManifest } from "./manifests.ts";
import { type AllowedPlaces, boundsOf, withinOf } from "./places.ts";
import { cacheAt, cacheRecord, hostLocation, privateCache, recordTime } from "./run-cache-records.ts";
import { failureOf, failureOfResult, timedOut } from "./run-failures.ts";
import { eventMessage } from "./run-messages.ts";
import { type QueuedRun, RunQueue } from "./run-queue.ts";
import type { RunTallies } from "./run-tallies.ts";
import { SharedTurns } from "./shared-turns.ts";
import { TaskBook } from "./task-book.ts";

export interface RunControllerOptions {
  readonly ledger: Ledger;
  /** Of ARNs. */
  readonly region: string;
  readonly environment: Environment;
  readonly tasks: TaskChoices;
  /** Which places on this machine documents may name, next to the run's own. */
  readonly allowed: AllowedPlaces;
  /** Runs under way at the same time. Default 8. */
  readonly maxRuns?: number;
  readonly tallies: RunTallies;
  readonly onBug: (error: unknown) => void;
}

/** What holds for the tasks of all runs. */
export interface TaskChoices extends Pick<RunOrder, "executor" | "taskExecutors" | "copyInputs" | "image"> {
  /** Record and reuse tasks that run without a container, whatever the cache says. */
  readonly cacheHostTasks: boolean;
  readonly gpus?: number;
}

export interface TaskExplanation {
  readonly taskId: string;
  readonly cacheHit: boolean;
  /** In words: why it was computed, or which entry was reused. */
  readonly summary: string;
  readonly differences: readonly {
    readonly component: string;
    readonly before: string;
    readonly after: string;
  }[];
}

interface Active extends QueuedRun {
  readonly cancel: AbortController;
  readonly end: Promise<void>;
}

export class RunController {
  readonly #options: RunControllerOptions;
  readonly #active = new Map<string, Active>();
  readonly #queue = new RunQueue();
  readonly #turns = new SharedTurns();
  #closing = false;

  constructor(options: RunControllerOptions) {
    this.#options = options;
  }

  /** Takes up what a stopped server left; once, before the first request. */
  resume(): void {
    for (const status of ["STOPPING", "RUNNING", "STARTING", "PENDING"] as const)
      for (const run of this.#options.ledger.runs.all(undefined, { status })) this.#queue.add(run);
    this.#pump();
  }

  submitted(run: RunRecord): void {
    this.#queue.add(run);
    this.#pump();
  }

  /** Limits of a group were changed: more may fit now. */
  limitsChanged(): void {
    this.#pump();
  }

  cancelled(run: RunRecord): void {
    const active = this.#active.get(keyOf(run));
    if (active !== undefined) active.cancel.abort(new AppError("RUN_INTERRUPTED", "the run was cancelled"));
    else {
      this.#queue.remove({ account: run.account, id: run.id, runGroupId: run.runGroupId });
      this.#end(run, { status: "CANCELLED", statusMessage: "cancelled before it started" });
    }
  }

  /** The record of an ended run was deleted: so is what it left on this machine, but for its outputs. */
  deleted(run: RunRecord): void {
    rm(this.#folderOf(run), { recursive: true, force: true }).catch((error) => this.#options.onBug(error));
  }

  /** Runs under way stay as they are in the ledger and continue with the next server. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const { cancel } of this.#active.values())
      cancel.abort(new AppError("RUN_INTERRUPTED", "the server stops"));
    await Promise.all([...this.#active.values()].map(({ end }) => end));
  }

  async explain(run: RunRecord, task: TaskRecord, ask: Ask): Promise<TaskExplanation | undefined> {
    if (task.cacheHit)
      return {
        taskId: task.id,
        cacheHit: true,
        summary: task.statusMessage ?? `reused from ${task.cacheUri ?? "the run's cache"}`,
        differences: [],
      };
    const engineRun = await readEngineRun(this.#folderOf(run));
    const cache = this.#cacheOf(run);
    if (engineRun === undefined || cache === undefined)
      return { taskId: task.id, cacheHit: false, summary: "the run uses no cache", differences: [] };
    const open = await openCache(this.#recordFor(cache), this.#options.environment, {}, ask);
    try {
      const about = { directory: engineRun.directory, id: engineRun.run, call: task.callPath };
      const { computed } = await explainRun(about, open.entries, ask);
      const found = computed.find((item) => item.call === task.callPath);
      if (found === undefined) return undefined;
      return {
        taskId: task.id,
        cacheHit: false,
        summary: found.words,
        differences: found.differences.map(({ component, before, after }) => ({
          component,
          before: String(before ?? ""),
          after: String(after ?? ""),
        })),
      };
    } finally {
      await open.close();
    }
  }

  async cacheSize(cache: { readonly location: string; readonly uuid: string }, ask: Ask): Promise<unknown> {
    const record = {
      ...cacheAt({ uuid: cache.uuid, location: hostLocation(cache.location) }),
      ...withinOf(this.#options.allowed),
    };
    const open = await openCache(record, this.#options.environment, {}, ask);
    try {
      return await measureCache(open, ask);
    } finally {
      await open.close();
    }
  }

  #pump(): void {
    const { ledger } = this.#options;
    while (!this.#closing && this.#active.size < (this.#options.maxRuns ?? 8)) {
      const full = this.#fullGroups();
      const next = this.#queue.take((run) => !full(run));
      if (next === undefined) return;
      const run = ledger.runs.get(next.account, next.id);
      if (run === undefined || isEnded(run)) continue;
      const cancel = new AbortController();
      if (run.cancelRequested) cancel.abort(new AppError("RUN_INTERRUPTED", "the run was cancelled"));
      const end = this.#live(run, { signal: cancel.signal })
        .catch((error) => this.#options.onBug(error))
        .finally(() => {
          this.#active.delete(keyOf(run));
          this.#pump();
        });
      this.#active.set(keyOf(run), { ...next, cancel, end });
    }
  }

  /** Whether a run's group has as many runs under way as it may; each group is asked about once. */
  #fullGroups(): (run: QueuedRun) => boolean {
    const known = new Map<string, boolean>();
    return ({ account, runGroupId }) => {
      if (runGroupId === undefined) return false;
      const key = `${account}/${runGroupId}`;
      const answer = known.get(key) ?? this.#isFull(account, runGroupId);
      known.set(key, answer);
      return answer;
    };
  }

  #isFull(account: string, runGroupId: string): boolean {
    const maxRuns = this.#options.ledger.runGroups.get(account, runGroupId)?.maxRuns;
    if (maxRuns === undefined) return false;
    const members = [...this.#active.values()].filter(
      (run) => run.account === account && run.runGroupId === runGroupId,
    );
    return members.length >= maxRuns;
  }

  async #live(first: RunRecord, ask: Ask): Promise<void> {
    const { ledger } = this.#options;
    let run = this.#change(first, {
      status: "STARTING",
      startTime: first.startTime ?? new Date().toISOString(),
    });
    this.#log(
      run,
      "",
      first.status === "PENDING" ? "run started" : "run resumed after a restart of the server",
    );
    const timeLimit = timeLimitOf(run, this.#groupOf(run));
    const signal = timeLimit === undefined ? ask.signal : AbortSignal.any([ask.signal, timeLimit]);
    const images = this.#imagesOf(run);
    const book = new TaskBook(ledger, run, {
      recordAt: recordTime(run, this.#cacheOf(run)),
      sourceOf: (image) => images?.sourceOf(image) ?? image,
    });
    try {
      const resourceDigests = await this.#pinInputs(run, { signal });
      run = this.#change(run, { status: "RUNNING", resourceDigests });
      const result = await this.#compute(run, { book, images }, { signal });
      if (this.#closing) return await book.settled();
      await book.finish("the run ended without it");
      await this.#changedInputs(run, freshAsk());
      await this.#explainTasks(run, book, result);
      run = this.#change(run, { status: "STOPPING" });
      if (result.state === "succeeded") await this.#export(run, result);
      await this.#finish(run, result, timeLimit?.aborted === true);
    } catch (thrown) {
      const error = asAppError(thrown) ?? thrown;
      if (this.#closing) return await book.settled();
      await book.finish("the run ended without it");
      await this.#exportLog(run);
      if (ask.signal.aborted) this.#end(run, { status: "CANCELLED", statusMessage: "cancelled" });
      else if (timeLimit?.aborted) this.#end(run, timedOut);
      else this.#end(run, failureOf(error));
      if (!isAppError(error)) this.#options.onBug(error);
    }
  }

  /** What the workflow's registry map says of this run's images. */
  #imagesOf(run: RunRecord): ImageMap | undefined {
    const map = run.definition?.registryMap;
    const owner = { account: run.account, region: this.#options.region };
    return map === undefined ? undefined : new ImageMap(map as RegistryMap, owner);
  }

  async #compute(
    run: RunRecord,
    { book, images }: { readonly book: TaskBook; readonly images: ImageMap | undefined },
    ask: Ask,
  ): Promise<WorkflowRunResult> {
    const folder = this.#folderOf(run);
    await mkdir(folder, { recursive: true });
    const cache = this.#cacheOf(run);
    const order = await this.#orderOf(run, { folder, cache });
    const onEvent = (event: TimedEvent) => {
      if (event.kind === "run.started") {
        const { run: name, directory } = event;
        replaceFile(join(folder, engineRunName), JSON.stringify({ run: name, directory })).catch((error) =>
          this.#options.onBug(error),
        );
      }
      this.#options.tallies.count(event);
      book.onEvent(event);
      this.#logEvent(run, event);
    };
    const ports = {
      onEvent,
      turns: this.#turns.of(() => this.#groupOf(run)),
      ...(images === undefined ? {} : { mapImages: (resolver: ImageResolver) => images.over(resolver) }),
      ...(cache === undefined ? {} : { entryNames: this.#entryNames(run, cache, book) }),
    };
    return runOrder(order, ports, this.#options.environment, ask);
  }

  async #orderOf(
    run: RunRecord,
    { folder, cache }: { readonly folder: string; readonly cache: RunCacheRecord | undefined },
  ): Promise<RunOrder> {
    const { allowed, tasks } = this.#options;
    const { cacheHostTasks, gpus, ...choices } = tasks;
    const definition = this.#definitionOf(run);
    const runsDir = join(folder, "runs");
    return {
      ...choices,
      program: {
        workflow: definition.folder,
        reach: "inside",
        ...boundsOf(allowed, [definition.folder, folder]),
        ...(definition.main === "" ? {} : { main: definition.main }),
        lenient: definition.engine === "WDL_LENIENT",
      },
      // The folder that the server was started in means nothing to anybody.
      inputs: {
        baseDir: folder,
        ...(await parsedInputs({ name: "parameters.json", text: run.parameters })),
      },
      cache: {
        kind: "record",
        // Without its own cache a run keeps its results for itself, so that a restart does not repeat them.
        record: cache === undefined ? privateCache(run, folder) : this.#recordFor(cache, run),
        hostTasks: cacheHostTasks,
      },
      limits: gpus === undefined ? {} : { gpus },
      failure: "fast",
      runsDir,
      runId: await nextEngineRun(run, runsDir),
    };
  }

  /** In manifests, as GetRunTask and the cache's log have them. */
  #entryNames(run: RunRecord, cache: RunCacheRecord, book: TaskBook): EntryNames {
    const arn = (rest: string) => `arn:aws:omics:${this.#options.region}:${run.account}:${rest}`;
    return {
      entry: (uuid) => arn(`runCache/${cache.id}/cacheEntry/${uuid}`),
      task: ({ callPath }) => arn(`task/${book.taskIdOf(callPath) ?? `${run.id}/${callPath}`}`),
    };
  }

  async #export(run: RunRecord, result: WorkflowRunResult): Promise<void> {
    try {
      await exportOutputs(run, result.directory, this.#options, freshAsk());
    } catch (error) {
      throw new AppError("RUN_EXPORT_FAILED", `exporting the outputs of run ${run.id}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** The engine's log next to the outputs, however the run ended; a place that cannot be written costs the log only. */
  async #exportLog(run: RunRecord): Promise<void> {
    if (run.logLevel === "OFF") return;
    try {
      let text = "";
      for await (const { at, message } of this.#options.ledger.logs.lines(
        run.account,
        `run/${run.id}/engine`,
      ))
        text += `${new Date(at).toISOString()} ${message}\n`;
      await exportLog(run, text, this.#options, freshAsk());
    } catch (error) {
      this.#log(run, "/engine", `this log could not be exported: ${messageOf(error)}`);
    }
  }

  async #finish(run: RunRecord, result: WorkflowRunResult, outOfTime: boolean): Promise<void> {
    await this.#exportLog(run);
    if (result.state === "succeeded") {
      this.#end(run, { status: "COMPLETED" });
      await this.#tidy(run, result.directory);
    } else if (outOfTime) this.#end(run, timedOut);
    else if (result.state === "cancelled")
      this.#end(run, { status: "CANCELLED", statusMessage: "cancelled" });
    else this.#end(run, failureOfResult(result));
  }

  /** Outputs are exported and results cached: of a completed run only its events stay, for explanations. */
  async #tidy(run: RunRecord, directory: string): Promise<void> {
    const places = ["calls", "out", "files", "downloads"].map((name) => join(directory, name));
    for (const place of [...places, join(this.#folderOf(run), "results")])
      await rm(place, { recursive: true, force: true });
  }

  /** The miss reasons, where every client sees them: in the tasks' status messages. */
  async #explainTasks(run: RunRecord, book: TaskBook, result: WorkflowRunResult): Promise<void> {
    const cache = this.#cacheOf(run);
    if (cache === undefined || result.calls.computed === 0) return;
    try {
      const open = await openCache(this.#recordFor(cache), this.#options.environment, {}, freshAsk());
      try {
        const about = { directory: result.directory, id: result.run };
        const { computed } = await explainRun(about, open.entries, freshAsk());
        for (const item of computed) book.explain(item.call, item.words);
      } finally {
        await open.close();
      }
    } catch (error) {
      this.#log(run, "/engine", `the misses could not be explained: ${messageOf(error)}`);
    }
  }

  /** Objects named by the parameters, with the ETags that they have now; a missing one ends the run. */
  async #pinInputs(run: RunRecord, ask: Ask): Promise<RunRecord["resourceDigests"]> {
    const digests = await inputDigests(run.parameters, this.#options.environment, ask);
    const [gone] = [...digests].find(([, digest]) => digest === undefined) ?? [];
    const places = { names: run.definition?.pathParameters, allowed: this.#options.allowed };
    const missing = gone ?? (await missingFile(run.parameters, places));
    if (missing !== undefined)
      throw new AppError("RUN_INPUT_MISSING", `starting run ${run.id}: its input ${missing} does not exist`);
    const entries = [...digests].map(([uri, digest]) => [uri, digest ?? ""] as const);
    return Object.fromEntries(entries);
  }

  async #changedInputs(run: RunRecord, ask: Ask): Promise<void> {
    const now = await inputDigests(run.parameters, this.#options.environment, ask);
    const changed = Object.entries(run.resourceDigests).find(([uri, digest]) => now.get(uri) !== digest);
    if (changed !== undefined)
      throw new AppError(
        "RUN_INPUT_MODIFIED",
        `running ${run.id}: its input ${changed[0]} was changed meanwhile`,
      );
  }

  /** Log streams: the run, its engine, each task's and the cache's, as tools look for them. */
  #logEvent(run: RunRecord, event: TimedEvent): void {
    const runOf = (engineRun: string) => knownRun(this.#options.ledger, run.account, engineRun);
    const words = eventMessage(event, runOf);
    if (words !== undefined) this.#log(run, "/engine", words);
    const cacheEvent =
      event.kind === "call.reused"
        ? `CACHE_HIT run: ${run.id}, task: ${event.task}, entry: ${event.entry}, created by run: ${runOf(event.fromRun)}`
        : event.kind === "call.recorded"
          ? `CACHE_ENTRY_CREATED run: ${run.id}, call: ${event.call}, entry: ${event.entry}`
          : event.kind === "call.missed"
            ? `CACHE_MISS run: ${run.id}, task: ${event.task}, call: ${event.call}, reason: ${event.reason.kind === "no-entry" ? "no entry of its key" : event.reason.words}`
            : undefined;
    const cache = this.#cacheOf(run);
    if (cacheEvent === undefined || cache === undefined || run.logLevel === "OFF") return;
    const message = JSON.stringify({ logMessage: cacheEvent });
    this.#options.ledger.logs.append(run.account, `runCache/${cache.id}/${cache.uuid}`, [
      { at: event.at, message },
    ]);
  }

  #log(run: RunRecord, part: string, message: string): void {
    if (run.logLevel === "OFF") return;
    const line = { at: Date.now(), message };
    this.#options.ledger.logs.append(run.account, `run/${run.id}${part}`, [line]);
  }

  #change(run: RunRecord, members: Partial<RunRecord>): RunRecord {
    const { ledger } = this.#options;
    return ledger.transaction(() => {
      const current = ledger.runs.get(run.account, run.id) ?? run;
      const changed = { ...current, ...members };
      ledger.runs.put(changed);
      return changed;
    });
  }

  #end(run: RunRecord, members: Partial<RunRecord> & { readonly status: RunStatus }): void {
    const ended = this.#change(run, { ...members, stopTime: new Date().toISOString() });
    this.#log(
      ended,
      "",
      `run ended: ${ended.status}${ended.statusMessage === undefined ? "" : `: ${ended.statusMessage}`}`,
    );
    if (ended.logLevel !== "OFF") this.#writeManifest(ended);
  }

  /** One JSON object per task and one for the run, in the stream that AWS's analysis tools read. */
  #writeManifest(run: RunRecord): void {
    const { ledger } = this.#options;
    const at = Date.now();
    const tasks = ledger.tasks.all(run.account, { runId: run.id });
    const arn = (rest: string) => `arn:aws:omics:${this.#options.region}:${run.account}:${rest}`;
    const lines = tasks.map((task) => ({ at, message: JSON.stringify(taskManifest(task, arn)) }));
    const runLine = { at, message: runManifest(run, this.#recordOf(run), arn) };
    ledger.logs.append(run.account, `manifest/run/${run.id}/${run.uuid}`, [...lines, runLine]);
  }

  #groupOf(run: RunRecord): RunGroupRecord | undefined {
    return run.runGroupId === undefined
      ? undefined
      : this.#options.ledger.runGroups.get(run.account, run.runGroupId);
  }

  /** As it was when the run was submitted; a workflow may be deleted while its runs wait. */
  #definitionOf(run: RunRecord): NonNullable<RunRecord["definition"]> {
    const definition = run.definition ?? this.#recordOf(run);
    if (definition === undefined)
      throw new AppError("WORKFLOW_NOT_FOUND", `starting run ${run.id}: its workflow was deleted`);
    return definition;
  }

  /** Of the run's workflow or version, when that is still there. */
  #recordOf(run: RunRecord): DefinitionRecord | undefined {
    const { workflows, workflowVersions } = this.#options.ledger;
    const [version] =
      run.workflowVersionName === undefined
        ? []
        : workflowVersions.all(run.account, {
            workflowId: run.workflowId,
            versionName: run.workflowVersionName,
          });
    return run.workflowVersionName === undefined ? workflows.get(run.account, run.workflowId) : version;
  }

  /** A cache as the engine opens it: where places are restricted, no link leads out of them. */
  #recordFor(cache: RunCacheRecord, run?: RunRecord): CacheRecord {
    return { ...cacheRecord(cache, run), ...withinOf(this.#options.allowed) };
  }

  #cacheOf(run: RunRecord): RunCacheRecord | undefined {
    return run.cacheId === undefined
      ? undefined
      : this.#options.ledger.runCaches.get(run.account, run.cacheId);
  }

  #folderOf(run: RunRecord): string {
    return folderOfRun(this.#options.environment, run);
  }
}

function keyOf(run: RunRecord): string {
  return `${run.account}/${run.id}`;
}

function isEnded(run: RunRecord): boolean {
  return ["COMPLETED", "FAILED", "CANCELLED", "DELETED"].includes(run.status);
}

/** Timers count no further than this: 24 days. */
const longestTimerMs = 2 ** 31 - 1;

/** What is left of the group's maxDuration, counted from the run's start even if the server was restarted meanwhile. */
function timeLimitOf(run: RunRecord, group: RunGroupRecord | undefined): AbortSignal | undefined {
  if (group?.maxDuration === undefined) return undefined;
  const passedMs = Date.now() - Date.parse(run.startTime ?? run.createdAt);
  const leftMs = Math.max(0, group.maxDuration * 60_000 - passedMs);
  return leftMs > longestTimerMs ? undefined : AbortSignal.timeout(leftMs);
}
