/**
 * An executor for tests: nothing is executed; the test says how every attempt ends, when, and what it leaves behind.
 * Two executors that share one `world` see the same attempts, as two processes on one container engine do.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError, type Ask, checkAsk } from "../../kernel/index.ts";
import { attemptHostPath, attemptPaths } from "./attempt-paths.ts";
import type { Attempt, AttemptEnd, AttemptState, Executor, ExecutorAbilities, Usage } from "./executor.ts";

/** How an attempt goes. An empty `{}` is a success without output. */
export interface ScriptedEnd {
  /** Default 0. */
  readonly exitCode?: number;
  readonly outOfMemory?: boolean;
  readonly stdout?: string;
  readonly stderr?: string;
  /** Files that the task leaves: a path in the task (`/mnt/memoir/work/x`) or relative to its work directory -> text. */
  readonly files?: Readonly<Record<string, string>>;
  readonly usage?: Partial<Usage>;
  /** Replaces all of the above: lost, timed out. */
  readonly end?: AttemptEnd;
}

export interface ScriptedOptions {
  /**
   * Decides one attempt; `nth` counts the starts from 0. Returning a promise keeps the attempt running until it is
   * resolved. Default: every attempt succeeds at once.
   */
  readonly play?: (attempt: Attempt, nth: number) => ScriptedEnd | Promise<ScriptedEnd>;
  /** An error that the nth start throws instead of starting. */
  readonly failStart?: (attempt: Attempt, nth: number) => AppError | undefined;
  readonly can?: Partial<ExecutorAbilities>;
  readonly capacity?: { readonly cpu: number; readonly memoryBytes: number; readonly gpu: number };
  readonly environment?: string;
  /** Shared between executors that stand for one engine; default: a separate world. */
  readonly world?: ScriptedWorld;
}

interface Played {
  readonly attempt: Attempt;
  readonly end: Promise<AttemptEnd>;
  readonly stop: () => void;
  ended: AttemptEnd | undefined;
}

/** What happens outside the executor object: attempts by id. */
export class ScriptedWorld {
  readonly attempts = new Map<string, Played>();
}

const allAbilities: ExecutorAbilities = {
  containers: true,
  survives: true,
  mountsTaskRoot: true,
  limitsMemory: true,
  sharesFiles: true,
  isolates: true,
};

export class ScriptedExecutor implements Executor {
  readonly name = "scripted";
  readonly can: ExecutorAbilities;
  /** Every attempt that was started here, in order. Adopted ones are not among them. */
  readonly started: Attempt[] = [];
  readonly removed: string[] = [];
  readonly cancelled: string[] = [];
  /** The largest number of attempts that ran at the same time. */
  mostAtOnce = 0;
  readonly #options: ScriptedOptions;
  readonly #world: ScriptedWorld;
  #asked = 0;

  constructor(options: ScriptedOptions = {}) {
    this.#options = options;
    this.can = { ...allAbilities, ...options.can };
    this.#world = options.world ?? new ScriptedWorld();
  }

  async open(_ask: Ask): Promise<void> {}

  capacity(): { readonly cpu: number; readonly memoryBytes: number; readonly gpu: number } {
    return this.#options.capacity ?? { cpu: 4, memoryBytes: 8 * 2 ** 30, gpu: 0 };
  }

  environmentIdentity(): string | undefined {
    return this.#options.environment;
  }

  /** Ids of the attempts that are running now. */
  running(): readonly string[] {
    return [...this.#world.attempts.values()]
      .filter((played) => played.ended === undefined)
      .map((played) => played.attempt.id);
  }

  async start(attempt: Attempt, ask: Ask): Promise<void> {
    checkAsk(ask, `starting ${attempt.id}`);
    if (this.#world.attempts.has(attempt.id)) return;
    const nth = this.#asked++;
    const refusal = this.#options.failStart?.(attempt, nth);
    if (refusal !== undefined) throw refusal;
    this.started.push(attempt);
    this.#world.attempts.set(attempt.id, this.#play(attempt, nth));
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running().length);
  }

  #play(attempt: Attempt, nth: number): Played {
    let stop = () => {};
    const stopped = new Promise<AttemptEnd>((resolve) => {
      stop = () => resolve({ kind: "cancelled" });
    });
    const script = Promise.resolve().then(() => this.#options.play?.(attempt, nth) ?? {});
    const end = Promise.race([script.then((how) => leave(attempt, how)), stopped]);
    const played: Played = { attempt, end, stop, ended: undefined };
    end.then(
      (value) => {
        played.ended = value;
      },
      () => {
        played.ended = { kind: "lost", message: "the script threw" };
      },
    );
    return played;
  }

  async wait(attempt: Attempt, ask: Ask): Promise<AttemptEnd> {
    const played = this.#world.attempts.get(attempt.id);
    if (played === undefined) return { kind: "lost", message: `${attempt.id} was never started` };
    const onAbort = () => {
      if (played.ended !== undefined) return;
      this.cancelled.push(attempt.id);
      played.stop();
    };
    if (ask.signal.aborted) onAbort();
    ask.signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await played.end;
    } finally {
      ask.signal.removeEventListener("abort", onAbort);
    }
  }

  async state(attempt: Attempt, _ask: Ask): Promise<AttemptState> {
    const played = this.#world.attempts.get(attempt.id);
    if (played === undefined) return { kind: "unknown" };
    return played.ended === undefined ? { kind: "running" } : { kind: "ended", end: played.ended };
  }

  async remove(attempt: Attempt, _ask: Ask): Promise<void> {
    this.removed.push(attempt.id);
    this.#world.attempts.delete(attempt.id);
  }

  async close(): Promise<void> {}
}

/** Writes what the script says, in the order in which a real attempt does: files, streams, and `rc` last. */
async function leave(attempt: Attempt, how: ScriptedEnd): Promise<AttemptEnd> {
  const paths = attemptPaths(attempt.directory);
  await mkdir(paths.work, { recursive: true });
  for (const [name, text] of Object.entries(how.files ?? {})) {
    const host = attemptHostPath(attempt, name.startsWith("/") ? name : `${paths.taskWork}/${name}`);
    if (host === undefined) throw new Error(`a scripted task cannot write ${name}: not below the task root`);
    await mkdir(dirname(host), { recursive: true });
    await writeFile(host, text);
  }
  await writeFile(paths.stdout, how.stdout ?? "");
  await writeFile(paths.stderr, how.stderr ?? "");
  if (how.end !== undefined) return how.end;
  const exitCode = how.exitCode ?? 0;
  await writeFile(paths.rc, `${exitCode}\n`);
  return {
    kind: "exited",
    exitCode,
    outOfMemory: how.outOfMemory ?? false,
    usage: { wallSeconds: 0, cpuSeconds: null, maxRssBytes: null, source: "scripted", ...how.usage },
  };
}

/** The refusal that tests throw from `failStart`. */
export function scriptedRefusal(words = "the scripted executor was asked to refuse"): AppError {
  return new AppError("EXEC_START_FAILED", words);
}
