/**
 * Waits for tasks: one list for all of a run, again and again, and a question for a single task where the list does not
 * name it. A service that does not answer says nothing about any task.
 */
import type { Ask } from "../../kernel/index.ts";
import { WatchLoop } from "../core/index.ts";
import type { ServiceClient, ServiceTask } from "./service-client.ts";
import type { TaskRecord } from "./task-record.ts";
import { phaseOf, type TaskPhase } from "./tes-task.ts";

export interface WatchTimes {
  /** Milliseconds between two looks while something changes; grows tenfold while nothing does. */
  readonly pollMs: number;
  /** How long a task that the service does not know may be missing before it counts as lost. */
  readonly missingMs: number;
  /** How long a task must have waited for what never comes. */
  readonly stuckMs: number;
  /** How long what a task has left may take to be seen in the work prefix. */
  readonly settleMs: number;
  /** How long the service may be away before a start fails, or a cancelled task is no longer asked after. */
  readonly awayMs: number;
}

export interface WatchedTask {
  readonly taskId: string;
  readonly group: TaskRecord["group"];
  /** Milliseconds that it may run. */
  readonly timeoutMs: number | undefined;
}

type SeenTask = Pick<ServiceTask, "state" | "neverStarts">;

export type TaskOutcome =
  | { readonly kind: "over"; readonly phase: Exclude<TaskPhase, "going">; readonly state: string }
  /** The service does not know it (any more). */
  | { readonly kind: "vanished" }
  /** It was cancelled, since it would have waited for ever. */
  | { readonly kind: "never-starts"; readonly reason: string }
  /** It was to be cancelled, and the service did not answer. */
  | { readonly kind: "unreachable" };

interface Watched extends WatchedTask {
  readonly onTimeUp: () => void;
  state: string;
  isCancelled: boolean;
  /** Why it was cancelled here. */
  neverStarts: string | undefined;
  stuckSince: number | undefined;
  /** Since when it has been running, missing, or out of reach. */
  runningSince: number | undefined;
  missingSince: number | undefined;
  awaySince: number | undefined;
}

const runs = new Set(["RUNNING"]);

export class TaskWatch {
  readonly #client: ServiceClient;
  readonly #times: WatchTimes;
  readonly #say: (words: string) => void;
  readonly #loop: WatchLoop<Watched, TaskOutcome>;
  #isAway = false;

  constructor(parts: { client: ServiceClient; times: WatchTimes; say: (words: string) => void }) {
    this.#client = parts.client;
    this.#times = parts.times;
    this.#say = parts.say;
    this.#loop = new WatchLoop({
      pollMs: parts.times.pollMs,
      look: (tasks, ask) => this.#look(tasks, ask),
      pauseOf: (waitMs) => this.#untilTimeIsUp(waitMs),
    });
  }

  /** `cancel` asks the service to end the task, however often it takes. */
  watch(
    task: WatchedTask,
    onTimeUp: () => void,
  ): { readonly outcome: Promise<TaskOutcome>; readonly cancel: () => void } {
    const watched: Watched = {
      ...task,
      onTimeUp,
      state: "UNKNOWN",
      isCancelled: false,
      neverStarts: undefined,
      stuckSince: undefined,
      runningSince: undefined,
      missingSince: undefined,
      awaySince: undefined,
    };
    const outcome = this.#loop.add(watched);
    const cancel = () => {
      watched.isCancelled = true;
      this.#loop.wake();
    };
    return { outcome, cancel };
  }

  close(reason: unknown): Promise<void> {
    return this.#loop.close(reason);
  }

  #untilTimeIsUp(waitMs: number): number {
    const now = performance.now();
    const left = this.#loop.items.flatMap(({ timeoutMs, runningSince, isCancelled }) =>
      timeoutMs === undefined || runningSince === undefined || isCancelled
        ? []
        : [runningSince + timeoutMs - now],
    );
    return Math.max(1, Math.min(waitMs, ...left));
  }

  /** Whether anything was different from the time before. */
  async #look(watched: readonly Watched[], ask: Ask): Promise<boolean> {
    const groups = new Map<string, Watched[]>();
    for (const task of watched) {
      const name = JSON.stringify(task.group);
      groups.set(name, [...(groups.get(name) ?? []), task]);
    }
    let hasChanged = false;
    for (const tasks of groups.values()) {
      const [first] = tasks;
      if (first === undefined) continue;
      try {
        const listed = await this.#client.list(first.group, "MINIMAL", ask);
        const states =
          listed.kind === "answered" ? new Map(listed.value.map((each) => [each.id, each])) : undefined;
        if (listed.kind === "unclear") this.#noteAway(listed.words);
        else this.#isAway = false;
        for (const task of tasks) if (await this.#see(task, states, ask)) hasChanged = true;
      } catch (error) {
        if (this.#loop.isClosing) return false;
        for (const task of tasks) this.#loop.fail(task, error);
      }
    }
    return hasChanged;
  }

  #noteAway(words: string): void {
    if (!this.#isAway) this.#say(`${this.#client.url} does not answer (${words}); asking again`);
    this.#isAway = true;
  }

  /** `states`: by id; undefined = there was no list. */
  async #see(task: Watched, states: ReadonlyMap<string, SeenTask> | undefined, ask: Ask): Promise<boolean> {
    const now = performance.now();
    let seen = states?.get(task.taskId);
    if (seen === undefined && !this.#isAway) {
      // Lists are late, or know no tags.
      const answer = await this.#client.get(task.taskId, "MINIMAL", ask);
      if (answer.kind === "answered") seen = answer.value;
      else if (answer.kind === "refused" && answer.status === 404) {
        task.missingSince ??= now;
        if (now - task.missingSince >= this.#times.missingMs) return this.#settle(task, { kind: "vanished" });
        return false;
      }
    }
    if (seen === undefined) {
      task.awaySince ??= now;
      const isOver = task.isCancelled && now - task.awaySince >= this.#times.awayMs;
      return isOver ? this.#settle(task, { kind: "unreachable" }) : false;
    }
    task.missingSince = undefined;
    task.awaySince = undefined;
    const { state, neverStarts } = seen;
    const hasChanged = state !== task.state;
    task.state = state;
    const phase = phaseOf(state);
    if (phase === "cancelled" && task.neverStarts !== undefined)
      return this.#settle(task, { kind: "never-starts", reason: task.neverStarts });
    if (phase !== "going") return this.#settle(task, { kind: "over", phase, state });
    task.stuckSince = neverStarts === undefined ? undefined : (task.stuckSince ?? now);
    if (
      !task.isCancelled &&
      neverStarts !== undefined &&
      now - (task.stuckSince ?? now) >= this.#times.stuckMs
    ) {
      task.isCancelled = true;
      task.neverStarts = neverStarts;
    }
    if (runs.has(state)) task.runningSince ??= now;
    const { timeoutMs, runningSince } = task;
    if (
      !task.isCancelled &&
      timeoutMs !== undefined &&
      runningSince !== undefined &&
      now - runningSince >= timeoutMs
    ) {
      task.isCancelled = true;
      task.onTimeUp();
    }
    // Servers answer 409 or 500 for one that has ended meanwhile: its state says more than the answer.
    if (task.isCancelled && state !== "CANCELING") await this.#client.cancel(task.taskId, ask);
    return hasChanged || task.isCancelled;
  }

  #settle(task: Watched, outcome: TaskOutcome): boolean {
    this.#loop.settle(task, outcome);
    return true;
  }
}
