/**
 * Keeps the task records of one run, from the events of the engine. Every attempt is its own task, as in AWS
 * HealthOmics: a completed run can list failed tasks. A task is COMPLETED when its result is where the next run finds
 * it, so a server that is killed at any moment never has one call computed twice in its records.
 */
import { randomUUID } from "node:crypto";
import type { TimedEvent } from "../../engine/index.ts";
import { defined } from "../../kernel/index.ts";
import type { Ledger, RunRecord, TaskRecord } from "../../ledger/index.ts";
import type { Resources, TaskFailure } from "../../task/index.ts";
import { isRunOf, knownRun } from "./engine-runs.ts";
import { taskReason } from "./run-failures.ts";
import { TaskLog } from "./task-log.ts";
import { taskName } from "./task-name.ts";

const gib = 1024 ** 3;

export class TaskBook {
  readonly #ledger: Ledger;
  readonly #run: RunRecord;
  readonly #recordAt: "task-end" | "run-end";
  readonly #onStatus: (task: TaskRecord) => void;
  readonly #resources = new Map<string, Resources>();
  /** What people call a call, where its path says nothing to them. */
  readonly #titles = new Map<string, string>();
  /** The newest task of each call path. */
  readonly #current = new Map<string, TaskRecord>();
  /** Tasks that were in progress when an earlier server stopped, by call path. */
  readonly #leftOver = new Map<string, TaskRecord>();
  /** Tasks so far of each call path. */
  readonly #attempts = new Map<string, number>();
  /** Of running tasks, by task id. */
  readonly #logs = new Map<string, TaskLog>();
  #logging: Promise<unknown> = Promise.resolve();

  /** `recordAt`: when results get to where the next run finds them. */
  constructor(
    ledger: Ledger,
    run: RunRecord,
    about: {
      readonly recordAt: "task-end" | "run-end";
      readonly onStatus?: (task: TaskRecord) => void;
    },
  ) {
    this.#ledger = ledger;
    this.#run = run;
    this.#recordAt = about.recordAt;
    this.#onStatus = about.onStatus ?? (() => {});
    for (const task of ledger.tasks.all(run.account, { runId: run.id })) {
      (isEnded(task) ? this.#current : this.#leftOver).set(task.callPath, task);
      this.#attempts.set(task.callPath, (this.#attempts.get(task.callPath) ?? 0) + 1);
    }
  }

  /** `sourceImage`: what the workflow calls the image of the event. Default: the same. */
  onEvent(event: TimedEvent, sourceImage?: string): void {
    const at = new Date(event.at).toISOString();
    switch (event.kind) {
      case "call.named":
        this.#titles.set(event.call, event.title);
        break;
      case "call.asked":
        if (event.resources !== undefined) this.#resources.set(event.call, event.resources);
        break;
      case "call.reused":
        this.#reused(event, at);
        break;
      case "call.missed":
        // It will be computed when its turn comes; until then clients see it wait.
        this.#dropLeftOver(event.call, "the server stopped while this task ran");
        this.#begin(event, { status: "PENDING" });
        break;
      case "call.started": {
        // Both in one step: separately, each would wait for the disk.
        this.#ledger.transaction(() => {
          const task = this.#begin(event, {
            status: "RUNNING",
            startTime: at,
            ...imageOf(event, sourceImage),
          });
          this.#follow(task, event.directory);
        });
        break;
      }
      case "call.computed": {
        // Results that wait for the end of the run are kept in the run's folder until then.
        const waits = event.key !== undefined && this.#recordAt === "task-end";
        const { usage, endedAt: stopTime = at } = event;
        this.#end(event.call, { status: waits ? "STOPPING" : "COMPLETED", stopTime, usage });
        this.#endOutput(event.call);
        break;
      }
      case "call.stored":
        this.#begin(event, {
          status: "COMPLETED",
          startTime: at,
          stopTime: at,
          statusMessage: "its results were stored already",
        });
        break;
      case "call.recorded":
        this.#end(event.call, {
          ...(this.#current.get(event.call)?.status === "STOPPING" ? { status: "COMPLETED" } : {}),
          ...this.#entryOf(event.entry),
        });
        break;
      case "call.not-recorded":
        this.#end(event.call, { status: "COMPLETED" });
        break;
      case "call.retried":
        this.#end(event.call, { status: "FAILED", stopTime: at, ...failed(event.why) });
        this.#endOutput(event.call);
        break;
      case "call.failed":
        // A call can fail before its first attempt: its image or its inputs were not there.
        if (!this.#current.has(event.call)) this.#begin(event, {});
        this.#end(event.call, { status: "FAILED", stopTime: at, ...failed(event.failure) });
        this.#endOutput(event.call);
        break;
      case "call.cancelled":
        this.#end(event.call, { status: "CANCELLED", stopTime: at });
        this.#endOutput(event.call);
        break;
      default:
        break;
    }
  }

  /** The run is over: every task is, too. */
  async finish(why: string): Promise<void> {
    for (const call of [...this.#leftOver.keys()]) this.#dropLeftOver(call, why);
    for (const task of this.#current.values()) {
      // Its result could not be kept; the run's log says why.
      if (task.status === "STOPPING") this.#change(task, { status: "COMPLETED" });
      else if (!isEnded(task))
        this.#change(task, { status: "CANCELLED", statusMessage: why, stopTime: new Date().toISOString() });
    }
    await this.settled();
  }

  /** Resolves when the output of the tasks is in their logs. */
  async settled(): Promise<void> {
    for (const id of [...this.#logs.keys()]) this.#endLog(id);
    await this.#logging;
  }

  /** The newest task of a call. */
  taskIdOf(call: string): string | undefined {
    return this.#current.get(call)?.id;
  }

  titleOf(call: string): string | undefined {
    return this.#titles.get(call);
  }

  /** Why a task was computed, in the one member that every client shows. */
  explain(call: string, words: string): void {
    const task = this.#current.get(call);
    if (task?.status === "COMPLETED" && !task.cacheHit)
      this.#change(task, { statusMessage: `not reused: ${words}`.slice(0, 1000) });
  }

  #reused(event: Extract<TimedEvent, { kind: "call.reused" }>, at: string): void {
    const known = this.#current.get(event.call);
    // After a restart of the server the run's own finished tasks come back as reused: they are listed already.
    if (known?.status === "COMPLETED") return;
    const leftOver = this.#leftOver.get(event.call);
    const own = isRunOf(this.#run, event.fromRun);
    if (own && leftOver?.startTime !== undefined) {
      // It had finished and was kept; only the ledger did not know yet when the server was killed.
      this.#leftOver.delete(event.call);
      this.#change(leftOver, {
        status: "COMPLETED",
        stopTime: leftOver.stopTime ?? at,
        ...this.#entryOf(event.entry),
      });
      return;
    }
    this.#dropLeftOver(event.call, "the server stopped while this task ran");
    const cached = this.#run.cacheId !== undefined;
    const words = own
      ? "reused from an equal task of this run"
      : `reused from run ${knownRun(this.#ledger, this.#run.account, event.fromRun)}`;
    const task = this.#begin(event, {
      status: "COMPLETED",
      cacheHit: cached,
      startTime: at,
      stopTime: at,
      ...this.#entryOf(event.entry),
      statusMessage: words,
    });
    if (this.#run.logLevel === "OFF") return;
    const message = cached && event.entry !== "" ? `${words}, entry ${event.entry}` : words;
    this.#ledger.logs.append(task.account, streamOf(task), [{ at: event.at, message }]);
  }

  /** Entries of a run without a cache are its own affair. */
  #entryOf(entry: string): Partial<TaskRecord> {
    return entry === "" || this.#run.cacheId === undefined ? {} : { cacheUri: entry };
  }

  #dropLeftOver(call: string, why: string): void {
    const task = this.#leftOver.get(call);
    if (task === undefined) return;
    this.#leftOver.delete(call);
    const stopTime = new Date().toISOString();
    this.#ledger.tasks.put({ ...task, status: "CANCELLED", statusMessage: why, stopTime });
  }

  /** Standard output and standard error of an attempt go into its stream while it runs. */
  #follow(task: TaskRecord, directory: string): void {
    if (this.#run.logLevel === "OFF") return;
    const writer = this.#ledger.logs.openFile(task.account, streamOf(task));
    const log = new TaskLog(directory, writer, (words) => {
      const message = `the log of task ${task.id} could not be written: ${words}`;
      this.#ledger.logs.append(task.account, `run/${task.runId}/engine`, [{ at: Date.now(), message }]);
    });
    this.#logs.set(task.id, log);
  }

  #endOutput(call: string): void {
    const task = this.#current.get(call);
    if (task !== undefined) this.#endLog(task.id);
  }

  #endLog(taskId: string): void {
    const log = this.#logs.get(taskId);
    if (log === undefined) return;
    this.#logs.delete(taskId);
    this.#logging = Promise.all([this.#logging, log.end()]);
  }

  /** A waiting task continues; another attempt is another task. */
  #begin(event: { readonly call: string; readonly task: string }, members: Partial<TaskRecord>): TaskRecord {
    const known = this.#current.get(event.call);
    return known?.status === "PENDING" ? this.#change(known, members) : this.#insert(event, members);
  }

  #insert(event: { readonly call: string; readonly task: string }, members: Partial<TaskRecord>): TaskRecord {
    const resources = this.#resources.get(event.call);
    const attempt = (this.#attempts.get(event.call) ?? 0) + 1;
    this.#attempts.set(event.call, attempt);
    const record: TaskRecord = {
      account: this.#run.account,
      id: this.#ledger.nextId(),
      uuid: randomUUID(),
      createdAt: new Date().toISOString(),
      tags: {},
      runId: this.#run.id,
      name: taskName(
        { ...event, ...defined({ title: this.#titles.get(event.call) }) },
        { language: this.#run.definition?.engine ?? "WDL", attempt },
      ),
      callPath: event.call,
      status: "PENDING",
      cpus: Math.max(1, Math.ceil(resources?.cpu ?? 1)),
      memory: Math.max(1, Math.ceil((resources?.memoryBytes ?? gib) / gib)),
      gpus: Math.ceil(resources?.gpu ?? 0),
      cacheHit: false,
      ...members,
    };
    this.#ledger.tasks.insert(record);
    this.#current.set(event.call, record);
    this.#onStatus(record);
    return record;
  }

  #end(call: string, members: Partial<TaskRecord>): void {
    const task = this.#current.get(call);
    if (task !== undefined) this.#change(task, members);
  }

  #change(task: TaskRecord, members: Partial<TaskRecord>): TaskRecord {
    const changed = { ...task, ...members };
    this.#ledger.tasks.put(changed);
    this.#current.set(task.callPath, changed);
    if (changed.status !== task.status) this.#onStatus(changed);
    return changed;
  }
}

function imageOf(
  { image, imageDigest }: Extract<TimedEvent, { kind: "call.started" }>,
  sourceImage = image,
): Partial<TaskRecord> {
  if (image === undefined || sourceImage === undefined) return {};
  return { image: { image, sourceImage, ...defined({ imageDigest }) } };
}

function isEnded(task: TaskRecord): boolean {
  return task.status === "COMPLETED" || task.status === "FAILED" || task.status === "CANCELLED";
}

function streamOf(task: TaskRecord): string {
  return `run/${task.runId}/task/${task.id}`;
}

function failed(failure: TaskFailure): Partial<TaskRecord> {
  return { statusMessage: failure.message.slice(0, 1000), failureReason: taskReason(failure) };
}
