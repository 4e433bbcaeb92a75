/** Where things lie: the layout of an attempt's directory, and the way between task paths and host paths. */
import { existsSync, readlinkSync } from "node:fs";
import { posix } from "node:path";
import { invariant, nameOfBytes, onDisk } from "../../kernel/index.ts";
import { type LiteralFile, type StagedInput, taskRoot, taskWork } from "../../task/index.ts";

export interface AttemptPaths {
  /** The script as the engine placed it. */
  readonly command: string;
  /** The script with the task root's text replaced; only where the root cannot be mounted. */
  readonly hostCommand: string;
  readonly inputs: string;
  readonly work: string;
  /** For temporary files of tasks; also the home folder of those that are processes on this machine. */
  readonly tmp: string;
  /** What is placed outside the task root, each below its absolute path; only where a task has such. */
  readonly outside: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly usage: string;
  /** The exit code as decimal text; written last; complete with its line break. */
  readonly rc: string;
  /** Exists when all inputs were copied. */
  readonly copied: string;
  /** Why the attempt was stopped from our side: `cancelled` or `timed-out`. */
  readonly stopped: string;
  /** The working directory as the task sees it. */
  readonly taskWork: string;
}

export function attemptPaths(directory: string): AttemptPaths {
  const at = (name: string) => `${directory}/${name}`;
  return {
    command: at("command"),
    hostCommand: at("command.host"),
    inputs: at("inputs"),
    work: at("work"),
    tmp: at("tmp"),
    outside: at("outside"),
    stdout: at("stdout"),
    stderr: at("stderr"),
    usage: at("usage.json"),
    rc: at("rc"),
    copied: at("copied-inputs"),
    stopped: at("stopped"),
    taskWork,
  };
}

/** The part of an attempt that decides where things lie. */
export interface PlacedAttempt {
  readonly directory: string;
  readonly inputs: readonly StagedInput[];
  readonly literalFiles?: readonly LiteralFile[];
  readonly workDir?: string;
  readonly disks?: readonly string[];
}

/**
 * The host path of a path as the task sees it: the source for staged inputs (and what is inside staged folders) that
 * the task has not changed, the place below the attempt's directory for everything else below the task root, in the
 * working directory by its other name, or placed elsewhere; undefined for what Memoir did not put there.
 */
export function attemptHostPath(attempt: PlacedAttempt, taskPath: string): string | undefined {
  const path = canonicalPath(attempt, posix.normalize(taskPath));
  for (const input of attempt.inputs) {
    if (path !== input.path && !path.startsWith(`${input.path}/`)) continue;
    if (input.writable === true || isTheTasks(attempt, input)) continue;
    return input.source.location + path.slice(input.path.length);
  }
  const below = belowTaskRoot(attempt.directory, path);
  if (below !== undefined) return below;
  const places = [...attempt.inputs, ...(attempt.literalFiles ?? [])].map((each): string => each.path);
  const placed = [...places, ...(attempt.disks ?? [])].some(
    (place) => path === place || path.startsWith(`${place}/`),
  );
  return placed ? placeOf(attempt.directory, path) : undefined;
}

/** A copy that the task has changed or taken away. What was mounted, and what stayed as it was, is a link by now. */
function isTheTasks(attempt: PlacedAttempt, input: StagedInput): boolean {
  const { directory } = attempt;
  const place = placeOf(directory, input.path);
  try {
    return nameOfBytes(readlinkSync(onDisk(place), { encoding: "buffer" })) !== input.source.location;
  } catch {
    // No link: something else, or nothing any more. Without this folder nothing was ever staged.
    return existsSync(onDisk(place)) || existsSync(attemptPaths(directory).inputs);
  }
}

/** A path in the working directory by its usual name. */
function canonicalPath({ workDir }: PlacedAttempt, path: string): string {
  if (workDir === undefined) return path;
  if (path === workDir) return taskWork;
  return path.startsWith(`${workDir}/`) ? taskWork + path.slice(workDir.length) : path;
}

/** Where the attempt's directory holds what the task sees at an absolute path. */
export function placeOf(directory: string, taskPath: string): string {
  const place = belowTaskRoot(directory, taskPath);
  invariant(place !== directory, "nothing is placed at the task root itself");
  return place ?? attemptPaths(directory).outside + posix.resolve("/", taskPath);
}

/** `/mnt/memoir/work/x` -> `<directory>/work/x`; undefined when the path is not below the task root. */
export function belowTaskRoot(directory: string, taskPath: string): string | undefined {
  const path = posix.normalize(taskPath);
  if (path === taskRoot) return directory;
  return path.startsWith(`${taskRoot}/`) ? directory + path.slice(taskRoot.length) : undefined;
}

/**
 * Replaces the task root by the attempt's directory, for executors that cannot mount it. What goes before does not
 * matter (`-I/mnt/memoir/x`, `file:///mnt/memoir/x`); after it the path component must end (`/mnt/memoirs` stays).
 */
export function substituteTaskRoot(text: string, directory: string): string {
  return text.replaceAll(rootText, () => directory);
}

const rootText = new RegExp(`${taskRoot}(?![A-Za-z0-9_-]|\\.[A-Za-z0-9_])`, "g");
