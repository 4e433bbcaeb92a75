/**
 * Runs one program in its own process group and waits for its end. The whole group is ended on time-out, on
 * cancellation, a moment after the program itself has ended, and when Memoir dies (see supervisor.ts).
 */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once, setMaxListeners } from "node:events";
import { statSync } from "node:fs";
import type { Duplex } from "node:stream";
import { AppError, type Ask, invariant, messageOf, systemErrorCode } from "../kernel/index.ts";
import { findProgram } from "./find-program.ts";
import type { ProgramOutcome, ProgramRequest } from "./program.ts";
import { signalGroup } from "./signal-group.ts";
import { openStdio, type ProgramStdio } from "./stdio.ts";
import { supervised } from "./supervisor.ts";

const stdoutLimitBytes = 1 << 20;
const stderrLimitBytes = 64 << 10;
const defaultGraceMs = 5_000;
/** What the program left running may still write its last lines (`exec > >(tee log)`), then it is ended. */
const drainMs = 1_000;

/**
 * Runs `request.command` to its end.
 *
 * Not supported on Windows (needs /bin/sh and process groups).
 * @throws AppError PROCESS_START_FAILED when the operating system refused to start it (no such cwd, too many
 *   processes, an input or output file that cannot be opened). Everything else is an outcome.
 */
export async function runProgram(request: ProgramRequest, ask: Ask): Promise<ProgramOutcome> {
  const startedAt = performance.now();
  const nothing = { stdout: "", stderr: "", stdoutTruncated: false, stderrTruncated: false };
  if (ask.signal.aborted) return { kind: "cancelled", ...nothing, durationMs: 0 };
  checkCwd(request);
  const file = await findProgram(request.command, request.env, request.cwd);
  if (file === undefined) return { kind: "not-found", command: request.command, ...nothing, durationMs: 0 };

  const stdio = await openStreams(request);
  try {
    const graceMs = request.graceMs ?? defaultGraceMs;
    const program = supervised({ file, args: request.args ?? [], env: request.env, graceMs });
    const child = await start(program, request, [
      stdio.stdin,
      stdio.stdout.stdio,
      stdio.stderr.stdio,
      "pipe",
    ]);
    // From here on only the program and its descendants can write, so the streams end with them.
    await stdio.closeOurs();
    const end = await waitForEnd({ child, stdio, request, graceMs }, ask);
    const [out, err] = await Promise.all([stdio.stdout.text(), stdio.stderr.text()]);
    return {
      ...end,
      stdout: out.text,
      stderr: err.text,
      stdoutTruncated: out.truncated,
      stderrTruncated: err.truncated,
      durationMs: performance.now() - startedAt,
    };
  } finally {
    await stdio.closeOurs();
    stdio.stdout.destroy();
    stdio.stderr.destroy();
  }
}

async function openStreams(request: ProgramRequest): Promise<ProgramStdio> {
  try {
    return await openStdio({
      stdin: request.stdin ?? { kind: "none" },
      stdout: request.stdout ?? { kind: "capture", limitBytes: stdoutLimitBytes },
      stderr: request.stderr ?? { kind: "capture", limitBytes: stderrLimitBytes },
    });
  } catch (error) {
    throw startFailed(request, "cannot open its input or output", error);
  }
}

function checkCwd(request: ProgramRequest): void {
  try {
    if (statSync(request.cwd).isDirectory()) return;
  } catch (error) {
    throw startFailed(request, `its working directory ${request.cwd} cannot be entered`, error);
  }
  throw startFailed(request, `its working directory ${request.cwd} is not a directory`);
}

function startFailed(request: ProgramRequest, what: string, cause?: unknown): AppError {
  const why = cause === undefined ? "" : `: ${messageOf(cause)}`;
  return new AppError("PROCESS_START_FAILED", `starting ${request.command}: ${what}${why}`, { cause });
}

async function start(
  program: { readonly file: string; readonly args: readonly string[] },
  request: ProgramRequest,
  stdio: StdioOptions,
): Promise<ChildProcess> {
  try {
    const child = spawn(program.file, program.args, {
      cwd: request.cwd,
      env: request.env,
      detached: true,
      stdio,
    });
    await once(child, "spawn");
    if (child.pid !== undefined) request.onStart?.(child.pid);
    return child;
  } catch (error) {
    throw startFailed(request, systemErrorCode(error) ?? "refused", error);
  }
}

type End =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "signalled"; readonly signal: NodeJS.Signals }
  | { readonly kind: "timed-out"; readonly limitMs: number }
  | { readonly kind: "cancelled" };

/** The story: the program ends, or time runs out, or the user cancels; then nothing of its group may stay. */
async function waitForEnd(
  run: {
    readonly child: ChildProcess;
    readonly stdio: ProgramStdio;
    readonly request: ProgramRequest;
    readonly graceMs: number;
  },
  ask: Ask,
): Promise<End> {
  const { child, stdio, request, graceMs } = run;
  const { pid } = child;
  invariant(pid !== undefined, "a started program has a pid");
  const leash = child.stdio[3] as Duplex;
  const alone = Promise.all([
    new Promise<void>((resolve) => leash.once("close", resolve)),
    stdio.stdout.ended,
    stdio.stderr.ended,
  ]);
  leash.on("error", () => {});
  leash.resume();

  let stopped: End | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (why: End) => {
    if (stopped !== undefined) return;
    stopped = why;
    signalGroup(pid, "SIGTERM");
    killTimer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
  };
  const limitMs = timeLimit(request, ask);
  const timer =
    limitMs === undefined ? undefined : setTimeout(() => stop({ kind: "timed-out", limitMs }), limitMs);
  const onAbort = () => stop({ kind: "cancelled" });
  // Many programs may share one Ask; Node would warn of a leak from the eleventh on.
  setMaxListeners(0, ask.signal);
  ask.signal.addEventListener("abort", onAbort, { once: true });
  if (ask.signal.aborted) onAbort();
  try {
    const [exitCode, signal] = await exitOf(child);
    leash.write("ended\n");
    await within(alone, stopped === undefined ? drainMs : graceMs);
    signalGroup(pid, "SIGKILL");
    await within(alone, drainMs);
    if (stopped !== undefined) return stopped;
    if (signal !== null) return { kind: "signalled", signal };
    return { kind: "exited", exitCode: exitCode ?? 0 };
  } finally {
    clearTimeout(timer);
    clearTimeout(killTimer);
    ask.signal.removeEventListener("abort", onAbort);
    // A daemon that left the group may still hold our pipes; Memoir does not wait for it.
    leash.destroy();
  }
}

function exitOf(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  if (child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve([child.exitCode, child.signalCode]);
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve([code, signal])));
}

function timeLimit(request: ProgramRequest, ask: Ask): number | undefined {
  const untilDeadline = ask.deadlineAt === undefined ? undefined : Math.max(0, ask.deadlineAt - Date.now());
  if (request.timeoutMs === undefined) return untilDeadline;
  return Math.min(request.timeoutMs, untilDeadline ?? Number.POSITIVE_INFINITY);
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
