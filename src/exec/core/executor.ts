/**
 * What an executor is: it gets a command executed somewhere. The engine branches on `can`, never on names.
 *
 * An attempt has an id that Memoir chooses (container name, job name) and its own directory; starting is idempotent, and a
 * restarted Memoir finds its attempts again by id. In the directory lie `command` (the script), `inputs/`, `work/`,
 * `stdout`, `stderr`, `usage.json`, and, written last, `rc`. After the end every staged input is found at its
 * place below `inputs/` (as a link to its source, or as the copy that the task has changed), so a task path's host path
 * is the same text below `directory`.
 */
import type { Ask } from "../../kernel/index.ts";
import type {
  AttemptFiles,
  Brought,
  ImageRecipe,
  LinkedInput,
  LiteralFile,
  Resources,
  StagedInput,
  StoredContent,
  TaskPlacement,
} from "../../task/index.ts";

export interface ExecutorAbilities {
  /** Runs commands inside images. */
  readonly containers: boolean;
  /**
   * Attempts' directories are folders on this machine, before and after: inputs are staged and outputs found there by
   * host paths.
   */
  readonly sharesFiles: boolean;
  /** Also runs commands without any image, as local processes. */
  readonly plainTasks?: true;
  /** Attempts take nothing of the machine's processors and memory: they have their own turns. */
  readonly elsewhere?: true;
  /** The service gives tasks an identity by which they read and write the user's object stores. */
  readonly usesStores?: true;
  /** Performs what programs do themselves: nothing of the machine decides the results. */
  readonly ownWork?: true;
  /** Attempts outlive this process and can be adopted by the next one. */
  readonly survives: boolean;
  /** The task root is really mounted; otherwise its text is replaced by the attempt's directory. */
  readonly mountsTaskRoot: boolean;
  /** Memory limits are enforced. */
  readonly limitsMemory: boolean;
  /** What the task did not declare is hidden from it (other files, network). */
  readonly isolates: boolean;
}

/** An image pinned for a run. Identity in keys is platform + configDigest. */
export interface PinnedImage {
  /** As the document wrote it. */
  readonly requested: string;
  /** What is handed to the engine: `repo@sha256:…`, or a local image id. */
  readonly reference: string;
  /** `linux/amd64`. */
  readonly platform: string;
  readonly configDigest: string;
  /** Digest of this platform's manifest; undefined for images that no registry has seen. */
  readonly manifestDigest?: string;
  /** The image's own words that the call runs behind: never empty, and absent for calls that run without them. */
  readonly entrypoint?: readonly string[];
}

/** What an image runs without a command. */
export interface ImageStart {
  /** Goes before every command; empty = nothing does. */
  readonly entrypoint: readonly string[];
  /** The command when none is given. */
  readonly command: readonly string[];
}

export interface Attempt {
  /** Unique: run, call and attempt number are in it. Usable as container and job name: [A-Za-z0-9_.-], at most 63. */
  readonly id: string;
  /** Absolute host path, exists, empty but for what the engine put there. */
  readonly directory: string;
  /** The script's text, already placed by the engine as `<directory>/command`. */
  readonly shell: readonly string[];
  /** Words after the script's path: the entry point of the image, where the script runs it. */
  readonly arguments?: readonly string[];
  /**
   * What is known of inputs that stay in an object store, by location. Only where files are not shared: elsewhere every
   * location is a host path.
   */
  readonly stored?: ReadonlyMap<string, StoredContent>;
  /** Only with an image: the working directory is at this absolute path, too, and the command starts there. */
  readonly workDir?: string;
  /** Staged inputs with `source.location` being a host path by now. Outside the task root only with an image. */
  readonly inputs: readonly StagedInput[];
  /** Made by the executor before the start, as links that lead to the inputs wherever the task sees them. */
  readonly linkedInputs?: readonly LinkedInput[];
  /** The task gets copies of its inputs, which it may change. */
  readonly copyInputs?: true;
  /** Written by the executor below the task root before the start, with the task root's text replaced if need be. */
  readonly literalFiles?: readonly LiteralFile[];
  /** Absolute paths of empty folders that the task can write to; only where the task root is mounted, too. */
  readonly disks?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly image?: PinnedImage;
  readonly resources: Resources;
  readonly timeoutMs?: number;
  readonly placement?: TaskPlacement;
  readonly network: boolean;
  /** Labels for people and sweepers: run id, call path. */
  readonly labels: Readonly<Record<string, string>>;
}

/** null = could not be measured here. */
export interface Usage {
  readonly wallSeconds: number;
  readonly cpuSeconds: number | null;
  readonly maxRssBytes: number | null;
  /** How the figures were got: `cgroup`, `proc`, `time`. */
  readonly source: string;
}

export type AttemptEnd =
  | {
      readonly kind: "exited";
      readonly exitCode: number;
      /**
       * The kernel killed something of the task for lack of memory. May be true with exit code 0 (`tool | head`):
       * such a result is doubtful and must not be recorded.
       */
      readonly outOfMemory: boolean;
      readonly usage: Usage;
      /** What the task has deleted or replaced although it must not: `its standard output (…/stdout)`. */
      readonly spoiled?: string;
    }
  | { readonly kind: "timed-out"; readonly usage: Usage }
  | { readonly kind: "cancelled" }
  /** The engine, node or process vanished without an exit code; `message` is for people. */
  | { readonly kind: "lost"; readonly message: string };

export type AttemptState =
  | { readonly kind: "unknown" }
  | { readonly kind: "running" }
  | { readonly kind: "ended"; readonly end: AttemptEnd };

export interface Executor {
  /** `host`, `docker`, `podman`. For messages only. */
  readonly name: string;
  readonly can: ExecutorAbilities;
  /** Finds what it needs and sweeps leftovers of dead runs; throws EXEC_* AppErrors that say what is missing. */
  open(ask: Ask): Promise<void>;
  /** What may run at the same time here. */
  capacity(): { readonly cpu: number; readonly memoryBytes: number; readonly gpu: number };
  /** Identity of the environment for keys of tasks without an image (host executor); undefined = none. */
  environmentIdentity(): string | undefined;
  /**
   * The host path of the program that a task without an image would run under this name, given what it changes of the
   * environment; undefined when there is none. Absent where tasks always have an image.
   */
  programPath?(name: string, env: Readonly<Record<string, string>>): Promise<string | undefined>;
  /**
   * Places the inputs of an attempt that may be started soon, so that its start takes less; `start` has to be given the same
   * object then. An attempt that is never started leaves its directory. Absent where a start would gain nothing.
   */
  place?(attempt: Attempt, ask: Ask): Promise<"placed" | "not placed">;
  /** Starts it, or adopts it when an attempt of this id exists already. Resolves when started. */
  start(attempt: Attempt, ask: Ask): Promise<void>;
  /** Waits for the end; aborting the Ask stops the attempt (TERM, then KILL) and answers `cancelled`. */
  wait(attempt: Attempt, ask: Ask): Promise<AttemptEnd>;
  /** What is known of an attempt that an earlier process may have started. */
  state(attempt: Attempt, ask: Ask): Promise<AttemptState>;
  /**
   * Brings a regular file out of the file system of the attempt's container, between its end and its removal; paths that
   * have a host path are not asked for. Absent where tasks have no separate file system.
   * @throws AppError EXEC_ENGINE_FAILED when the container no longer exists already
   */
  copyOut?(attempt: Attempt, taskPath: string, ask: Ask): Promise<Brought>;
  /** The files of an ended attempt, until its removal. Needed where files are not shared, and not asked otherwise. */
  filesOf?(attempt: Attempt, ask: Ask): AttemptFiles;
  /** The container engine that a document is written for; the user's choice comes first. Before the first image is asked for. */
  preferEngine?(name: string): void;
  /** Frees what the engine keeps of it (containers); the directory stays. */
  remove(attempt: Attempt, ask: Ask): Promise<void>;
  /** Attempts continue where they survive, and end where not; a `wait` that is under way throws RUN_INTERRUPTED or ends. */
  close(): Promise<void>;
}

export interface ImageOrder {
  readonly recipe: ImageRecipe;
  /** Equal for equal recipes with equal archives. */
  readonly identity: string;
  /** Host path of the archive, which is brought here if need be. */
  archive(): Promise<string>;
}

/** Resolves image references, once per run and image. */
export interface ImageResolver {
  /** Throws EXEC_IMAGE_* AppErrors: not found, refused, unreachable. */
  pin(requested: string, ask: Ask): Promise<PinnedImage>;
  /** Makes sure that the image of a recipe is there. Throws as `pin` does. */
  make(order: ImageOrder, ask: Ask): Promise<PinnedImage>;
  /** Answers for images that were pinned here. Throws as `pin` does. */
  startOf(image: PinnedImage, ask: Ask): Promise<ImageStart>;
}
