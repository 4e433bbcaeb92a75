/**
 * Runs tasks in containers of Apptainer (or Singularity) on this machine. There is no daemon to ask: each attempt has a script
 * in its own session, the one that jobs of schedulers have, which publishes the exit code. So attempts outlive Memoir,
 * and a later Memoir finds them by the process that the script has written down.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { AppError, type Ask, bytesOfText, checkAsk, onDisk, SingleFlight } from "../../kernel/index.ts";
import {
  type Attempt,
  type AttemptEnd,
  type AttemptState,
  apptainerLines,
  attemptPaths,
  attemptText,
  containerMounts,
  type Executor,
  type ExecutorAbilities,
  ensureStreams,
  environmentScript,
  isClaimed,
  jobPaths,
  jobScript,
  type PinnedImage,
  prepareAttempt,
  quoted,
  readAttemptEnd,
  readJobFile,
  readSubmissionLines,
  requestJobEnd,
  type Staging,
  type StopReason,
  settleInputs,
  stoppedEnd,
  type Usage,
  unsettableVariable,
  WatchLoop,
  withSpoiled,
  writeStopMark,
  writeSubmissionLines,
} from "../core/index.ts";
import { isPlainHttp } from "../images/index.ts";

export type ApptainerName = "apptainer" | "singularity";

export interface ApptainerExecutorOptions {
  readonly name: ApptainerName;
  /** Absolute path of the program. */
  readonly program: string;
  /** This process's environment: the program reads credentials and its cache's folder from it; tasks get nothing of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds between TERM and KILL. Default 10000. */
  readonly graceMs?: number;
}

const pollMs = 50;
/** Between the claim of an attempt and the line that says which process has it. */
const claimMs = 10_000;
const logTailBytes = 2_000;

export function createApptainerExecutor(options: ApptainerExecutorOptions): Executor {
  return new ApptainerExecutor(options);
}

class ApptainerExecutor implements Executor {
  readonly name: string;
  readonly can: ExecutorAbilities = {
    containers: true,
    survives: true,
    mountsTaskRoot: true,
    limitsMemory: false,
    sharesFiles: true,
    isolates: false,
  };
  readonly #options: ApptainerExecutorOptions;
  readonly #starting = new SingleFlight<void>();
  /** Scripts that were started here and have not ended. */
  readonly #scripts = new Map<string, ChildProcess>();
  readonly #staged = new Map<string, Staging>();
  readonly #loop = new WatchLoop<Attempt, void>({ pollMs, look: (attempts) => this.#look(attempts) });

  constructor(options: ApptainerExecutorOptions) {
    this.#options = options;
    this.name = options.name;
  }

  async open(): Promise<void> {}

  capacity() {
    return { cpu: availableParallelism(), memoryBytes: totalmem(), gpu: 0 };
  }

  environmentIdentity(): string | undefined {
    return undefined;
  }

  start(attempt: Attempt, ask: Ask): Promise<void> {
    return this.#starting.run(attempt.id, () => this.#start(attempt, ask));
  }

  async #start(attempt: Attempt, ask: Ask): Promise<void> {
    const { directory, image, timeoutMs } = attempt;
    if ((await readAttemptEnd(directory, { wallSeconds: 0 })) !== undefined) return;
    if (this.#scripts.has(attempt.id) || isClaimed(directory)) return;
    if (image === undefined)
      throw new AppError("EXEC_IMAGE_NOT_FOUND", `starting ${attempt.id}: it names no image`);
    await this.#prepare(attempt, image, ask);
    checkAsk(ask, `starting ${attempt.id}`);
    const token = randomBytes(10).toString("hex");
    // An earlier start whose script has not come to claim the attempt finds another token, and leaves.
    writeSubmissionLines(directory, [token]);
    const text = jobScript({
      attempt: attemptText({ directory, timeoutMs }),
      submission: token,
      graceMs: this.#options.graceMs ?? 10_000,
      began: '"$$"',
      hasWatcher: true,
    });
    const script = scriptPath(directory);
    writeFileSync(onDisk(script), bytesOfText(text), { mode: 0o700 });
    await this.#spawn(attempt.id, directory, script);
  }

  async #prepare(attempt: Attempt, image: PinnedImage, ask: Ask): Promise<void> {
    const { directory } = attempt;
    const odd = unsettableVariable(attempt.env);
    if (odd !== undefined)
      throw new AppError(
        "EXEC_JOB_REFUSED",
        `starting ${attempt.id}: ${JSON.stringify(odd)} is not a name of a variable that a shell can set`,
      );
    const staging = await prepareAttempt(attempt, { inputs: "mount-points" }, ask);
    this.#staged.set(attempt.id, staging);
    const isRoot = process.getuid?.() === 0;
    const paths = jobPaths(directory);
    mkdirSync(onDisk(paths.folder), { recursive: true });
    writeFileSync(onDisk(paths.contained), "");
    const env = isRoot ? attempt.env : { HOME: "/tmp", ...attempt.env };
    writeFileSync(onDisk(paths.env), bytesOfText(environmentScript(env)), { mode: 0o600 });
    const task = {
      attempt,
      image,
      mounts: containerMounts(attempt, staging.mounts),
      isRoot,
      plainHttp: isPlainHttp(image.reference),
    };
    writeFileSync(onDisk(paths.run), bytesOfText(apptainerLines(quoted(this.#options.program), task)));
  }

  async #spawn(id: string, directory: string, script: string): Promise<void> {
    const log = openSync(onDisk(jobPaths(directory).log), "a", 0o600);
    try {
      const child = spawn("/bin/sh", [script], {
        cwd: "/",
        detached: true,
        env: { ...this.#options.env },
        stdio: ["ignore", log, log],
      });
      await once(child, "spawn");
      child.unref();
      this.#scripts.set(id, child);
      child.on("exit", () => {
        this.#scripts.delete(id);
        this.#loop.wake();
      });
    } finally {
      closeSync(log);
    }
  }

  async #look(attempts: readonly Attempt[]): Promise<boolean> {
    let hasChanged = false;
    for (const attempt of attempts)
      if (!this.#isAlive(attempt)) {
        this.#loop.settle(attempt, undefined);
        hasChanged = true;
      }
    return hasChanged;
  }

  /** Whether the attempt's script runs, whoever has started it. */
  #isAlive({ id, directory }: Attempt): boolean {
    if (this.#scripts.has(id)) return true;
    const pid = readJobFile(jobPaths(directory).began).trim();
    if (/^\d+$/.test(pid)) return wordsOf(pid).includes(scriptPath(directory));
    const claim = statSync(onDisk(jobPaths(directory).claim), { throwIfNoEntry: false });
    return claim !== undefined && Date.now() - claim.mtimeMs < claimMs;
  }

  async wait(attempt: Attempt, ask: Ask): Promise<AttemptEnd> {
    const { directory, id } = attempt;
    if (!this.#isAlive(attempt)) return this.#conclude(attempt, { stopped: undefined, wallSeconds: 0 });
    const began = performance.now();
    let stopped: StopReason | undefined;
    const onAbort = () => {
      stopped = "cancelled";
      const end = () => requestJobEnd(directory);
      void writeStopMark(directory, "cancelled").then(end, end);
    };
    ask.signal.addEventListener("abort", onAbort, { once: true });
    if (ask.signal.aborted) onAbort();
    try {
      await this.#loop.add(attempt);
      return await this.#conclude(attempt, { stopped, wallSeconds: (performance.now() - began) / 1000 });
    } finally {
      ask.signal.removeEventListener("abort", onAbort);
      this.#staged.delete(id);
    }
  }

  async #conclude(
    attempt: Attempt,
    { stopped, wallSeconds }: { readonly stopped: StopReason | undefined; readonly wallSeconds: number },
  ): Promise<AttemptEnd> {
    if (existsSync(onDisk(attempt.directory))) await settleInputs(attempt, this.#staged.get(attempt.id));
    const end = await readContainedEnd(attempt, wallSeconds);
    if (stopped === undefined) return end;
    return end.kind === "lost" ? { kind: "cancelled" } : stoppedEnd(end, stopped);
  }

  async state(attempt: Attempt, _ask: Ask): Promise<AttemptState> {
    const { directory } = attempt;
    const recorded = await readAttemptEnd(directory, { wallSeconds: 0 });
    if (recorded !== undefined) return { kind: "ended", end: recorded };
    if (this.#isAlive(attempt)) return { kind: "running" };
    if (!isClaimed(directory) || readSubmissionLines(directory)[0] === "") return { kind: "unknown" };
    return { kind: "ended", end: await readContainedEnd(attempt, 0) };
  }

  async remove(attempt: Attempt): Promise<void> {
    this.#staged.delete(attempt.id);
  }

  /** Attempts continue; whoever waits for one here gets RUN_INTERRUPTED. */
  async close(): Promise<void> {
    await this.#loop.close(
      new AppError("RUN_INTERRUPTED", `closing the executor of ${this.name}; its tasks keep running`),
    );
  }
}

async function readContainedEnd(attempt: Attempt, wallSeconds: number): Promise<AttemptEnd> {
  const { directory, image, id } = attempt;
  const recorded = await readAttemptEnd(directory, { wallSeconds });
  if (recorded !== undefined) return withSpoiled(recorded, directory);
  const hadStreams = existsSync(onDisk(attemptPaths(directory).stdout));
  const why = readJobFile(jobPaths(directory).end).trim();
  const usage: Usage = { wallSeconds, cpuSeconds: null, maxRssBytes: null, source: "none" };
  // The wrapper never came to open the streams: there was no shell to run it.
  if (why === "unstarted 127" && !hadStreams) {
    await ensureStreams(directory, `memoir: image ${image?.requested} has no /bin/sh that can be run\n`);
    return { kind: "exited", exitCode: 127, outOfMemory: false, usage };
  }
  if (existsSync(onDisk(directory))) await ensureStreams(directory).catch(() => {});
  if (why === "timed-out") return { kind: "timed-out", usage };
  const log = readJobFile(jobPaths(directory).log).slice(-logTailBytes).trim();
  const own = why === "outside" ? " was ended from outside" : why === "" ? " vanished" : ` ended (${why})`;
  return { kind: "lost", message: `${id}${own} and left no exit code${log === "" ? "" : `: ${log}`}` };
}

function scriptPath(directory: string): string {
  return `${jobPaths(directory).folder}/script`;
}

/** Of a process that runs; empty for one that has ended, also where nobody has taken notice of its end. */
function wordsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // it has ended
  }
}
