/**
 * Runs tasks as local processes, with or without a bubblewrap sandbox around each. Every task is the root of
 * a process group that ends when it ends, when it is stopped, and when Memoir dies, by kill -9 too.
 *
 * Without a sandbox tasks see the machine as it is. Where the kernel lets us, a guard (guard.ts) mounts their inputs
 * read-only and hides other processes; elsewhere they get copies of their inputs.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { AppError, type Ask, bytesOfText, checkAsk, freshAsk, nameOfBytes } from "../../kernel/index.ts";
import { createGroupStarter, findProgram, type GroupStarter, runProgram } from "../../process/index.ts";
import { taskRoot } from "../../task/index.ts";
import {
  type Attempt,
  type AttemptEnd,
  type AttemptState,
  attemptPaths,
  type Executor,
  type ExecutorAbilities,
  environmentIdentity,
  type InputMount,
  identityTools,
  type PrepareOptions,
  perlWrapper,
  placeOf,
  prepareAttempt,
  readAttemptEnd,
  type Staging,
  type StopReason,
  settleInputs,
  stoppedEnd,
  substituteTaskRoot,
  taskEnvironment,
  wrapperArguments,
  wrapperScript,
  writeStopMark,
} from "../core/index.ts";
import { findGuard, guardTable } from "./guard.ts";
import { readEnd } from "./read-end.ts";
import { type SandboxView, sandboxArguments, sandboxView } from "./sandbox.ts";
import { TaskCgroups } from "./task-cgroup.ts";

export interface HostExecutorOptions {
  /** Hide undeclared files and the network from tasks; needs bubblewrap. */
  readonly isolate: boolean;
  /** This process's environment; tasks get PATH, the locale and few more of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Processors to hand out. Default: all that this process may use. */
  readonly cpu?: number;
  /** Memory to hand out. Default: all of the machine. */
  readonly memoryBytes?: number;
  /** GPUs to hand out. Default 0. */
  readonly gpu?: number;
  /** Milliseconds between TERM and KILL. Default 10000. */
  readonly graceMs?: number;
  /**
   * `auto`: inputs are mounted read-only and other processes hidden, where that works. `off`: never; inputs are copied.
   * Default `auto`.
   */
  readonly guard?: "auto" | "off";
  /** Input files of at most this many bytes are copied rather than mounted. Default 1 MiB. */
  readonly copyUpToBytes?: number;
  /** Gets a message for people when tasks cannot be guarded. */
  readonly say?: (words: string) => void;
  /** Folders that isolated tasks see read-only, in addition to the system's and those of PATH. */
  readonly visibleFolders?: readonly string[];
  /** Tools whose versions enter the environment's identity, in addition to common interpreters. */
  readonly tools?: readonly string[];
}

interface Running {
  readonly ended: Promise<AttemptEnd>;
  readonly stop: (reason: StopReason) => Promise<void>;
}

/** What tasks without a sandbox are started with. */
interface Starting {
  /** undefined where there is no bash. */
  readonly starter?: GroupStarter;
  readonly isGuarded: boolean;
}

interface Placed {
  /** The attempt's directory as the task has it in texts. */
  readonly root: string;
  readonly rewrite: (text: string) => string;
  readonly staging: Staging;
}

interface Sandbox {
  readonly program: string;
  readonly view: SandboxView;
  /** Words before the shell that give TERM its meaning back; empty where `env` cannot. */
  readonly unignore: readonly string[];
}

export function createHostExecutor(options: HostExecutorOptions): Executor {
  return new HostExecutor(options);
}

/** Paths of other characters are replaced by a link, since scripts rarely quote what the task root becomes. */
const plainPath = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** What bash neither refuses to set nor takes for itself; other variables are set by `env`. */
const plainVariable =
  /^(?!(?:BASH\w*|UID|EUID|PPID|GROUPS|SHELLOPTS|SHLVL|PWD|OLDPWD|IFS|ENV|POSIXLY_CORRECT|DIRSTACK|FUNC\w+|S?RANDOM|SECONDS|EPOCH\w+|LINENO|OPT\w+|HIST\w*|COMP\w*|MAIL\w*|TMOUT|GLOBIGNORE|EXECIGNORE|CHILD_MAX|LC_\w+|LANG\w*|_)$)[A-Za-z_][A-Za-z0-9_]*$/;

/** Copying it costs less than mounting it, and the task may change its copy. */
const defaultCopyBytes = 1 << 20;

class HostExecutor implements Executor {
  readonly name = "host";
  readonly #options: HostExecutorOptions;
  readonly #env: Readonly<Record<string, string>>;
  readonly #running = new Map<string, Running>();
  #cgroups: TaskCgroups | undefined;
  /** Not for sandboxed tasks. Made for the first task: a run whose calls are all reused needs none. */
  #starting: Promise<Starting> | undefined;
  /** File systems that cannot share blocks. */
  readonly #unshared = new Set<string>();
  /** What `place` has placed and nobody has started yet. */
  readonly #placed = new WeakMap<Attempt, Placed>();
  #sandbox: Sandbox | undefined;
  #identity: string | undefined;
  #aliases: string | undefined;

  constructor(options: HostExecutorOptions) {
    this.#options = options;
    this.#env = taskEnvironment(options.env);
  }

  get can(): ExecutorAbilities {
    const { isolate } = this.#options;
    return {
      containers: false,
      survives: false,
      mountsTaskRoot: isolate,
      limitsMemory: this.#cgroups !== undefined,
      sharesFiles: true,
      isolates: isolate,
    };
  }

  /** @throws AppError EXEC_ISOLATION_UNAVAILABLE when isolation is wanted and bubblewrap is missing or refused. */
  async open(ask: Ask): Promise<void> {
    if (this.#options.isolate) this.#sandbox = await this.#openSandbox(ask);
    this.#cgroups = await TaskCgroups.open();
    const tools = [...identityTools, ...(this.#options.tools ?? [])];
    this.#identity = await environmentIdentity({
      env: this.#env,
      isolate: this.#options.isolate,
      tools: [...new Set(tools)],
    });
  }

  #once(): Promise<Starting> {
    if (this.#starting !== undefined) return this.#starting;
    const starting = this.#start();
    this.#starting = starting;
    // The next task tries again.
    starting.catch(() => {
      this.#starting = undefined;
    });
    return starting;
  }

  async #start(): Promise<Starting> {
    const { env, guard } = this.#options;
    const say = (why: string) =>
      this.#options.say?.(
        `tasks are not guarded here (${why}): their inputs are copied, and they see the environment of other processes of their user`,
      );
    const [perl, bash] = await Promise.all([findProgram("perl", env, "/"), findProgram("bash", env, "/")]);
    const own = { env: this.#env, graceMs: this.#graceMs };
    const options =
      perl !== undefined
        ? ({ ...own, shell: { kind: "perl", path: perl }, script: perlWrapper } as const)
        : bash !== undefined
          ? ({ ...own, shell: { kind: "bash", path: bash }, script: wrapperScript } as const)
          : undefined;
    if (options === undefined) {
      say("neither perl nor bash is on PATH");
      return { isGuarded: false };
    }
    if (guard === "off") say("--no-guard");
    else {
      const found = await findGuard(env);
      if (found.kind === "found") {
        const starter = createGroupStarter({ ...options, guard: found.guard });
        const why = await starter.open();
        if (why === undefined) return { starter, isGuarded: true };
        await starter.close();
        say(why);
      } else say(found.why);
    }
    const starter = createGroupStarter(options);
    const why = await starter.open();
    if (why === undefined || bash === undefined || perl === undefined) return { starter, isGuarded: false };
    // A perl that does not work.
    await starter.close();
    const shell = { kind: "bash", path: bash } as const;
    return { starter: createGroupStarter({ ...own, shell, script: wrapperScript }), isGuarded: false };
  }

  get #graceMs(): number {
    return this.#options.graceMs ?? 10_000;
  }

  async #openSandbox(ask: Ask): Promise<Sandbox> {
    const program = await findProgram("bwrap", this.#options.env, "/");
    if (program === undefined)
      throw new AppError("EXEC_ISOLATION_UNAVAILABLE", "isolating tasks: bwrap is not on PATH");
    const { env } = this.#options;
    const view = await sandboxView(
      this.#env["PATH"] ?? "",
      env["HOME"] ?? "/",
      this.#options.visibleFolders ?? [],
    );
    const trial = (words: readonly string[]) =>
      this.#tryCommand(
        program,
        [...sandboxArguments(trialRequest(view)), ...words, "/bin/sh", "-c", ":"],
        ask,
      );
    const unignore = ["/usr/bin/env", "--default-signal=TERM,INT"];
    if ((await trial(unignore)) === "") return { program, view, unignore };
    const words = await trial([]);
    if (words === "") return { program, view, unignore: [] };
    throw new AppError("EXEC_ISOLATION_UNAVAILABLE", `isolating tasks: ${program} fails here: ${words}`);
  }

  /** Empty when it worked, else why not. */
  async #tryCommand(command: string, args: readonly string[], ask: Ask): Promise<string> {
    const outcome = await runProgram({ command, args, cwd: "/", env: this.#env, timeoutMs: 30_000 }, ask);
    if (outcome.kind === "exited" && outcome.exitCode === 0) return "";
    return outcome.stderr.trim() || outcome.kind;
  }

  capacity() {
    return {
      cpu: this.#options.cpu ?? availableParallelism(),
      memoryBytes: this.#options.memoryBytes ?? totalmem(),
      gpu: this.#options.gpu ?? 0,
    };
  }

  environmentIdentity(): string | undefined {
    return this.#identity;
  }

  /** A path inside the working directory is an input, or made by the task itself. */
  async programPath(name: string, env: Readonly<Record<string, string>>): Promise<string | undefined> {
    if (name.includes("/") && !name.startsWith("/")) return undefined;
    return findProgram(name, { ...this.#env, ...env }, "/");
  }

  /** Only small copies and empty files to mount on: nobody should wait, or lack room, for what may never start. */
  async place(attempt: Attempt, ask: Ask): Promise<"placed" | "not placed"> {
    const isLarge = attempt.copyInputs === true || attempt.inputs.some(({ writable }) => writable === true);
    if (this.#sandbox !== undefined || isLarge) return "not placed";
    const { isGuarded } = await this.#once();
    if (!isGuarded || this.#running.has(attempt.id)) return "not placed";
    this.#placed.set(attempt, await this.#prepared(attempt, isGuarded, ask));
    return "placed";
  }

  async #prepared(attempt: Attempt, isGuarded: boolean, ask: Ask): Promise<Placed> {
    const isPlain = this.#sandbox === undefined;
    const root = isPlain ? await this.#plainRoot(attempt.directory) : taskRoot;
    const rewrite = (text: string) => (root === taskRoot ? text : substituteTaskRoot(text, root));
    const staging = await prepareAttempt(
      attempt,
      {
        ...this.#stagingOptions(isPlain, isGuarded),
        // A link needs no name that scripts can leave unquoted.
        ...(isPlain ? { root: attempt.directory } : {}),
        rewrite,
      },
      ask,
    );
    return { root, rewrite, staging };
  }

  async start(attempt: Attempt, ask: Ask): Promise<void> {
    if (this.#running.has(attempt.id)) return;
    let reportBegun: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      reportBegun = resolve;
    });
    const stop = new AbortController();
    const ended = this.#run(attempt, stop.signal, reportBegun, ask);
    // Kept here and not read from the directory, which is the task's to write to.
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    ended.then(over, over);
    const running: Running = {
      ended,
      stop: async (reason) => {
        if (isOver) return;
        over();
        await writeStopMark(attempt.directory, reason);
        stop.abort(reason);
      },
    };
    this.#running.set(attempt.id, running);
    // Whatever prevents its start is reported here, and the attempt may be started again.
    const failed = ended.then(
      () => {},
      (error: unknown) => {
        this.#running.delete(attempt.id);
        throw error;
      },
    );
    await Promise.race([begun, failed]);
    failed.catch(() => {});
  }

  async #run(attempt: Attempt, stop: AbortSignal, begun: () => void, ask: Ask): Promise<AttemptEnd> {
    const earlier = await readAttemptEnd(attempt.directory, { wallSeconds: 0 });
    if (earlier !== undefined) return earlier;
    checkAsk(ask, `starting ${attempt.id}`);
    const isPlain = this.#sandbox === undefined;
    const { starter, isGuarded } = isPlain ? await this.#once() : { isGuarded: false };
    const ahead = this.#placed.get(attempt);
    this.#placed.delete(attempt);
    const { root, rewrite, staging } = ahead ?? (await this.#prepared(attempt, isGuarded, ask));
    const table = isGuarded ? await this.#table(attempt, staging, ask) : "";
    const cgroup = this.#cgroups?.make(attempt.id, attempt.resources.memoryBytes) ?? "";
    const startedAt = performance.now();
    try {
      const script = this.#script(attempt, root, rewrite);
      const command = [...attempt.shell, script];
      const declared = isPlain ? { ...ownFolders(root), ...attempt.env } : attempt.env;
      const own = Object.entries(declared).map(([name, value]) => [name, rewrite(value)] as const);
      const stopAsk = { signal: stop };
      const outcome =
        starter === undefined
          ? await runProgram(
              {
                ...this.#program(attempt, staging.mounts, cgroup, root, command),
                cwd: attempt.directory,
                env: this.#taskEnv(own),
                stdout: { kind: "discard" },
                stderr: { kind: "discard" },
                graceMs: this.#graceMs,
                onStart: begun,
              },
              stopAsk,
            )
          : await starter.run(
              { words: [root, "host", cgroup, ...startWords(own, command)], mounts: table },
              begun,
              stopAsk,
            );
      const outOfMemory = (await this.#cgroups?.end(attempt.id, freshAsk())) ?? false;
      if (outcome.kind === "unmounted") {
        this.#options.say?.(`inputs of ${attempt.id} are copied: mounting them failed (${outcome.words})`);
        return await this.#run({ ...attempt, copyInputs: true }, stop, begun, ask);
      }
      await settleInputs(attempt, staging);
      const wallSeconds = (performance.now() - startedAt) / 1000;
      const end = await readEnd(attempt, outcome, { wallSeconds, outOfMemory });
      return stop.aborted ? stoppedEnd(end, stop.reason) : end;
    } catch (error) {
      await this.#cgroups?.end(attempt.id, freshAsk());
      throw error;
    }
  }

  #stagingOptions(isPlain: boolean, isGuarded: boolean): PrepareOptions {
    if (!isPlain) return { inputs: "mount-points" };
    if (!isGuarded) return { inputs: "copies" };
    const { copyUpToBytes = defaultCopyBytes } = this.#options;
    return { inputs: "mount-points", copyUpToBytes, unshared: this.#unshared };
  }

  #table(attempt: Attempt, { mounts }: Staging, ask: Ask): Promise<string> {
    const { directory } = attempt;
    return guardTable(mounts, { directory, placeOf: (target) => placeOf(directory, target) }, ask);
  }

  /** The attempt's directory under a name that needs no quoting. */
  async #plainRoot(directory: string): Promise<string> {
    if (plainPath.test(directory)) return directory;
    this.#aliases ??= await mkdtemp(join(tmpdir(), "memoir-paths-"));
    const alias = join(await mkdtemp(join(this.#aliases, "p")), "attempt");
    await symlink(directory, alias);
    return alias;
  }

  /** The path of the script as the task sees it; the engine's own file where nothing in it has to change. */
  #script(attempt: Attempt, root: string, rewrite: (text: string) => string): string {
    const host = attemptPaths(attempt.directory);
    if (root === taskRoot) return attemptPaths(root).command;
    // Bytes that are not UTF-8 stay: they are names of files.
    const text = nameOfBytes(readFileSync(host.command));
    const changed = rewrite(text);
    if (changed === text) return attemptPaths(root).command;
    writeFileSync(host.hostCommand, bytesOfText(changed));
    return attemptPaths(root).hostCommand;
  }

  #program(
    attempt: Attempt,
    mounts: readonly InputMount[],
    cgroup: string,
    root: string,
    command: readonly string[],
  ): { readonly command: string; readonly args: readonly string[] } {
    if (this.#sandbox === undefined)
      return { command: "/bin/sh", args: wrapperArguments(root, { kind: "host", cgroup }, command) };
    const { program, view, unignore } = this.#sandbox;
    const { directory, network } = attempt;
    const ignoreTerm = unignore.length > 0 ? 'trap "" TERM INT;' : "";
    // bubblewrap would die of TERM and take the task along before it could clean up; so it ignores it, and `env` gives
    // the signal its meaning back inside.
    const enter = `${ignoreTerm} [ -z "$1" ] || echo $$ > "$1/cgroup.procs" || exit 125; shift; exec "$@"`;
    return {
      command: "/bin/sh",
      args: [
        ...["-c", enter, "memoir-sandbox", cgroup, program],
        ...sandboxArguments({ view, directory, mounts, network, cgroup }),
        ...unignore,
        "/bin/sh",
        ...wrapperArguments(root, { kind: "sandbox", cgroup }, command),
      ],
    };
  }

  #taskEnv(own: readonly (readonly [name: string, value: string])[]): Record<string, string> {
    const isolated = this.#sandbox === undefined ? {} : { HOME: "/tmp", TMPDIR: "/tmp" };
    return { ...this.#env, ...isolated, ...Object.fromEntries(own) };
  }

  async wait(attempt: Attempt, ask: Ask): Promise<AttemptEnd> {
    const running = this.#running.get(attempt.id);
    if (running === undefined) {
      const end = await readAttemptEnd(attempt.directory, { wallSeconds: 0 });
      return end ?? { kind: "lost", message: `${attempt.id} does not run here and left no exit code` };
    }
    const stopping: Promise<void>[] = [];
    const onAbort = () => stopping.push(running.stop("cancelled"));
    const timer =
      attempt.timeoutMs === undefined || attempt.timeoutMs >= 2 ** 31
        ? undefined
        : setTimeout(() => stopping.push(running.stop("timed-out")), attempt.timeoutMs);
    ask.signal.addEventListener("abort", onAbort, { once: true });
    if (ask.signal.aborted) onAbort();
    try {
      const end = await running.ended;
      await Promise.all(stopping);
      return end;
    } finally {
      clearTimeout(timer);
      ask.signal.removeEventListener("abort", onAbort);
    }
  }

  async state(attempt: Attempt, _ask: Ask): Promise<AttemptState> {
    const end = await readAttemptEnd(attempt.directory, { wallSeconds: 0 });
    const running = this.#running.get(attempt.id);
    // A stop mark is there as soon as the stopping begins.
    if (running !== undefined && (end === undefined || end.kind !== "exited")) {
      const pending = Symbol("pending");
      const now = await Promise.race([running.ended, Promise.resolve(pending)]);
      return typeof now === "symbol" ? { kind: "running" } : { kind: "ended", end: now };
    }
    return end === undefined ? { kind: "unknown" } : { kind: "ended", end };
  }

  async remove(attempt: Attempt, _ask: Ask): Promise<void> {
    this.#running.delete(attempt.id);
  }

  async close(): Promise<void> {
    const running = [...this.#running.values()];
    await Promise.all(running.map(({ stop }) => stop("cancelled")));
    await Promise.allSettled(running.map(({ ended }) => ended));
    await (await this.#starting)?.starter?.close();
    await this.#cgroups?.close();
    if (this.#aliases !== undefined) await rm(this.#aliases, { recursive: true, force: true });
  }
}

/** What tools keep in their user's home would decide results; what one task leaves there another must not find. */
function ownFolders(root: string): Readonly<Record<string, string>> {
  const { tmp } = attemptPaths(root);
  return { HOME: tmp, TMPDIR: tmp };
}

/** Words of the wrapper after the control group: variables, and the command behind those that bash cannot set. */
function startWords(
  own: readonly (readonly [name: string, value: string])[],
  command: readonly string[],
): readonly string[] {
  const text = ([name, value]: readonly [string, string]) => `${name}=${value}`;
  const plain = own.filter(([name]) => plainVariable.test(name)).map(text);
  const odd = own.filter(([name]) => !plainVariable.test(name)).map(text);
  return ["start", ...plain, "--", ...(odd.length === 0 ? [] : ["/usr/bin/env", ...odd]), ...command];
}

function trialRequest(view: SandboxView) {
  return { view, directory: tmpdir(), mounts: [], network: false, cgroup: "" };
}
