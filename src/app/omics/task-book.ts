/**
 * Keeps the task records of one run, from the events of the engine. Every attempt is a task of its own, as in AWS
 * HealthOmics: a completed run can list failed tasks.
 */
import { randomUUID } from "node:crypto";
import type { TimedEvent } from "../../engine/index.ts";
import type { Ledger, RunRecord, TaskRecord } from "../../ledger/index.ts";
import type { Resources, TaskFailure } from "../../task/index.ts";

const gib = 1024 ** 3;

export class TaskBook {
  readonly #ledger: Ledger;
  readonly #run: RunRecord;
  readonly #resources = new Map<string, Resources>();
  /** The newest task of each call path. */
  readonly #current = new Map<string, TaskRecord>();

  constructor(ledger: Ledger, run: RunRecord) {
    this.#ledger = ledger;
    this.#run = run;
  }

  /** Tasks that a stopped server left behind are over; what they had recorded is reused. */
  closeLeftOver(why: string): void {
    for (const task of this.#ledger.tasks.all(this.#run.account, { runId: this.#run.id })) {
      if (task.status === "COMPLETED" || task.status === "FAILED" || task.status === "CANCELLED") {
        this.#current.set(task.callPath, task);
        continue;
      }
      this.#change(task, { status: "CANCELLED", statusMessage: why, stopTime: new Date().toISOString() });
    }
  }

  onEvent(event: TimedEvent): void {
    const at = new Date(event.at).toISOString();
    switch (event.kind) {
      case "call.asked":
        if (event.resources !== undefined) this.#resources.set(event.call, event.resources);
        break;
      case "call.reused":
        this.#reused(event, at);
        break;
      case "call.started":
        this.#insert(event, { status: "RUNNING", startTime: at, ...imageOf(event) });
        break;
      case "call.computed":
        this.#end(event.call, { status: "COMPLETED", stopTime: at });
        break;
      case "call.recorded":
        this.#end(event.call, { cacheUri: event.entry });
        break;
      case "call.retried":
        this.#end(event.call, { status: "FAILED", stopTime: at, ...failed(event.why) });
        break;
      case "call.failed":
        // A call can fail before its first attempt: its image or its inputs were not there.
        if (!this.#current.has(event.call)) this.#insert(event, {});
        this.#end(event.call, { status: "FAILED", stopTime: at, ...failed(event.failure) });
        break;
      case "call.cancelled":
        this.#end(event.call, { status: "CANCELLED", stopTime: at });
        break;
      default:
        break;
    }
  }

  /** Why a task was computed, in the one member that every client shows. */
  explain(call: string, words: string): void {
    const task = this.#current.get(call);
    if (task?.status === "COMPLETED")
      this.#change(task, { statusMessage: `not reused: ${words}`.slice(0, 1000) });
  }

  #reused(event: Extract<TimedEvent, { kind: "call.reused" }>, at: string): void {
    const known = this.#current.get(event.call);
    // After a restart of the server the run's own finished tasks come back as reused: they are listed already.
    if (known?.status === "COMPLETED") return;
    this.#insert(event, {
      status: "COMPLETED",
      cacheHit: true,
      startTime: at,
      stopTime: at,
      ...(event.entry === "" ? {} : { cacheUri: event.entry }),
      statusMessage: `reused from run ${event.fromRun}`,
    });
  }

  #insert(event: { readonly call: string; readonly task: string }, members: Partial<TaskRecord>): void {
    const resources = this.#resources.get(event.call);
    const record: TaskRecord = {
      account: this.#run.account,
      id: this.#ledger.nextId(),
      uuid: randomUUID(),
      createdAt: new Date().toISOString(),
      tags: {},
      runId: this.#run.id,
      name: event.call.includes("[") ? event.call.slice(event.call.indexOf(".") + 1) : event.task,
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
  }

  #end(call: string, members: Partial<TaskRecord>): void {
    const task = this.#current.get(call);
    if (task !== undefined) this.#change(task, members);
  }

  #change(task: TaskRecord, members: Partial<TaskRecord>): void {
    const changed = { ...task, ...members };
    this.#ledger.tasks.put(changed);
    this.#current.set(task.callPath, changed);
  }
}

function imageOf(event: Extract<TimedEvent, { kind: "call.started" }>): Partial<TaskRecord> {
  if (event.image === undefined) return {};
  const digest = event.imageDigest === undefined ? {} : { imageDigest: event.imageDigest };
  return { image: { image: event.image, sourceImage: event.image, ...digest } };
}

function failed(failure: TaskFailure): Partial<TaskRecord> {
  const reason =
    failure.kind === "out-of-memory"
      ? "OUT_OF_MEMORY_ERROR"
      : failure.kind === "timed-out"
        ? "TASK_TIMED_OUT"
        : failure.kind === "image-unavailable"
          ? "IMAGE_VERIFICATION_FAILURE"
          : failure.kind === "resources-unavailable"
            ? "INVALID_TASK_RESOURCE_VALUE"
            : "RUN_TASK_FAILED";
  return { statusMessage: failure.message.slice(0, 1000), failureReason: reason };
}
