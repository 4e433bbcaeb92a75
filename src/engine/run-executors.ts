/**
 * Where the calls of a run are executed: on the run's own executor, unless a call names another one that the run has.
 * Each is opened when its first call has to be computed: a run that reuses everything needs no container engine.
 */
import type { Executor, ImageResolver } from "../exec/core/index.ts";
import { type Ask, defined } from "../kernel/index.ts";
import type { OwnWork } from "../lang/core/index.ts";
import type { TaskCall, TaskFailure } from "../task/index.ts";
import { type OwnWorks, ownWorkExecutor } from "./own-work.ts";
import type { WorkflowRunParts } from "./run-parts.ts";
import { type Capacity, Scheduler, type Turns, type TurnsPlace } from "./scheduler.ts";

export interface RunExecutor {
  readonly executor: Executor;
  readonly images?: ImageResolver;
  open(): Promise<void>;
  /** Opens it, and gives whoever hands out turns there. */
  ready(): Promise<{ readonly scheduler: Turns; readonly cpus: number }>;
}

type ExecutorsOfRun = Pick<
  WorkflowRunParts,
  "executor" | "images" | "executors" | "openExecutor" | "limits" | "turns"
>;

export class RunExecutors {
  readonly #own: RunExecutor;
  readonly #named = new Map<string, RunExecutor>();
  readonly #opened = new Map<string, Promise<RunExecutor>>();
  readonly #open: (kind: string) => Promise<RunExecutor> | undefined;
  readonly #works: OwnWorks = new Map();
  readonly #ownWork: RunExecutor;

  constructor(parts: ExecutorsOfRun, ask: Ask) {
    /** Executors of one machine share its processors and memory. */
    let shared: Turns | undefined;
    const make = (executor: Executor, images: ImageResolver | undefined): RunExecutor => {
      const open = once(() => executor.open(ask));
      const turns = (limits: Capacity, place: TurnsPlace) =>
        parts.turns?.(limits, place) ?? new Scheduler(limits);
      return {
        executor,
        ...defined({ images }),
        open,
        ready: once(async () => {
          await open();
          const capacity = executor.capacity();
          if (executor.can.elsewhere === true)
            return { scheduler: turns(capacity, "elsewhere"), cpus: capacity.cpu };
          shared ??= turns({ ...capacity, ...parts.limits }, "here");
          return { scheduler: shared, cpus: capacity.cpu };
        }),
      };
    };
    this.#own = make(parts.executor, parts.images);
    this.#ownWork = make(ownWorkExecutor(this.#works), undefined);
    const { openExecutor } = parts;
    this.#open = (kind) => openExecutor?.(kind).then(({ executor, images }) => make(executor, images));
    for (const [name, { executor, images }] of Object.entries(parts.executors ?? {}))
      this.#named.set(name, make(executor, images));
  }

  /** undefined = the run has no executor of this name. */
  async named(name: string | undefined): Promise<RunExecutor | undefined> {
    if (name === undefined) return this.#own;
    const found = this.#named.get(name) ?? this.#opened.get(name);
    if (found !== undefined) return found;
    const opening = this.#open(name);
    if (opening !== undefined) this.#opened.set(name, opening);
    return opening;
  }

  /** The call of this path is performed by its program, however often it has to be. */
  perform(path: string, work: OwnWork | undefined): void {
    if (work !== undefined) this.#works.set(path, work);
  }

  /** Where a call is executed, or why it cannot be. */
  async of(task: TaskCall): Promise<RunExecutor | TaskFailure> {
    if (this.#works.has(task.path)) return this.#ownWork;
    if (task.executor === undefined) return this.#own;
    const found = await this.named(task.executor);
    if (found !== undefined) return found;
    const names = [...this.#named.keys()].sort();
    const message = `asks for the executor ${task.executor}; this run has ${names.length === 0 ? "none that calls can name" : names.join(", ")}`;
    return { kind: "resources-unavailable", message, attempts: 0 };
  }
}

/** What went wrong stays so for the run. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
