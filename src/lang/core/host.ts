/**
 * What a program asks of its run: task calls, files, published results, and an end. It knows nothing of caches,
 * executors and folders; a host may be a run, a dry run, or a test.
 */
import type { Ask } from "../../kernel/index.ts";
import type { CallOutcome, FileValue, FinishedAttempt, Outputs, TaskCall, Value } from "../../task/index.ts";
import type { FileAccess } from "./file-access.ts";

/**
 * Evaluates the declared outputs of a finished attempt. Failing to find one is a value: the engine makes it an
 * `output-missing` failure. Files are answered as host paths; the engine moves or uploads them.
 */
export type OutputCollector = (
  finished: FinishedAttempt,
  ask: Ask,
) => Promise<
  | {
      readonly kind: "collected";
      readonly outputs: Outputs;
      /** Why equal outputs cannot be counted on another time: the result is used, and not recorded. */
      readonly doubt?: string;
    }
  | { readonly kind: "missing"; readonly message: string }
>;

export interface Host {
  /** Resolves when the call has ended, in whatever way. Throws only AppErrors and bugs. */
  call(task: TaskCall, collect: OutputCollector, ask: Ask, options?: CallOptions): Promise<CallOutcome>;
  /**
   * A path for a call where the order of arrival is not stable, as in dataflow: `ALIGN/3f9a…`, from the name and what
   * goes in (files by their content). Equal inputs get `…~2`, `…~3` in the order in which they are asked for: these
   * calls are interchangeable.
   */
  pathOf(name: string, inputs: Value, ask: Ask): Promise<string>;
  /**
   * Brings a result to where a person looks for it, while the run continues. A run does not end before everything is
   * published that it was asked for.
   * @throws AppError FILE_OUT_OF_REACH for a target where the run may not write, FILE_NOT_WRITABLE and DISK_FULL
   */
  publish(file: FileValue, order: PublishOrder, ask: Ask): Promise<Published>;
  /**
   * `finish`: no further call is started, and those under way come to their end. `terminate`: these are stopped, too.
   * Calls that are not started, or stopped, end as cancelled. The program still says how the run ended.
   */
  stop(how: "finish" | "terminate"): void;
  readonly files: FileAccess;
  emit(event: ProgramEvent): void;
  /** Whether a failure stops new calls from being started (fail-fast) or independent ones continue. */
  readonly failure: "fast" | "slow";
  /** Tasks run in containers only: their images count whether the document switches containers on or not. */
  readonly needsImages?: boolean;
  /** Takes the container engine that the document is written for, where there is one and the user has chosen no other. */
  preferEngine?(name: string): void;
  /** Tasks run on the executors that they prefer. */
  readonly opensExecutors?: boolean;
}

/** Answers the exit code; `folder` is the working directory, which exists. What it throws is thrown by the call. */
export type OwnWork = (folder: string) => Promise<number>;

export interface CallOptions {
  /**
   * Done in this process in place of a command (Nextflow's `exec:`). Nothing of the machine decides its result: the call
   * names no image, and whatever the work depends on is in the call.
   */
  readonly work?: OwnWork;
  /**
   * Looks whether the results are there already, outside every cache (Nextflow's storeDir): asked before anything
   * else. Outputs end the call as `stored`; undefined = they are not there.
   */
  readonly stored?: (ask: Ask) => Promise<Outputs | undefined>;
  /**
   * The call's outcome from what is recorded of it and from the present inputs, for values that are the inputs' own
   * (Nextflow's meta maps): asked however the call ended well. What it adds never enters an entry, and never comes from
   * one.
   */
  readonly present?: (recorded: Outputs, ask: Ask) => Promise<Outputs>;
}

export interface PublishOrder {
  /** Absolute path that the file or folder gets. */
  readonly target: string;
  /**
   * `copy`: sharing blocks where the file system can. `link`, `relative link`: a symbolic link to a recorded result,
   * which is pinned so that no pruning takes it away; what is not recorded in a folder on this machine is copied.
   * Hard links are not offered: who edits one would edit the recorded result.
   */
  readonly mode: "copy" | "link" | "relative link";
  /** The result is a link with this text, which the target becomes, too. */
  readonly linkText?: string;
  /**
   * What happens to an existing file: replaced, kept, or replaced where its content differs. A link is
   * replaced itself, never what it leads to. Folders are merged, file by file.
   */
  readonly overwrite: "always" | "never" | "if different";
  /** Path of the call that it is a result of, for events. */
  readonly call?: string;
}

export interface Published {
  /** `kept`: something was there, and stays. */
  readonly how: "copied" | "linked" | "kept";
  readonly target: string;
}

/** What a program reports while it runs, beyond its task calls. */
export type ProgramEvent =
  | { readonly kind: "scatter.expanded"; readonly path: string; readonly count: number }
  | { readonly kind: "workflow.started"; readonly path: string }
  | { readonly kind: "workflow.ended"; readonly path: string }
  | {
      readonly kind: "note";
      readonly path: string;
      readonly message: string;
      /** `print`: what a script prints, word for word. Default: `info`. */
      readonly level?: "print" | "info" | "warn" | "error";
      /** Printed without the end of a line. */
      readonly unfinished?: true;
    }
  /** What people call a task call, and what it asks for; before the call is asked for. */
  | {
      readonly kind: "call.named";
      readonly call: string;
      /** `ALIGN (sample1)` */
      readonly title: string;
      /** The part of the workflow that makes the call. */
      readonly process: string;
      readonly tag?: string;
      /** Counts from 1. */
      readonly attempt: number;
      readonly facts: Readonly<Record<string, string | number>>;
      /** The program performs it itself: there is no command. */
      readonly own?: true;
    }
  /** A part of the workflow that may make calls, and those whose results go in. */
  | {
      readonly kind: "process.declared";
      readonly name: string;
      readonly from: readonly string[];
      readonly container?: string;
    };
