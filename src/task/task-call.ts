/**
 * A task call: everything that is needed to run one command somewhere and to know whether it was run before. Front
 * ends produce it as plain data; the engine resolves it.
 *
 * Paths: a command sees its world below one fixed task root, whatever machine it runs on, so that rendered commands
 * are equal everywhere:
 *
 *   /mnt/memoir/inputs/<n>/<basename>    staged inputs, read-only; files of one source folder share an <n>
 *   /mnt/memoir/work                     the working directory; outputs are found here
 *
 * Executors that cannot mount the root there replace the text `/mnt/memoir` by the attempt's own directory in the
 * command, the environment and the literal files (and only there).
 */
import type { TaskPath } from "../kernel/index.ts";
import type { AttemptFiles } from "./attempt-files.ts";
import type { TaskFailure } from "./outcome.ts";
import type { CanonicalJson, OutputRule } from "./output-rule.ts";
import type { FileValue } from "./value.ts";

export const taskRoot = "/mnt/memoir" as TaskPath;
export const taskInputs = "/mnt/memoir/inputs" as TaskPath;
export const taskWork = "/mnt/memoir/work" as TaskPath;
/** Where its streams are found after its end. */
export const taskStdout = "/mnt/memoir/stdout" as TaskPath;
export const taskStderr = "/mnt/memoir/stderr" as TaskPath;

export interface StagedInput {
  /** Where the task sees it: below the task root; of a call that needs a container also at another absolute path. */
  readonly path: TaskPath;
  readonly source: FileValue;
  /** CWL InplaceUpdate and writable InitialWorkDir entries; a writable input is copied. */
  readonly writable?: true;
}

/**
 * A staged input under another name in the working directory: a symbolic link, as Nextflow stages its inputs. The task
 * may move and remove the link; what it leads to stays as read-only as other inputs are.
 */
export interface LinkedInput {
  /** Below the working directory. */
  readonly path: TaskPath;
  /** The path of a staged input. */
  readonly to: TaskPath;
}

/** A small file whose content the front end made (write_lines, InitialWorkDir literals); placed as inputs are. */
export interface LiteralFile {
  readonly path: TaskPath;
  readonly content: string;
  /** People know it as the script of the task: its text is in the key, so that a change can be shown line by line. */
  readonly isScript?: true;
}

export interface Resources {
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly gpu: number;
  readonly diskBytes?: number;
}

/** How to obtain an image without asking a registry. */
export type ImageRecipe =
  /** The text of a Dockerfile; the build sees no other file. */
  | { readonly kind: "build"; readonly dockerfile: string }
  /** An archive as `docker save` writes it; `name` chooses among several images in it. */
  | { readonly kind: "load"; readonly archive: FileValue; readonly name?: string }
  /** An archive of a root file system. */
  | { readonly kind: "import"; readonly archive: FileValue }
  /** An image of the engine's own store, which no registry is asked for as long as it is there. */
  | { readonly kind: "local"; readonly name: string };

export interface TaskPlacement {
  /** The cluster's name of a queue or partition. */
  readonly queue?: string;
  /** Further words for the program that submits jobs. */
  readonly options?: readonly string[];
}

export interface TaskDisk {
  /** Absolute, outside the task root, without `.` and `..`. */
  readonly path: TaskPath;
  /** The call names its place: where it cannot be mounted, the call fails. Otherwise it runs without. */
  readonly needed: boolean;
}

export type AcceptedExit =
  | { readonly kind: "codes"; readonly codes: readonly number[] }
  | { readonly kind: "any" };

export type InputIdentity = "content" | "lenient";

export type CachePolicy =
  /** `withoutOutputs`: also if it declares no output, since that it succeeded is what is asked for. Default false. */
  | { readonly kind: "reusable"; readonly withoutOutputs?: boolean }
  /** Always computed and never recorded; the reason is shown to the user. */
  | { readonly kind: "never"; readonly reason: string };

export interface TaskCall {
  /** The task's name as its document has it. */
  readonly name: string;
  /** Unique within the run and stable between runs: `main.align`, `main.scatter_sample.align[3]`. */
  readonly path: string;
  /** Short name of the front end's language: `wdl`. */
  readonly language: string;
  /**
   * Calls with equal components are the same call within a family. Default: any command, whichever language wrote it. A
   * front end that wraps commands in its own run-time text names its own, and then its version is always in the key.
   */
  readonly family?: string;
  /** Semantic version of the front end: raised when equal documents come to mean something else. */
  readonly frontEndVersion: string;
  /** The rendered script. */
  readonly command: string;
  /** argv that the script file's path is appended to: `["/bin/bash"]`. */
  readonly shell: readonly string[];
  /**
   * The program that the command runs, where the language knows it (CWL's `argv[0]`): a name that is looked for on PATH,
   * or a path. Without a container its content is in the key.
   */
  readonly program?: string;
  readonly inputs: readonly StagedInput[];
  readonly linkedInputs?: readonly LinkedInput[];
  readonly literalFiles: readonly LiteralFile[];
  readonly env: Readonly<Record<string, string>>;
  /**
   * Variables that have the same value in every call of the language (HOME and TMPDIR in CWL). `env` wins over them, and
   * they are not in the key: what is the same for all decides nothing.
   */
  readonly fixedEnv?: Readonly<Record<string, string>>;
  /**
   * Variables of the user that the run hands on. `env` wins over them, and they win over `fixedEnv`. They are in the key,
   * by digest: people pass secrets, and keys are kept.
   */
  readonly passedEnv?: Readonly<Record<string, string>>;
  /**
   * Variables that win over all others and of which only the names are in the key: what a token is does not decide what a
   * task makes, and nothing of it is kept.
   */
  readonly secretEnv?: Readonly<Record<string, string>>;
  /** Acceptable images, best first; undefined or empty = no container asked for. */
  readonly images: readonly string[];
  /** Instead of `images`. */
  readonly imageRecipe?: ImageRecipe;
  /** Folders of the call's own that it can write to. Without a container, or another place to mount them, see `needed`. */
  readonly disks?: readonly TaskDisk[];
  /** It must not run without a container, wherever it runs. */
  readonly needsContainer?: true;
  /**
   * In a container the working directory is at this absolute path, too, and the command starts there. Without a
   * container it means nothing.
   */
  readonly workDir?: string;
  /**
   * Run instead of `command` and `shell` in an image that has an entry point: gets the entry point's words as arguments
   * (`"$@"`); `image's own` adds the image's default command to them.
   */
  readonly behindEntrypoint?: {
    readonly shell: readonly string[];
    readonly command: string;
    readonly words: "given" | "image's own";
  };
  readonly resources: Resources;
  /** What the machine does not have of the resources is done without; otherwise such a call fails. */
  readonly resourcesAreHints?: true;
  readonly timeoutMs?: number;
  /** How often a failed attempt is tried again. */
  readonly maxRetries: number;
  /** Only these exit codes are worth another try, and no other way to fail. Default: every way to fail is. */
  readonly retriedExit?: readonly number[];
  /**
   * Failures that are not the end: after one of them the front end asks for the call again under another path, so that
   * a run that stops at its first failure continues. Default: none.
   */
  readonly toleratedFailures?: readonly TaskFailure["kind"][];
  readonly acceptedExit: AcceptedExit;
  readonly network: boolean;
  readonly outputRules: readonly OutputRule[];
  readonly cachePolicy: CachePolicy;
  /** Where in a cluster it goes; executors without one have no use for it. Not in the key. */
  readonly placement?: TaskPlacement;
  /** One of the executors that the run has by name; absent = the run's own. Not in the key. */
  readonly executor?: string;
  /** The kind of executor that the document asks for, where the user leaves it open. Not in the key. */
  readonly preferredExecutor?: string;
  /**
   * How its inputs are known: `content`, or `lenient` (name and size), which users ask for where reading takes too long
   * and they know what they do. Default: what the cache says. Recorded results are known by their content in any case.
   */
  readonly identity?: InputIdentity;
  /** Whatever else decides the result and fits no component above; enters the key as `task`. */
  readonly extraKey?: CanonicalJson;
}

/** A finished attempt, as the collector of outputs sees it. */
export interface FinishedAttempt {
  readonly exitCode: number;
  readonly files: AttemptFiles;
  /** Attempt number from 0; resources that the attempt was given. */
  readonly attempt: number;
  readonly resources: Resources;
}

/** The outcome for a file that was to be copied out of a container. */
export type Brought =
  | { readonly kind: "file"; readonly hostPath: string }
  /** The path is a link to a path that has a host path. */
  | { readonly kind: "leads"; readonly taskPath: string }
  | { readonly kind: "missing" }
  /** It is not a regular file, but `a directory` or the like. */
  | { readonly kind: "refused"; readonly what: string };
