/**
 * Reads what the wrapper left in an attempt's directory: the exit code and the resources used. The files are tiny and
 * were just written, and every task has several: reading them at once costs a tenth of a thread's turn for each.
 */
import { appendFileSync, lstatSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { systemErrorCode } from "../../kernel/index.ts";
import { attemptPaths } from "./attempt-paths.ts";
import type { AttemptEnd, Usage } from "./executor.ts";

/** What `usage.json` says; null = could not be measured. */
export interface UsageFile {
  readonly wallCentiseconds: number | null;
  readonly cgroupCpuMicroseconds: number | null;
  /** User and system time of all waited-for children, in 1/100 s. */
  readonly cpuTicks: number | null;
  /** Highest memory charged to the cgroup, page cache included. */
  readonly peakBytes: number | null;
  readonly oomKills: number | null;
}

const nothing: UsageFile = {
  wallCentiseconds: null,
  cgroupCpuMicroseconds: null,
  cpuTicks: null,
  peakBytes: null,
  oomKills: null,
};

/** Never throws: figures that make no sense are null. The file was written next to a task that may have touched it. */
export function parseUsage(text: string): UsageFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return nothing;
  }
  if (typeof value !== "object" || value === null) return nothing;
  const members = new Map(Object.entries(value));
  const figure = (name: keyof UsageFile): number | null => {
    const member: unknown = members.get(name);
    return typeof member === "number" && Number.isSafeInteger(member) && member >= 0 ? member : null;
  };
  return {
    wallCentiseconds: figure("wallCentiseconds"),
    cgroupCpuMicroseconds: figure("cgroupCpuMicroseconds"),
    cpuTicks: figure("cpuTicks"),
    peakBytes: figure("peakBytes"),
    oomKills: figure("oomKills"),
  };
}

/** The exit code, or undefined while the line is not there or not complete. */
export function parseExitCode(text: string): number | undefined {
  const match = /^(\d{1,3})\n$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

export async function readExitCode(directory: string): Promise<number | undefined> {
  return parseExitCode(readIfThere(attemptPaths(directory).rc));
}

/** What the executor itself knows, for figures that the wrapper could not measure. */
export interface EndFacts {
  readonly wallSeconds: number;
  /** The engine's own word on memory kills. */
  readonly outOfMemory?: boolean;
}

/** How the attempt ended as recorded in its directory; undefined when nothing is recorded (no complete `rc`, no stop mark). */
export async function readAttemptEnd(directory: string, facts: EndFacts): Promise<AttemptEnd | undefined> {
  const figures = parseUsage(readIfThere(attemptPaths(directory).usage));
  const stopped = readStopMark(directory);
  if (stopped === "cancelled") return { kind: "cancelled" };
  const usage = usageOf(figures, facts.wallSeconds);
  if (stopped === "timed-out") return { kind: "timed-out", usage };
  const exitCode = parseExitCode(readIfThere(attemptPaths(directory).rc));
  if (exitCode === undefined) return undefined;
  const outOfMemory = facts.outOfMemory === true || (figures.oomKills ?? 0) > 0;
  return { kind: "exited", exitCode, outOfMemory, usage };
}

export function usageOf(figures: UsageFile, wallSeconds: number): Usage {
  const { cgroupCpuMicroseconds: micro, cpuTicks: ticks, wallCentiseconds: wall } = figures;
  const fromCgroup = micro !== null || figures.peakBytes !== null;
  return {
    wallSeconds: wall === null ? wallSeconds : wall / 100,
    cpuSeconds: micro !== null ? micro / 1e6 : ticks !== null ? ticks / 100 : null,
    maxRssBytes: figures.peakBytes,
    source: fromCgroup ? "cgroup" : ticks !== null ? "proc" : "none",
  };
}

export type StopReason = "cancelled" | "timed-out";

/** Leaves word of why an attempt is being stopped, so that a later process does not take its end for the task's own. */
export async function writeStopMark(directory: string, reason: StopReason): Promise<void> {
  try {
    writeFileSync(attemptPaths(directory).stopped, `${reason}\n`);
  } catch {
    // A full disk, or a folder that no longer exists: the attempt is stopped all the same.
  }
}

/**
 * How an attempt ended that Memoir stopped, whatever its directory contains: a task that was asked to end may have ended well,
 * with half of its work done, and a full disk or the task itself may have kept the stop mark from being written.
 */
export function stoppedEnd(recorded: AttemptEnd, reason: StopReason): AttemptEnd {
  if (recorded.kind !== "exited") return recorded;
  return reason === "timed-out" ? { kind: "timed-out", usage: recorded.usage } : { kind: "cancelled" };
}

function readStopMark(directory: string): StopReason | undefined {
  const word = readIfThere(attemptPaths(directory).stopped).trim();
  return word === "cancelled" || word === "timed-out" ? word : undefined;
}

/** Makes sure that both streams have a file, for attempts that ended before the wrapper could open them. */
export async function ensureStreams(directory: string, words = ""): Promise<void> {
  const { stdout, stderr } = attemptPaths(directory);
  appendFileSync(stdout, "");
  appendFileSync(stderr, words);
}

/**
 * What an ended task has deleted or replaced of the files that outputs are read from; undefined when nothing. A task owns
 * its directory, so it can.
 */
function spoiledBy(directory: string): string | undefined {
  const { stdout, stderr, work, rc } = attemptPaths(directory);
  const isThere = (path: string, kind: "file" | "directory") => {
    const facts = lstatSync(path, { throwIfNoEntry: false });
    return kind === "file" ? facts?.isFile() === true : facts?.isDirectory() === true;
  };
  try {
    if (!isThere(directory, "directory")) return `its own folder (${directory})`;
    if (!isThere(work, "directory")) return `its working directory (${work})`;
    if (!isThere(stdout, "file")) return `its standard output (${stdout})`;
    if (!isThere(stderr, "file")) return `its standard error (${stderr})`;
    if (!isThere(rc, "file")) return `the file of its exit code (${rc})`;
  } catch (error) {
    return `its own folder (${systemErrorCode(error) ?? "unknown"} at ${directory})`;
  }
  return undefined;
}

/** The end with what the task has spoiled, where it ended by itself. */
export function withSpoiled(end: AttemptEnd, directory: string): AttemptEnd {
  const spoiled = end.kind === "exited" ? spoiledBy(directory) : undefined;
  return spoiled === undefined || end.kind !== "exited" ? end : { ...end, spoiled };
}

function readIfThere(path: string): string {
  try {
    // A task owns its directory: a file of an absurd size, or anything that is not a file, in place of Memoir's is
    // ignored.
    const facts = statSync(path, { throwIfNoEntry: false });
    return facts?.isFile() === true && facts.size < 4096 ? readFileSync(path, "utf8") : "";
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ELOOP" || code === "ENOTDIR" || code === "EACCES") return "";
    throw error;
  }
}
