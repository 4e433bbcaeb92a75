/**
 * Fills an attempt's directory before the start: the work folder, literal files, and the inputs, either as links (no
 * mounts on this executor) or as empty mount points that the engine mounts the sources on. After the end mount points
 * become links too, so that the directory shows a person the same picture everywhere.
 *
 * Links are symbolic: a hard link would change the source's ctime and with it the memo of its content digest, fails
 * across file systems, and shares its mode bits with the source.
 */
import { constants, mkdirSync } from "node:fs";
import { chmod, cp, lstat, mkdir, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError, type Ask, checkAsk, invariant, systemErrorCode } from "../../kernel/index.ts";
import type { FileValue, StagedInput } from "../../task/index.ts";
import { attemptPaths, belowTaskRoot, placeOf } from "./attempt-paths.ts";
import type { Attempt } from "./executor.ts";

/** A source that has to appear at a path of the task. */
export interface InputMount {
  /** Host path without symbolic links. */
  readonly source: string;
  readonly target: string;
  readonly kind: FileValue["kind"];
  /** The task may change it: the source is the attempt's own. */
  readonly writable?: true;
}

export interface PrepareOptions {
  readonly inputs: "links" | "mount-points";
  /** Applied to the content of literal files: the replacement of the task root where it is not mounted. */
  readonly rewrite?: (text: string) => string;
}

/**
 * Idempotent: an attempt that was prepared and not started is prepared again. Only mounts reach places outside of the
 * task root: what the attempt's directory holds for them is mounted, too.
 * @throws AppError EXEC_INPUT_MISSING for a source that is not there; EXEC_START_FAILED for inputs that contradict each
 *   other (two sources for one path, an input inside another one's folder).
 */
export async function prepareAttempt(
  attempt: Attempt,
  options: PrepareOptions,
  ask: Ask,
): Promise<readonly InputMount[]> {
  const paths = attemptPaths(attempt.directory);
  mkdirSync(paths.work, { recursive: true });
  mkdirSync(paths.inputs, { recursive: true });
  mkdirSync(paths.tmp, { recursive: true });
  const mounts: InputMount[] = [];
  const own: string[] = [];
  const mountOwn = (path: string, kind: FileValue["kind"]) => {
    if (belowTaskRoot("", path) !== undefined) return;
    invariant(options.inputs === "mount-points", `${path} is outside of the task root, so it is mounted`);
    if (own.some((outer) => path.startsWith(`${outer}/`))) return;
    own.push(path);
    mounts.push({ source: placeOf(attempt.directory, path), target: path, kind, writable: true });
  };
  for (const disk of attempt.disks ?? []) {
    await mkdir(placeOf(attempt.directory, disk), { recursive: true });
    mountOwn(disk, "directory");
  }
  for (const input of staged(attempt)) {
    checkAsk(ask, `staging inputs of ${attempt.id}`);
    const place = placeOf(attempt.directory, input.path);
    await mkdir(dirname(place), { recursive: true });
    const source = await sourceOf(attempt, input);
    if (input.writable === true) {
      await copyWritable(source, place);
      mountOwn(input.path, input.source.kind);
    } else if (options.inputs === "links") await link(source, place);
    else {
      await makeMountPoint(place, input.source.kind);
      mounts.push({ source, target: input.path, kind: input.source.kind });
    }
  }
  for (const file of attempt.literalFiles ?? []) {
    const place = placeOf(attempt.directory, file.path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, options.rewrite?.(file.content) ?? file.content);
    mountOwn(file.path, "file");
  }
  return mounts;
}

/** Replaces the mount points of an ended attempt by links to the sources. */
export async function settleInputs(attempt: Attempt): Promise<void> {
  for (const input of staged(attempt)) {
    if (input.writable === true) continue;
    const place = placeOf(attempt.directory, input.path);
    if (await isMountPoint(place)) await link(input.source.location, place);
  }
}

/** All inputs with their siblings, each path once, parents before what lies in them. */
function staged(attempt: Attempt): readonly StagedInput[] {
  const byPath = new Map<string, StagedInput>();
  const add = (input: StagedInput) => {
    const earlier = byPath.get(input.path);
    if (earlier !== undefined && earlier.source.location !== input.source.location)
      throw new AppError(
        "EXEC_START_FAILED",
        `staging inputs of ${attempt.id}: ${input.path} is wanted twice, from ${earlier.source.location} and from ${input.source.location}`,
      );
    byPath.set(input.path, earlier ?? input);
    for (const sibling of input.source.siblings ?? []) {
      const path = `${dirname(input.path)}/${sibling.basename}` as StagedInput["path"];
      add({ path, source: sibling, ...(input.writable === true ? { writable: true } : {}) });
    }
  };
  for (const input of attempt.inputs) add(input);
  const sorted = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return sorted.filter((input) => !isInsideAnother(attempt, input, byPath));
}

/** A file inside a staged folder is there already when it comes from that same folder; anything else is refused. */
function isInsideAnother(
  attempt: Attempt,
  input: StagedInput,
  byPath: ReadonlyMap<string, StagedInput>,
): boolean {
  for (let parent = dirname(input.path); parent !== "/"; parent = dirname(parent)) {
    const outer = byPath.get(parent);
    if (outer === undefined || outer.writable === true) continue;
    if (input.source.location === outer.source.location + input.path.slice(parent.length)) return true;
    throw new AppError(
      "EXEC_START_FAILED",
      `staging inputs of ${attempt.id}: ${input.path} lies inside the read-only input ${parent} but comes from ${input.source.location}`,
    );
  }
  return false;
}

async function sourceOf(attempt: Attempt, input: StagedInput): Promise<string> {
  try {
    return await realpath(input.source.location);
  } catch (error) {
    throw new AppError(
      "EXEC_INPUT_MISSING",
      `staging ${input.path} of ${attempt.id}: ${input.source.location} cannot be read (${systemErrorCode(error) ?? "unknown"})`,
      { cause: error },
    );
  }
}

async function link(source: string, place: string): Promise<void> {
  await rm(place, { recursive: true, force: true });
  await symlink(source, place);
}

async function copyWritable(source: string, place: string): Promise<void> {
  await rm(place, { recursive: true, force: true });
  await cp(source, place, { recursive: true, dereference: true, mode: constants.COPYFILE_FICLONE });
  await makeWritable(place);
}

/** Copies of cached files are read-only like their sources; the task was promised that it may write. */
async function makeWritable(place: string): Promise<void> {
  const facts = await lstat(place);
  if (facts.isSymbolicLink()) return;
  await chmod(place, facts.mode | (facts.isDirectory() ? 0o700 : 0o600));
  if (!facts.isDirectory()) return;
  for (const name of await readdir(place)) await makeWritable(`${place}/${name}`);
}

async function makeMountPoint(place: string, kind: FileValue["kind"]): Promise<void> {
  await rm(place, { recursive: true, force: true });
  if (kind === "directory") await mkdir(place);
  else await writeFile(place, "");
}

/** Still what `makeMountPoint` made: an empty file or folder. */
async function isMountPoint(place: string): Promise<boolean> {
  try {
    const facts = await lstat(place);
    if (facts.isDirectory()) return (await readdir(place)).length === 0;
    return facts.isFile() && facts.size === 0;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}
