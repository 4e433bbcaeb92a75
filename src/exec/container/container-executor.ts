/**
 * Runs tasks in containers of Docker or Podman. The engine is asked for as little as possible: it starts and ends
 * containers; exit code, streams and figures come from the attempt's directory, which is mounted as the task root.
 *
 * Containers outlive Memoir. Their name is the attempt's id, so starting twice is starting once, and a later Memoir
 * finds them again. They are removed after their end has been read, never by the engine itself.
 */
import { stat } from "node:fs/promises";
import {
  AppError,
  type Ask,
  checkAsk,
  freshAsk,
  invariant,
  isAppError,
  pause,
  Semaphore,
  SingleFlight,
  withTimeout,
} from "../../kernel/index.ts";
import type { Brought } from "../../task/index.ts";
import {
  type Attempt,
  type AttemptEnd,
  type AttemptState,
  attemptHostPath,
  attemptPaths,
  type Executor,
  type ExecutorAbilities,
  ensureStreams,
  placeOf,
  prepareAttempt,
  readAttemptEnd,
  readExitCode,
  type Staging,
  type StopReason,
  settleInputs,
  stoppedEnd,
  withSpoiled,
  writeStopMark,
} from "../core/index.ts";
import { containerSpec, type SpecOptions } from "./container-spec.ts";
import type { ContainerEngine, ContainerState } from "./engine.ts";
import type { ImageStore } from "./image-store.ts";
import { labels, mayBeAlive, thisOwner } from "./labels.ts";

export interface ContainerExecutorOptions {
  readonly engine: ContainerEngine;
  /** Brings images that are not there yet. */
  readonly images: ImageStore;
  /** Who should own the outputs. Default: this process's user and group. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** What a task that asks for network gets: the engine's default network, or the host's. Default `default`. */
  readonly network?: "default" | "host";
  /** Processes and threads that a task may have. Default 8192. */
  readonly pids?: number;
  /** Milliseconds between TERM and KILL. Default 10000. */
  readonly graceMs?: number;
  /** Milliseconds that an engine may be away (restarted) before its attempts count as lost. Default 60000. */
  readonly engineAwayMs?: number;
  /** Number of GPUs to hand out. Default 0. */
  readonly gpu?: number;
}

/** Starting is mostly the engine's work; more at once only makes each one slower. */
const startsAtOnce = 4;
const engineLimitMs = 300_000;
const mostLinks = 40;

/** The engine is closed with the executor. */
export function createContainerExecutor(options: ContainerExecutorOptions): Executor {
  return new ContainerExecutor(options);
}

class ContainerExecutor implements Executor {
  readonly name: string;
  readonly can: ExecutorAbilities;
  readonly #engine: ContainerEngine;
  readonly #images: ImageStore;
  readonly #options: ContainerExecutorOptions;
  readonly #starts = new Semaphore(startsAtOnce);
  readonly #starting = new SingleFlight<void>();
  /** How inputs of attempts that were started here were placed. */
  readonly #staged = new Map<string, Staging>();
  readonly #closing = new AbortController();
  #init = true;
  #owner = "";

  constructor(options: ContainerExecutorOptions) {
    const { engine } = options;
    this.#engine = engine;
    this.#images = options.images;
    this.#options = options;
    this.name = engine.facts.kind;
    this.can = {
      containers: true,
      survives: true,
      mountsTaskRoot: true,
      limitsMemory: engine.facts.limits.memory,
      sharesFiles: true,
      isolates: true,
    };
  }

  async open(ask: Ask): Promise<void> {
    this.#owner = await thisOwner();
    await this.#sweep(ask);
  }

  /**
   * Removes what dead processes left: containers that have ended (their results are in their directories), and those
   * whose directory no longer exists. Running ones with a directory stay, so that their run can resume them.
   */
  async #sweep(ask: Ask): Promise<void> {
    for (const container of await this.#engine.list(labels.attempt, ask)) {
      const { [labels.owner]: owner = "", [labels.directory]: directory = "" } = container.labels;
      if (await mayBeAlive(owner)) continue;
      if (container.ended || !(await exists(directory))) await this.#engine.remove(container.name, ask);
    }
  }

  capacity() {
    const { cpu, memoryBytes } = this.#engine.facts;
    return { cpu, memoryBytes, gpu: this.#options.gpu ?? 0 };
  }

  environmentIdentity(): string | undefined {
    return undefined;
  }

  start(attempt: Attempt, ask: Ask): Promise<void> {
    return this.#starting.run(attempt.id, () => this.#start(attempt, ask));
  }

  async #start(attempt: Attempt, ask: Ask): Promise<void> {
    if ((await readExitCode(attempt.directory)) !== undefined) return;
    const existing = await this.#find(attempt, ask);
    if (existing !== undefined && existing.status !== "created") return;
    const release = await this.#starts.acquire();
    try {
      if (existing !== undefined) await this.#engine.remove(attempt.id, ask);
      const { ask: within, done } = withTimeout(ask, engineLimitMs);
      try {
        await this.#createAndStart(attempt, within);
      } finally {
        done();
      }
    } finally {
      release();
    }
  }

  /** @throws AppError EXEC_START_FAILED when a container of this name belongs to something else. */
  async #find(attempt: Attempt, ask: Ask): Promise<ContainerState | undefined> {
    const found = await this.#engine.inspect(attempt.id, ask);
    const directory = found?.labels[labels.directory];
    if (found === undefined || directory === attempt.directory) return found;
    throw new AppError(
      "EXEC_START_FAILED",
      `starting ${attempt.id}: a container of this name exists already and belongs to ${directory ?? "another program"}, not to ${attempt.directory}`,
    );
  }

  async #createAndStart(attempt: Attempt, ask: Ask): Promise<void> {
    invariant(attempt.image !== undefined, `attempt ${attempt.id} names the image to run in`);
    const staging = await prepareAttempt(attempt, { inputs: "mount-points" }, ask);
    const { mounts } = staging;
    this.#staged.set(attempt.id, staging);
    for (const init of this.#init ? [true, false] : [false]) {
      const spec = containerSpec(
        attempt,
        attempt.image.reference,
        mounts,
        this.#engine.facts,
        this.#specOptions(init),
      );
      let created = await this.#engine.create(spec, ask);
      if (created.kind === "no-image") {
        await this.#images.pull(attempt.image.reference, ask);
        created = await this.#engine.create(spec, ask);
      }
      if (created.kind === "exists") return;
      if (created.kind === "created") {
        const started = await this.#engine.start(attempt.id, ask);
        if (started.kind === "started") {
          this.#init = init;
          return;
        }
        await this.#engine.remove(attempt.id, ask);
        // An engine without its init program; the wrapper does as pid 1, too.
        if (init && /init/i.test(started.message)) continue;
        throw startFailed(attempt, started.message);
      }
      if (created.kind === "no-image")
        throw startFailed(
          attempt,
          `the engine has no image ${attempt.image.reference} although it was pulled`,
        );
      throw startFailed(attempt, created.message);
    }
  }

  #specOptions(init: boolean): SpecOptions {
    const user = this.#options.user ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    return {
      ...user,
      network: this.#options.network ?? "default",
      pids: this.#options.pids ?? 8192,
      init,
      owner: this.#owner,
    };
  }

  async wait(attempt: Attempt, ask: Ask): Promise<AttemptEnd> {
    const ended = this.#untilEnded(attempt, { signal: this.#closing.signal });
    ended.catch(() => {}); // awaited below, unless something else fails first
    const stop = new StopWatch(attempt, ask, (reason) => this.#stop(attempt, reason));
    try {
      stop.arm(await this.#startedAt(attempt));
      const state = await ended;
      const stopped = await stop.settled();
      const end = await this.#readEnd(attempt, state);
      return stopped === undefined ? end : stoppedEnd(end, stopped);
    } finally {
      stop.disarm();
    }
  }

  /** An adopted attempt has used up some of its time already. */
  async #startedAt(attempt: Attempt): Promise<number> {
    try {
      return (await this.#engine.inspect(attempt.id, freshAsk()))?.startedAt ?? Date.now();
    } catch (error) {
      if (isAppError(error, "EXEC_ENGINE_FAILED")) return Date.now();
      throw error;
    }
  }

  /** Survives an engine that goes away for a while. Answers undefined when there is no such container. */
  async #untilEnded(attempt: Attempt, ask: Ask): Promise<ContainerState | undefined | AppError> {
    let awaySince: number | undefined;
    for (let waitMs = 50; ; waitMs = Math.min(2 * waitMs, 2_000)) {
      try {
        await this.#engine.wait(attempt.id, ask);
        const state = await this.#engine.inspect(attempt.id, ask);
        if (state === undefined || state.status === "ended") return state;
        awaySince = undefined;
        // `created`, or running after all: ask again, but not in a busy loop.
        await pause(Math.min(waitMs, 200), ask);
      } catch (error) {
        if (!isAppError(error, "EXEC_ENGINE_FAILED")) throw error;
        awaySince ??= Date.now();
        if (Date.now() - awaySince > (this.#options.engineAwayMs ?? 60_000)) return error;
        await pause(waitMs, ask);
      }
    }
  }

  async #readEnd(attempt: Attempt, state: ContainerState | undefined | AppError): Promise<AttemptEnd> {
    const container = state instanceof AppError ? undefined : state;
    const wallSeconds = ((container?.finishedAt ?? 0) - (container?.startedAt ?? 0)) / 1000;
    const recorded = await readAttemptEnd(attempt.directory, {
      wallSeconds: Math.max(0, wallSeconds),
      outOfMemory: container?.outOfMemory ?? false,
    });
    if (recorded !== undefined || container !== undefined)
      await settleInputs(attempt, this.#staged.get(attempt.id));
    if (recorded !== undefined) return withSpoiled(recorded, attempt.directory);
    if (state instanceof AppError) return { kind: "lost", message: state.message };
    if (state === undefined)
      return { kind: "lost", message: `container ${attempt.id} disappeared without an exit code` };
    return endWithoutCode(attempt, state);
  }

  /** false when it had ended already. */
  async #stop(attempt: Attempt, reason: StopReason): Promise<boolean> {
    const ask = freshAsk();
    const state = await this.#engine.inspect(attempt.id, ask);
    if (state === undefined || state.status === "ended") return false;
    await writeStopMark(attempt.directory, reason);
    await this.#engine.kill(attempt.id, "SIGTERM", ask);
    const { ask: grace, done } = withTimeout(ask, this.#options.graceMs ?? 10_000);
    try {
      await this.#engine.wait(attempt.id, grace);
    } catch (error) {
      if (!grace.signal.aborted) throw error;
      await this.#engine.kill(attempt.id, "SIGKILL", ask);
    } finally {
      done();
    }
    return true;
  }

  async state(attempt: Attempt, ask: Ask): Promise<AttemptState> {
    const container = await this.#find(attempt, ask);
    if (container === undefined || container.status === "created") {
      const recorded = await readAttemptEnd(attempt.directory, { wallSeconds: 0 });
      return recorded === undefined ? { kind: "unknown" } : { kind: "ended", end: recorded };
    }
    if (container.status === "running") return { kind: "running" };
    return { kind: "ended", end: await this.#readEnd(attempt, container) };
  }

  async copyOut(attempt: Attempt, taskPath: string, ask: Ask): Promise<Brought> {
    const hostPath = placeOf(attempt.directory, taskPath);
    let path = taskPath;
    for (let links = 0; links <= mostLinks; links++) {
      const taken = await this.#engine.copyOut({ name: attempt.id, path, to: hostPath }, ask);
      switch (taken.kind) {
        case "file":
          return { kind: "file", hostPath };
        case "other":
          return { kind: "refused", what: taken.what };
        case "missing":
          if ((await this.#engine.inspect(attempt.id, ask)) !== undefined) return taken;
          throw new AppError(
            "EXEC_ENGINE_FAILED",
            `copying ${path} out of container ${attempt.id}: the container no longer exists`,
          );
        case "link":
          path = taken.target;
          if (attemptHostPath(attempt, path) !== undefined) return { kind: "leads", taskPath: path };
      }
    }
    return { kind: "refused", what: `a link that leads through more than ${mostLinks} links` };
  }

  async remove(attempt: Attempt, ask: Ask): Promise<void> {
    checkAsk(ask, `removing container ${attempt.id}`);
    this.#staged.delete(attempt.id);
    await this.#engine.remove(attempt.id, ask);
  }

  /** Tasks continue; whoever waits for one here gets RUN_INTERRUPTED. */
  async close(): Promise<void> {
    this.#closing.abort(
      new AppError("RUN_INTERRUPTED", `closing the ${this.name} executor; its tasks keep running`),
    );
    await this.#engine.close();
  }
}

/** The container ended, but the wrapper in it wrote no exit code. Never a success. */
async function endWithoutCode(attempt: Attempt, state: ContainerState): Promise<AttemptEnd> {
  const wallSeconds = Math.max(0, ((state.finishedAt ?? 0) - (state.startedAt ?? 0)) / 1000);
  const usage = { wallSeconds, cpuSeconds: null, maxRssBytes: null, source: "none" };
  if (state.outOfMemory) {
    await ensureStreams(attempt.directory);
    return { kind: "exited", exitCode: 137, outOfMemory: true, usage };
  }
  // The wrapper never came to open the streams: there was no shell to run it. Inits show that as 127, 126 or 1.
  if ([1, 126, 127].includes(state.exitCode) && !(await exists(attemptPaths(attempt.directory).stdout))) {
    const image = attempt.image?.requested ?? "";
    await ensureStreams(attempt.directory, `memoir: image ${image} has no /bin/sh that can be run\n`);
    return { kind: "exited", exitCode: 127, outOfMemory: false, usage };
  }
  return {
    kind: "lost",
    message: `container ${attempt.id} ended with ${state.exitCode} but left no exit code: it was killed from outside, the machine was restarted, or the disk is full`,
  };
}

/** Stops an attempt once, on cancellation or when its time is up. */
class StopWatch {
  readonly #attempt: Attempt;
  readonly #ask: Ask;
  readonly #stop: (reason: StopReason) => Promise<boolean>;
  #timer: NodeJS.Timeout | undefined;
  #stopping: Promise<StopReason | undefined> | undefined;
  readonly #onAbort = () => this.#run("cancelled");

  constructor(attempt: Attempt, ask: Ask, stop: (reason: StopReason) => Promise<boolean>) {
    this.#attempt = attempt;
    this.#ask = ask;
    this.#stop = stop;
  }

  arm(startedAt: number): void {
    this.#ask.signal.addEventListener("abort", this.#onAbort, { once: true });
    if (this.#ask.signal.aborted) this.#onAbort();
    const { timeoutMs } = this.#attempt;
    if (timeoutMs === undefined) return;
    const left = Math.max(0, startedAt + timeoutMs - Date.now());
    // Timers count in 32 bits; nobody waits longer than 24 days.
    if (left < 2 ** 31) this.#timer = setTimeout(() => this.#run("timed-out"), left);
  }

  disarm(): void {
    clearTimeout(this.#timer);
    this.#ask.signal.removeEventListener("abort", this.#onAbort);
  }

  /** Resolves when a stop that has begun is through: why it was, if it was in time. Throws what it threw. */
  async settled(): Promise<StopReason | undefined> {
    this.disarm();
    return this.#stopping;
  }

  #run(reason: StopReason): void {
    if (this.#stopping !== undefined) return;
    this.#stopping = this.#stop(reason).then((inTime) => (inTime ? reason : undefined));
    // settled() reports it; until then it must not count as unhandled.
    this.#stopping.catch(() => {});
  }
}

function startFailed(attempt: Attempt, words: string): AppError {
  return new AppError("EXEC_START_FAILED", `starting container ${attempt.id}: ${words}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
