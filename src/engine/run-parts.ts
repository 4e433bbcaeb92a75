/** What a run is made of. app/ builds these; the engine knows them by their interfaces only. */
import type { Executor, ImageResolver } from "../exec/core/index.ts";
import type { Ask } from "../kernel/index.ts";
import type { Fingerprinter, RemoteFiles } from "../keys/index.ts";
import type { Program, Reach } from "../lang/core/index.ts";
import type { Claim, EntryStore, NewUuid } from "../store/entries/index.ts";
import type { TaskCall } from "../task/index.ts";
import type { CallLeases } from "./call-leases.ts";
import type { TimedEvent } from "./events.ts";
import type { Capacity, Turns, TurnsPlace } from "./scheduler.ts";

/** `always` records every computed call; `on-failure` only when the run fails or is cancelled. Both read. */
export type CacheBehavior = "always" | "on-failure";

export interface RunCacheParts {
  readonly store: EntryStore;
  /** What records of runs that never got the cache open call it. Default: `store.uri`. */
  readonly location?: string;
  /** It could not be opened when the run started: `store` tries again, after a pause. */
  readonly opensLater?: true;
  readonly behavior: CacheBehavior;
  /**
   * When results that `always` records are recorded: each as its task completes (the default), or all when the run has
   * ended. What `on-failure` records waits for the end of the run in any case.
   */
  readonly recordAt?: "task-end" | "run-end";
  /** Shared with other processes that use this cache; undefined = every process computes for itself. */
  readonly leases?: CallLeases;
  /** Whether calls without a container may be recorded and reused; their environment's identity enters the key. */
  readonly hostTasks: boolean;
  readonly resources: "ignored" | "strict";
  /** Tasks whose calls are computed each time, and not recorded. Asked when a call is identified. */
  readonly isExcluded?: (task: string) => boolean;
  /** Names every entry that the run is about to reuse, so that pruning keeps it. */
  readonly claim?: Claim;
  /** Names those that it is about to record. */
  readonly newUuid?: NewUuid;
  /** Protects an entry from being pruned at any time, since a link outside the cache leads to it. */
  readonly pin?: (entryUuid: string, ask: Ask) => Promise<void>;
  /** Reads objects that a store on this machine is given. */
  readonly remote?: RemoteFiles;
  /** How long the end of a run waits for a cache that does not answer, in ms. Default 10,000. */
  readonly patienceMs?: number;
  /** Name in the registry of caches, for people. */
  readonly name?: string;
}

export interface WorkflowRunParts {
  readonly runId: string;
  /** Folder of all runs; the run's own is `<runs>/<runId>`. */
  readonly runs: string;
  readonly program: Program;
  readonly language: string;
  /** How `outputs.json` writes files; see `FrontEndAbilities`. */
  readonly filesInJson: "path" | "object";
  /** What the user named, for the record. */
  readonly source: string;
  readonly executor: Executor;
  readonly images?: ImageResolver;
  /** Others that calls may name. Whoever makes them closes them. */
  readonly executors?: Readonly<Record<string, Pick<WorkflowRunParts, "executor" | "images">>>;
  /** Which of `executors` the user chose for a task that names none; undefined = the run's own. */
  readonly executorOf?: (task: Pick<TaskCall, "name" | "path">) => string | undefined;
  /**
   * Makes an executor that a task prefers, by its kind. Absent where the user has chosen one for the whole run, which
   * counts then. Whoever makes it closes it.
   * @throws AppError CLI_USAGE for a kind that there is not, and for one that lacks an option
   */
  readonly openExecutor?: (kind: string) => Promise<Pick<WorkflowRunParts, "executor" | "images">>;
  /** Image of tasks that ask for none, where the executor runs containers. */
  readonly defaultImage?: string;
  readonly fingerprinter: Fingerprinter;
  readonly remote?: RemoteFiles;
  /** Every task gets copies of its inputs, which it may change. Default: inputs are read-only where they are big. */
  readonly copyInputs?: true;
  /** Variables of the user that every task gets; what the task declares itself wins. */
  readonly passedEnv?: Readonly<Record<string, string>>;
  /** Which files documents and inputs may name. Default: all. */
  readonly reach?: Reach;
  /** undefined = nothing is reused and nothing recorded. */
  readonly cache?: RunCacheParts;
  /** What the user allows instead of what the machine has. */
  readonly limits: Partial<Capacity>;
  /** Turns that several runs of one process share, given what there is; default: turns of this run alone. */
  readonly turns?: (capacity: Capacity, place: TurnsPlace) => Turns;
  /** Calls that ask for more cores or memory than there are run with what there is. Default: they fail. */
  readonly clampResources?: true;
  readonly failure: "fast" | "slow";
  /** Part of the reused calls, 0 to 1, that is computed again to compare. Default 0. */
  readonly recheck?: number;
  /** `in place`: the caller takes the final outputs where they are and drops the run's folder. Default: `deliver`. */
  readonly outputs?: "deliver" | "in place";
  /** Where the final outputs are copied to, in addition to the run's `out`. */
  readonly out?: string;
  /** Problems with the cache before the run began; repeated in its events. */
  readonly notes?: readonly string[];
  readonly onEvent: (event: TimedEvent) => void;
}

/** Whether others find a result as soon as its task has completed. */
export function recordsPerTask({
  behavior,
  recordAt,
}: Pick<RunCacheParts, "behavior" | "recordAt">): boolean {
  return behavior === "always" && recordAt !== "run-end";
}
