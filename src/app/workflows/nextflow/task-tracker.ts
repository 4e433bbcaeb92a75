/** Folds what happens in a run into its tasks, each with the folder that people find its files in. */

import { join } from "node:path";
import type { TimedEvent } from "../../../engine/index.ts";
import { sha256 } from "../../../hash/index.ts";
import { defined } from "../../../kernel/index.ts";
import type { TaskFailure } from "../../../task/index.ts";
import type { FailedTask } from "./error-report.ts";
import type { TaskRecord } from "./task-record.ts";
import type { WorkFolders } from "./work-folders.ts";

/** What is said of a task on the way. */
export type TaskEvent =
  | {
      readonly kind: "submitted" | "re-submitted" | "cached" | "stored";
      readonly task: Readonly<TaskRecord>;
    }
  | { readonly kind: "ended"; readonly task: Readonly<TaskRecord>; readonly failure?: TaskFailure };

type Named = Extract<TimedEvent, { kind: "call.named" }>;

export interface TaskTrackerOptions {
  readonly runId: string;
  /** Enters the names of folders: another session has others. */
  readonly session: string;
  readonly folders: WorkFolders;
  readonly emit: (event: TaskEvent) => void;
}

/** `.command.trace`, with what was measured. */
function commandTrace({
  wallSeconds,
  cpuSeconds,
  maxRssBytes,
}: {
  readonly wallSeconds: number;
  readonly cpuSeconds: number | null;
  readonly maxRssBytes: number | null;
}): string {
  const lines = ["nextflow.trace/v2", `realtime=${Math.round(wallSeconds * 1000)}`];
  if (cpuSeconds !== null && wallSeconds > 0)
    lines.push(`%cpu=${Math.round((cpuSeconds / wallSeconds) * 1000)}`);
  if (maxRssBytes !== null) lines.push(`peak_rss=${Math.round(maxRssBytes / 1024)}`);
  return `${lines.join("\n")}\n`;
}

export class TaskTracker {
  readonly tasks: TaskRecord[] = [];
  /** Folders of attempts, by the call. */
  readonly #directories = new Map<string, string>();
  readonly #byCall = new Map<string, TaskRecord>();
  /** How many calls of this run had the key. */
  readonly #seen = new Map<string, number>();
  readonly #options: TaskTrackerOptions;

  constructor(options: TaskTrackerOptions) {
    this.#options = options;
  }

  readonly failures: FailedTask[] = [];

  take(event: TimedEvent): void {
    if (event.kind === "call.named") {
      this.#named(event);
      return;
    }
    if (!("call" in event) || event.call === undefined) return;
    const task = this.#byCall.get(event.call);
    if (task !== undefined) this.#take(event, event.call, task);
  }

  /** `ALIGN (sample1)` of a call. */
  nameOf(call: string): string | undefined {
    return this.#byCall.get(call)?.name;
  }

  /** What had not ended when the run did. */
  close(atMs: number): void {
    for (const task of this.tasks)
      if (task.status === "RUNNING") {
        task.status = "ABORTED";
        task.endedAt = atMs;
      }
  }

  #named(event: Named): void {
    const { title, process, tag, attempt, facts, own } = event;
    const task: TaskRecord = {
      id: this.tasks.length + 1,
      hash: "",
      name: title,
      process,
      ...defined({ tag }),
      attempt,
      status: "RUNNING",
      submittedAt: event.at,
      facts,
      ...defined({ own }),
    };
    this.tasks.push(task);
    this.#byCall.set(event.call, task);
  }

  #take(event: TimedEvent & { readonly call?: string }, call: string, task: TaskRecord): void {
    const { folders, emit, runId } = this.#options;
    switch (event.kind) {
      case "call.started": {
        const again = task.startedAt !== undefined;
        if (task.hash === "") this.#place(task, event.key ?? call);
        task.startedAt = event.at;
        task.nativeId = event.attemptId;
        this.#directories.set(call, event.directory);
        if (task.own === true) folders.beginOwn(task.hash);
        else folders.begin(task.hash, event.directory);
        emit({ kind: again || task.attempt > 1 ? "re-submitted" : "submitted", task });
        return;
      }
      case "call.reused": {
        this.#place(task, event.key);
        folders.reused(task.hash, event.entry);
        task.exit = 0;
        task.startedAt = event.at;
        task.endedAt = event.at;
        task.realtimeMs = event.savedSeconds * 1000;
        if (event.savedCpuSeconds !== null) task.cpuSeconds = event.savedCpuSeconds;
        // An equal task of the same run was computed, once for both.
        const own = event.fromRun === runId;
        task.status = own ? "COMPLETED" : "CACHED";
        emit({ kind: own ? "submitted" : "cached", task });
        emit({ kind: "ended", task });
        return;
      }
      case "call.stored":
        task.status = "STORED";
        task.endedAt = event.at;
        emit({ kind: "stored", task });
        emit({ kind: "ended", task });
        return;
      case "call.computed": {
        const { wallSeconds, cpuSeconds, maxRssBytes } = event.usage;
        task.realtimeMs = wallSeconds * 1000;
        if (cpuSeconds !== null) task.cpuSeconds = cpuSeconds;
        if (maxRssBytes !== null) task.peakRssBytes = maxRssBytes;
        task.exit = 0;
        task.status = "COMPLETED";
        task.endedAt = event.at;
        if (task.own === true) folders.made(task.hash, join(event.directory, "work"));
        else folders.end(task.hash, event.directory, { exit: 0, trace: commandTrace(event.usage) });
        emit({ kind: "ended", task });
        return;
      }
      case "call.failed": {
        const { failure } = event;
        const directory = failure.directory ?? this.#directories.get(call);
        task.status = "FAILED";
        task.endedAt = event.at;
        if (failure.exitCode !== undefined) task.exit = failure.exitCode;
        if (task.own !== true && task.hash !== "" && directory !== undefined)
          folders.end(task.hash, directory, { exit: failure.exitCode });
        this.failures.push({ task, failure, ...defined({ directory }) });
        emit({ kind: "ended", task, failure });
        return;
      }
      case "call.cancelled":
        task.status = "ABORTED";
        task.endedAt = event.at;
        emit({ kind: "ended", task });
        return;
      default:
        return;
    }
  }

  #place(task: TaskRecord, identity: string): void {
    const count = this.#seen.get(identity) ?? 0;
    this.#seen.set(identity, count + 1);
    task.hash = sha256([this.#options.session, identity, count].join("\n")).slice(0, 32);
    task.workdir = this.#options.folders.pathOf(task.hash);
  }
}
