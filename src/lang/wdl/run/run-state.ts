/** What all parts of one run share: what every language has, and more. */
import type { Ask, Diagnostic } from "../../../kernel/index.ts";
import { type Host, RunState, type ValueLimits } from "../../core/index.ts";
import type { CheckedDocument, CheckedTask } from "../check/checked.ts";
import { folderOf } from "../eval/files/workflow-files.ts";
import { planTask, type TaskPlan } from "../eval/task/task-plan.ts";
import { EvaluationFailure, ValueFailure } from "../values/failure.ts";
import { ValueBounds } from "../values/limits.ts";

export class WdlRunState extends RunState {
  readonly bounds: ValueBounds;
  readonly #plans = new Map<CheckedTask, TaskPlan>();
  readonly #hostPathOf: (uri: string) => string | undefined;
  readonly #baseDir: string | undefined;
  #keptItems = 0;
  #full = false;

  constructor(options: {
    readonly host: Host;
    readonly ask: Ask;
    /** Of documents. */
    readonly hostPathOf: (uri: string) => string | undefined;
    /** Where relative paths are looked up next to the documents' own folders. */
    readonly baseDir: string | undefined;
    readonly limits?: ValueLimits | undefined;
  }) {
    super(options.host, options.ask);
    this.bounds = new ValueBounds(options.limits);
    this.#hostPathOf = options.hostPathOf;
    this.#baseDir = options.baseDir;
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
    this.stop();
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

  protected override diagnosticOf(error: unknown): Diagnostic | undefined {
    return error instanceof EvaluationFailure ? error.diagnostic : undefined;
  }
}
