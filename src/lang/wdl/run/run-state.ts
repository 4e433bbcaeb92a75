/** What all parts of one run share: the host, what has failed, and whether anything new may be started. */
import { type Ask, isAppError, Semaphore } from "../../../kernel/index.ts";
import type { TaskFailure } from "../../../task/index.ts";
import type { Host, RunFailure, ValueLimits } from "../../core/index.ts";
import type { CheckedDocument, CheckedTask } from "../check/checked.ts";
import { folderOf } from "../eval/files/workflow-files.ts";
import { planTask, type TaskPlan } from "../eval/task/task-plan.ts";
import { EvaluationFailure, ValueFailure } from "../values/failure.ts";
import { ValueBounds } from "../values/limits.ts";

/** Calls that are prepared or with the engine at the same time: bounds memory, not parallelism. */
const mostCalls = 2000;

export class WdlRunState {
  readonly host: Host;
  readonly ask: Ask;
  readonly bounds: ValueBounds;
  readonly calls = new Semaphore(mostCalls);
  readonly failures: RunFailure[] = [];
  readonly #controller = new AbortController();
  readonly #plans = new Map<CheckedTask, TaskPlan>();
  readonly #hostPathOf: (uri: string) => string | undefined;
  readonly #baseDir: string | undefined;
  readonly #unfollow: () => void;
  #keptItems = 0;
  #full = false;
  #stopped = false;
  #cancelled = false;
  #broken: { readonly error: unknown } | undefined;

  constructor(options: {
    readonly host: Host;
    readonly ask: Ask;
    /** Of documents. */
    readonly hostPathOf: (uri: string) => string | undefined;
    /** Where relative paths are looked up next to the documents' own folders. */
    readonly baseDir: string | undefined;
    readonly limits?: ValueLimits | undefined;
  }) {
    this.host = options.host;
    this.bounds = new ValueBounds(options.limits);
    this.#hostPathOf = options.hostPathOf;
    this.#baseDir = options.baseDir;
    const { ask } = options;
    const follow = () => this.#controller.abort(ask.signal.reason);
    if (ask.signal.aborted) follow();
    else ask.signal.addEventListener("abort", follow, { once: true });
    this.#unfollow = () => ask.signal.removeEventListener("abort", follow);
    this.ask = { ...ask, signal: this.#controller.signal };
  }

  /** Lets go of the caller's Ask, which may outlive the run. */
  close(): void {
    this.#unfollow();
  }

  /** Nothing new is started any more. */
  get stopped(): boolean {
    return this.#stopped || this.ask.signal.aborted;
  }
  get cancelled(): boolean {
    return this.#cancelled || this.ask.signal.aborted;
  }

  /** It keeps as much as it may: whatever else is evaluated would be too much as well. */
  get full(): boolean {
    return this.#full;
  }

  /** Counts what workflows keep until the run ends. @throws ValueFailure when it is too much */
  keep(items: number): void {
    this.#keptItems += items;
    const { runItems } = this.bounds.limits;
    if (this.#keptItems <= runItems) return;
    this.#stopped = true;
    this.#full = true;
    throw new ValueFailure(`with this the run keeps more than ${runItems} items, which is the limit`);
  }

  planOf(task: CheckedTask): TaskPlan {
    const known = this.#plans.get(task);
    if (known !== undefined) return known;
    const plan = planTask(task);
    this.#plans.set(task, plan);
    return plan;
  }

  /** Folders in which relative paths of a task's document are looked up. */
  taskFolders(document: CheckedDocument): readonly string[] {
    return folderOf(this.#hostPathOf(document.uri));
  }

  workflowFolders(document: CheckedDocument): readonly string[] {
    return [...this.taskFolders(document), ...(this.#baseDir === undefined ? [] : [this.#baseDir])];
  }

  taskFailed(path: string, failure: TaskFailure): void {
    this.#fail({ kind: "task", path, failure });
  }

  callCancelled(): void {
    this.#cancelled = true;
    this.#stopped = true;
  }

  /** Sorts what was thrown: the user's expression failed, or we did, and then the run ends at once. */
  threw(error: unknown): void {
    if (error instanceof EvaluationFailure) {
      this.#fail({ kind: "evaluation", diagnostic: error.diagnostic });
    } else if (isAppError(error, "RUN_INTERRUPTED")) {
      this.callCancelled();
    } else {
      this.#broken ??= { error };
      this.#stopped = true;
      this.#controller.abort(error);
    }
  }

  /** Throws what broke the run, if anything did. */
  rethrow(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  #fail(failure: RunFailure): void {
    this.failures.push(failure);
    if (this.host.failure === "fast") this.#stopped = true;
  }
}
