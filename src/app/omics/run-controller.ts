/**
 * The life of the server's runs: PENDING -> STARTING -> RUNNING -> STOPPING -> COMPLETED | FAILED | CANCELLED. Every
 * change is in the ledger before anybody is informed of it. Runs wait by priority (larger first), then by age, within the
 * limits of their group and of the server. After a restart, the server resumes the runs that were in progress: what
 * their tasks had recorded is reused, so no task runs twice.
 */
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { replaceFile, type TimedEvent } from "../../engine/index.ts";
import { AppError, type Ask, asAppError, freshAsk, isAppError, messageOf } from "../../kernel/index.ts";
import type { Ledger, RunRecord, RunStatus, TaskRecord } from "../../ledger/index.ts";
import type { Environment } from "../environment.ts";
import { engineRunName, folderOfRun } from "./engine-runs.ts";
import { exportedFolders, resultPlaces } from "./engine-settings.ts";
import { exportLog, exportOutputs, exportPublished } from "./export-run.ts";
import { ImageMap, type RegistryMap } from "./image-map.ts";
import { arnsOf } from "./manifests.ts";
import { checkInputs, pinInputs } from "./pinned-inputs.ts";
import type { AllowedPlaces } from "./places.ts";
import { recordTime } from "./run-cache-records.ts";
import { RunExplanations, type TaskExplanation } from "./run-explanations.ts";
import { failureOf, failureOfResult, timedOut } from "./run-failures.ts";
import { RunLog, withoutFolder } from "./run-log.ts";
import type { EndedRun } from "./run-process/messages.ts";
import type { RunProcesses } from "./run-process/run-processes.ts";
import { performHere, type ServedRun } from "./run-process/served-run.ts";
import { type QueuedRun, RunQueue } from "./run-queue.ts";
import { cacheOf, groupOf } from "./run-relations.ts";
import type { StatusPoster } from "./run-status-events.ts";
import type { RunTallies } from "./run-tallies.ts";
import { orderOf, type TaskChoices } from "./server-order.ts";
import { SharedTurns } from "./shared-turns.ts";
import { TaskBook } from "./task-book.ts";
import { timeLimitOf } from "./time-limit.ts";

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
  /** For runs of programming languages. Default: they run in this process. */
  readonly processes?: RunProcesses;
  readonly onBug: (error: unknown) => void;
  /** Called with every run whose status has changed. */
  readonly announce?: StatusPoster;
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
  readonly #log: RunLog;
  readonly #explanations: RunExplanations;
  #closing = false;

  constructor(options: RunControllerOptions) {
    this.#options = options;
    this.#log = new RunLog(options);
    this.#explanations = new RunExplanations({ ...options, log: this.#log });
  }

  /** Takes up what a stopped server left; once, before the first request. */
  resume(): void {
    for (const status of ["STOPPING", "RUNNING", "STARTING", "PENDING"] as const)
      for (const run of this.#options.ledger.runs.all(undefined, { status })) this.#queue.add(run);
    this.#pump();
  }

  submitted(run: RunRecord): void {
    this.#options.announce?.run(run);
    this.#queue.add(run);
    // Who asked for the run gets the answer first: to begin one is work of many milliseconds.
    setImmediate(() => this.#pump());
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
    this.#options.announce?.run({ ...run, status: "DELETED" });
    rm(this.#folderOf(run), { recursive: true, force: true }).catch((error) => this.#options.onBug(error));
  }

  /** Runs under way stay as they are in the ledger and continue with the next server. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const { cancel } of this.#active.values())
      cancel.abort(new AppError("RUN_INTERRUPTED", "the server stops"));
    await Promise.all([...this.#active.values()].map(({ end }) => end));
    this.#options.processes?.close();
  }

  explain(run: RunRecord, task: TaskRecord, ask: Ask): Promise<TaskExplanation | undefined> {
    return this.#explanations.explain(run, task, ask);
  }

  cacheSize(cache: { readonly location: string; readonly uuid: string }, ask: Ask): Promise<unknown> {
    return this.#explanations.cacheSize(cache, ask);
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
    this.#log.line(
      run,
      "",
      first.status === "PENDING" ? "run started" : "run resumed after a restart of the server",
    );
    const timeLimit = timeLimitOf(run, groupOf(this.#options.ledger, run));
    const signal = timeLimit === undefined ? ask.signal : AbortSignal.any([ask.signal, timeLimit]);
    const images = this.#imagesOf(run);
    const recordAt = recordTime(run, cacheOf(this.#options.ledger, run));
    const book = new TaskBook(ledger, run, {
      recordAt,
      onStatus: (task) => this.#options.announce?.task(task, run),
    });
    try {
      const resourceDigests = await pinInputs(run, this.#options, { signal });
      run = this.#change(run, { status: "RUNNING", resourceDigests });
      const result = await this.#compute(run, { book, images }, { signal });
      if (this.#closing) return await book.settled();
      await book.finish("the run ended without it");
      await checkInputs(run, this.#options.environment, freshAsk());
      await this.#explanations.explainTasks(run, book, result);
      run = this.#change(run, { status: "STOPPING" });
      if (result.state === "succeeded") await this.#export(run, result);
      await this.#finish(run, result, { book, outOfTime: timeLimit?.aborted === true });
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
    return map === undefined ? undefined : new ImageMap({ map: map as RegistryMap, owner });
  }

  async #compute(
    run: RunRecord,
    { book, images }: { readonly book: TaskBook; readonly images: ImageMap | undefined },
    ask: Ask,
  ): Promise<EndedRun> {
    const { ledger, environment, processes, region } = this.#options;
    const folder = this.#folderOf(run);
    await mkdir(folder, { recursive: true });
    const cache = cacheOf(ledger, run);
    const order = await orderOf(run, { folder, cache }, this.#options);
    const arn = arnsOf({ region, account: run.account });
    const served: ServedRun = {
      name: `run ${run.id}`,
      order,
      images,
      onEvent: (event, sourceImage) => this.#note(run, event, { book, sourceImage }),
      turns: this.#turns.of(() => groupOf(ledger, run)),
      // In manifests, as GetRunTask and the cache's log have them.
      entryArn: cache && arn(`runCache/${cache.id}/cacheEntry/`),
      taskArn: (callPath) => arn(`task/${book.taskIdOf(callPath) ?? `${run.id}/${callPath}`}`),
    };
    return run.definition?.engine === "NEXTFLOW" && processes !== undefined
      ? processes.run(served, ask)
      : performHere(served, environment, ask);
  }

  #note(
    run: RunRecord,
    event: TimedEvent,
    { book, sourceImage }: { readonly book: TaskBook; readonly sourceImage: string | undefined },
  ): void {
    const folder = this.#folderOf(run);
    if (event.kind === "run.started") {
      const { run: name, directory } = event;
      replaceFile(join(folder, engineRunName), JSON.stringify({ run: name, directory })).catch((error) =>
        this.#options.onBug(error),
      );
    }
    this.#options.tallies.count(event);
    book.onEvent(event, sourceImage);
    this.#log.event(run, shownEvent(event, folder));
  }

  async #export(run: RunRecord, result: EndedRun): Promise<void> {
    try {
      if (run.definition?.engine !== "NEXTFLOW")
        return await exportOutputs(run, result.directory, this.#options, freshAsk());
      const folders = exportedFolders(this.#folderOf(run));
      const leftOut = await exportPublished(run, folders, this.#options, freshAsk());
      for (const name of leftOut)
        this.#log.line(
          run,
          "/engine",
          `${name} is a link to another folder or a file elsewhere: it is not exported`,
        );
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
      await exportLog(run, await this.#log.engineText(run), this.#options, freshAsk());
    } catch (error) {
      this.#log.line(run, "/engine", `this log could not be exported: ${messageOf(error)}`);
    }
  }

  async #finish(
    run: RunRecord,
    result: EndedRun,
    { book, outOfTime }: { readonly book: TaskBook; readonly outOfTime: boolean },
  ): Promise<void> {
    await this.#exportLog(run);
    if (result.state === "succeeded") {
      this.#end(run, { status: "COMPLETED" });
      await this.#tidy(run, result.directory);
    } else if (outOfTime) this.#end(run, timedOut);
    else if (result.state === "cancelled")
      this.#end(run, { status: "CANCELLED", statusMessage: "cancelled" });
    else
      this.#end(
        run,
        failureOfResult(result, (call) => book.titleOf(call)),
      );
  }

  /** Outputs are exported and results cached: of a completed run only its events stay, for explanations. */
  async #tidy(run: RunRecord, directory: string): Promise<void> {
    const places = ["calls", "out", "files", "downloads"].map((name) => join(directory, name));
    const own = ["results", "launch", "pubdir", "output"].map((name) => join(this.#folderOf(run), name));
    places.push(join(directory, "scratch"));
    for (const place of [...places, ...own]) await rm(place, { recursive: true, force: true });
  }

  #change(run: RunRecord, members: Partial<RunRecord>): RunRecord {
    const { ledger, announce } = this.#options;
    const { current, changed } = ledger.transaction(() => {
      const known = ledger.runs.get(run.account, run.id) ?? run;
      const next = { ...known, ...members };
      ledger.runs.put(next);
      return { current: known, changed: next };
    });
    if (changed.status !== current.status) announce?.run(changed);
    return changed;
  }

  #end(run: RunRecord, members: Partial<RunRecord> & { readonly status: RunStatus }): void {
    const { statusMessage } = members;
    const ended = this.#change(run, {
      ...members,
      ...(statusMessage !== undefined && { statusMessage: withoutFolder(statusMessage, run) }),
      stopTime: new Date().toISOString(),
    });
    this.#log.line(
      ended,
      "",
      `run ended: ${ended.status}${ended.statusMessage === undefined ? "" : `: ${ended.statusMessage}`}`,
    );
    if (ended.logLevel !== "OFF") this.#log.manifest(ended);
  }

  #folderOf(run: RunRecord): string {
    return folderOfRun(this.#options.environment, run);
  }
}

/** Published files as the pipeline names them: where they are on this machine is not for clients. */
function shownEvent(event: TimedEvent, folder: string): TimedEvent {
  if (event.kind !== "file.published") return event;
  for (const [name, place] of Object.entries(resultPlaces(folder)))
    if (event.target.startsWith(`${place}/`))
      return { ...event, source: basename(event.source), target: name + event.target.slice(place.length) };
  return { ...event, source: basename(event.source), target: basename(event.target) };
}

function keyOf(run: RunRecord): string {
  return `${run.account}/${run.id}`;
}

function isEnded(run: RunRecord): boolean {
  return ["COMPLETED", "FAILED", "CANCELLED", "DELETED"].includes(run.status);
}
