/**
 * A custom executor: tasks as local processes with a low priority (`nice`). It shows all that an executor has to do:
 * prepare the attempt's directory, start Memoir's wrapper around the script, report how the script ended.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import type { Ask, Attempt, AttemptEnd, AttemptState, Executor, ExecutorKind } from "memoir";
import {
  attemptPaths,
  ensureStreams,
  prepareAttempt,
  readAttemptEnd,
  runProgram,
  type StopReason,
  settleInputs,
  stoppedEnd,
  substituteTaskRoot,
  withSpoiled,
  wrapperArguments,
  writeStopMark,
} from "memoir/extend";

/** What the registry has of it: `openMemoir({ executors: [niceKind] })`. */
export const niceKind: ExecutorKind = {
  name: "nice",
  summary: "as local processes with a low priority",
  options: [{ name: "niceness", value: "n", description: "from 0 to 19; default 10" }],
  checks: [{ kind: "program", name: "nice", versionFlag: "--version", enables: "--executor nice" }],
  create: async ({ niceness = "10" }, { env }) => ({
    executor: new NiceExecutor(String(niceness), env["PATH"] ?? "/usr/bin:/bin"),
  }),
};

interface Running {
  readonly ended: Promise<AttemptEnd>;
  stop(reason: StopReason): Promise<void>;
}

export class NiceExecutor implements Executor {
  readonly name = "nice";
  readonly can = {
    containers: false,
    sharesFiles: true,
    survives: false,
    mountsTaskRoot: false,
    limitsMemory: false,
    isolates: false,
  };
  readonly #niceness: string;
  readonly #path: string;
  readonly #running = new Map<string, Running>();
  #links: string | undefined;

  constructor(niceness: string, path: string) {
    this.#niceness = niceness;
    this.#path = path;
  }

  async open(): Promise<void> {
    this.#links ??= await mkdtemp(join(tmpdir(), "nice-"));
  }

  capacity() {
    return { cpu: availableParallelism(), memoryBytes: totalmem(), gpu: 0 };
  }

  /** Results depend on what is installed, and this executor does not look: they are recorded for this PATH only. */
  environmentIdentity(): string {
    return `nice ${process.platform} ${process.arch} ${this.#path}`;
  }

  async start(attempt: Attempt, ask: Ask): Promise<void> {
    if (this.#running.has(attempt.id)) return;
    const stop = new AbortController();
    let begun = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let over = false;
    const ended = this.#run(attempt, stop.signal, begun, ask).finally(() => {
      over = true;
    });
    this.#running.set(attempt.id, {
      ended,
      stop: async (reason) => {
        if (over) return;
        await writeStopMark(attempt.directory, reason);
        stop.abort(reason);
      },
    });
    const failed = ended.then(
      () => {},
      (error: unknown) => {
        this.#running.delete(attempt.id);
        throw error;
      },
    );
    await Promise.race([started, failed]);
    failed.catch(() => {});
  }

  async #run(attempt: Attempt, stop: AbortSignal, begun: () => void, ask: Ask): Promise<AttemptEnd> {
    const { directory } = attempt;
    const earlier = await readAttemptEnd(directory, { wallSeconds: 0 });
    if (earlier !== undefined) return earlier;
    const root = await this.#plainNameOf(directory);
    const rewrite = (text: string) => substituteTaskRoot(text, root);
    // Nothing can be mounted, so tasks get copies of their inputs.
    const staging = await prepareAttempt(attempt, { inputs: "copies", root: directory, rewrite }, ask);
    const { tmp } = attemptPaths(root);
    const variables = { HOME: tmp, TMPDIR: tmp, ...attempt.env };
    const env = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, rewrite(value)]));
    const script = this.#scriptOf(directory, root, rewrite);
    const outcome = await runProgram(
      {
        command: "nice",
        args: [
          ...["-n", this.#niceness, "/bin/sh"],
          ...wrapperArguments(root, { kind: "host", cgroup: "" }, [...attempt.shell, script]),
        ],
        cwd: directory,
        env: { PATH: this.#path, ...env },
        stdout: { kind: "discard" },
        stderr: { kind: "discard" },
        graceMs: 1_000,
        onStart: begun,
      },
      { signal: stop },
    );
    await settleInputs(attempt, staging);
    const recorded = await readAttemptEnd(directory, { wallSeconds: 0 });
    if (recorded === undefined) await ensureStreams(directory);
    const end = recorded ?? { kind: "lost", message: `${attempt.id} left no exit code (${outcome.kind})` };
    return stop.aborted ? stoppedEnd(end, stop.reason) : withSpoiled(end, directory);
  }

  /** Scripts rarely quote what the task root becomes: a directory with odd characters gets a plain name. */
  async #plainNameOf(directory: string): Promise<string> {
    if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(directory)) return directory;
    const link = join(await mkdtemp(join(this.#links ?? tmpdir(), "p")), "attempt");
    await symlink(directory, link);
    return link;
  }

  #scriptOf(directory: string, root: string, rewrite: (text: string) => string): string {
    const { command, hostCommand } = attemptPaths(directory);
    // Bytes stay as they are, whatever their encoding.
    writeFileSync(hostCommand, Buffer.from(rewrite(readFileSync(command, "latin1")), "latin1"));
    return attemptPaths(root).hostCommand;
  }

  async wait(attempt: Attempt, ask: Ask): Promise<AttemptEnd> {
    const running = this.#running.get(attempt.id);
    if (running === undefined) {
      const end = await readAttemptEnd(attempt.directory, { wallSeconds: 0 });
      return end ?? { kind: "lost", message: `${attempt.id} does not run here and left no exit code` };
    }
    const stopping: Promise<void>[] = [];
    const cancel = () => void stopping.push(running.stop("cancelled"));
    const { timeoutMs } = attempt;
    const timer =
      timeoutMs === undefined || timeoutMs >= 2 ** 31
        ? undefined
        : setTimeout(() => void stopping.push(running.stop("timed-out")), timeoutMs);
    ask.signal.addEventListener("abort", cancel, { once: true });
    if (ask.signal.aborted) cancel();
    try {
      const end = await running.ended;
      await Promise.all(stopping);
      return end;
    } finally {
      clearTimeout(timer);
      ask.signal.removeEventListener("abort", cancel);
    }
  }

  async state(attempt: Attempt): Promise<AttemptState> {
    const running = this.#running.get(attempt.id);
    if (running !== undefined) {
      const end = await Promise.race([running.ended, Promise.resolve(undefined)]);
      return end === undefined ? { kind: "running" } : { kind: "ended", end };
    }
    const end = await readAttemptEnd(attempt.directory, { wallSeconds: 0 });
    return end === undefined ? { kind: "unknown" } : { kind: "ended", end };
  }

  async remove(attempt: Attempt): Promise<void> {
    this.#running.delete(attempt.id);
  }

  async close(): Promise<void> {
    const running = [...this.#running.values()];
    await Promise.all(running.map(({ stop }) => stop("cancelled")));
    await Promise.allSettled(running.map(({ ended }) => ended));
    if (this.#links !== undefined) await rm(this.#links, { recursive: true, force: true });
  }
}
