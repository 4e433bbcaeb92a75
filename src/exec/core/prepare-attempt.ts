/**
 * Fills an attempt's directory before the start: the work folder, literal files, and the inputs, either as empty mount
 * points that the executor mounts the sources on, read-only, or as copies. Never as links: a task could write through
 * them, and tools (`find`, `tar`, `stat`) would see a link where the task has a file or a folder. After the end mount
 * points and unchanged copies become links to the sources, so that the directory shows a person the same picture
 * everywhere and takes no space; what a task has changed stays as the task left it.
 *
 * Those links are symbolic: a hard link would change the source's ctime and with it the memo of its content digest,
 * fails across file systems, and shares its mode bits with the source.
 */
import {
  type BigIntStats,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { chmod, copyFile, lstat, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { copyTree, namesIn, realPathOfSync } from "../../files/index.ts";
import {
  AppError,
  type Ask,
  breathe,
  bytesOfText,
  checkAsk,
  invariant,
  isIllFormed,
  onDisk,
  shownName,
  systemErrorCode,
} from "../../kernel/index.ts";
import { type FileValue, type LinkedInput, type StagedInput, taskRoot } from "../../task/index.ts";
import { attemptPaths, belowTaskRoot, placeOf } from "./attempt-paths.ts";
import { clearPlace, cloneInput, copyInput, placeLinkTo, placeMountPoint } from "./copy-input.ts";
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
  /** `copies` where nothing can be mounted. Attempts that ask for copies get them everywhere. */
  readonly inputs: "mount-points" | "copies";
  /**
   * Files up to this size in bytes are copied although they could be mounted, which costs less than a mount; bigger ones
   * are copied where that shares their blocks. Default: everything is mounted.
   */
  readonly copyUpToBytes?: number;
  /** Pairs of file systems that cannot share blocks; added to. */
  readonly unshared?: Set<string>;
  /** Where the task sees the task root. Default: at its own path, since it is mounted. */
  readonly root?: string;
  /** Applied to the content of literal files: the replacement of the task root where it is not mounted. */
  readonly rewrite?: (text: string) => string;
}

/** How an attempt's inputs were placed; `settleInputs` wants to know. */
export interface Staging {
  readonly mounts: readonly InputMount[];
  /** Of every copied input: its place, and what changes when the task writes to it. */
  readonly copies: ReadonlyMap<string, string>;
}

/**
 * Idempotent: an attempt that was prepared and not started is prepared again. Only mounts reach places outside the
 * task root: what the attempt's directory holds for them is mounted, too.
 * @throws AppError EXEC_INPUT_MISSING for a source that is not there; EXEC_START_FAILED for inputs that contradict each
 *   other (two sources for one path, an input inside another one's folder).
 */
export async function prepareAttempt(attempt: Attempt, options: PrepareOptions, ask: Ask): Promise<Staging> {
  const paths = attemptPaths(attempt.directory);
  mkdirSync(paths.work, { recursive: true });
  // A folder costs more than everything else that is done for a short task.
  if (attempt.inputs.length > 0) mkdirSync(paths.inputs, { recursive: true });
  mkdirSync(paths.tmp, { recursive: true });
  const copyAll = options.inputs === "copies" || attempt.copyInputs === true;
  if (copyAll) writeFileSync(paths.copied, "");
  // Engines take the paths of mounts as texts.
  const mustCopy = (source: string, { path }: StagedInput) =>
    copyAll || isIllFormed(source) || isIllFormed(path);
  const mounts: InputMount[] = [];
  const copies = new Map<string, string>();
  const own: string[] = [];
  const mountOwn = (path: string, kind: FileValue["kind"]) => {
    if (belowTaskRoot("", path) !== undefined) return;
    invariant(options.inputs === "mount-points", `${path} is outside the task root, so it is mounted`);
    if (own.some((outer) => path.startsWith(`${outer}/`))) return;
    own.push(path);
    mounts.push({ source: placeOf(attempt.directory, path), target: path, kind, writable: true });
  };
  const folders = new Set([paths.work]);
  const makeFolderOf = (place: string) => {
    const folder = dirname(place);
    if (folders.has(folder)) return;
    mkdirSync(onDisk(folder), { recursive: true });
    folders.add(folder);
  };
  for (const disk of attempt.disks ?? []) {
    mkdirSync(placeOf(attempt.directory, disk), { recursive: true });
    mountOwn(disk, "directory");
  }
  for (const input of placedInputs(attempt)) {
    checkAsk(ask, `staging inputs of ${attempt.id}`);
    await breathe();
    const place = placeOf(attempt.directory, input.path);
    makeFolderOf(place);
    const { source, facts } = sourceOf(attempt, input);
    if (input.writable === true) {
      await copyWritable(source, place);
      mountOwn(input.path, input.source.kind);
    } else if (mustCopy(source, input) || (await isBetterCopied({ source, facts, place }, options))) {
      if (mustCopy(source, input) || facts.size <= (options.copyUpToBytes ?? 0))
        await copyInput(source, facts, place, ask);
      if (facts.isFile()) copies.set(place, stampOf(lstatSync(onDisk(place), { bigint: true })));
      if (belowTaskRoot("", input.path) === undefined) mountOwn(input.path, input.source.kind);
    } else {
      placeMountPoint(place, input.source.kind);
      mounts.push({ source, target: input.path, kind: input.source.kind });
    }
  }
  for (const { path, to } of placedLinks(attempt)) {
    const place = placeOf(attempt.directory, path);
    makeFolderOf(place);
    placeLinkTo(belowTaskRoot(options.root ?? taskRoot, to) ?? to, place);
  }
  for (const file of attempt.literalFiles ?? []) {
    const place = placeOf(attempt.directory, file.path);
    makeFolderOf(place);
    writeFileSync(onDisk(place), bytesOfText(options.rewrite?.(file.content) ?? file.content));
    mountOwn(file.path, "file");
  }
  return { mounts, copies };
}

/** Small files are; of others it is tried, and a clone is in place when the answer is yes. */
async function isBetterCopied(
  input: { readonly source: string; readonly facts: Stats; readonly place: string },
  { copyUpToBytes = -1, unshared }: PrepareOptions,
): Promise<boolean> {
  const { source, facts, place } = input;
  if (copyUpToBytes < 0 || !facts.isFile()) return false;
  if (facts.size <= copyUpToBytes) return true;
  if (unshared === undefined) return false;
  const pair = `${facts.dev} ${(await stat(dirname(place))).dev}`;
  if (unshared.has(pair)) return false;
  if (await cloneInput(source, place)) return true;
  unshared.add(pair);
  return false;
}

/**
 * Replaces the mount points and the unchanged copies of an ended attempt by links to the sources.
 * @param staging undefined for attempts that an earlier process has staged
 */
export async function settleInputs(attempt: Attempt, staging?: Staging): Promise<void> {
  const isCopied = staging === undefined && existsSync(attemptPaths(attempt.directory).copied);
  if (isCopied) return;
  const mounted = staging === undefined ? undefined : new Set(staging.mounts.map(({ target }) => target));
  for (const input of placedInputs(attempt)) {
    if (input.writable === true) continue;
    await breathe();
    const place = placeOf(attempt.directory, input.path);
    const isOurs =
      mounted === undefined || mounted.has(input.path)
        ? isMountPoint(place)
        : isUnchanged(place, staging?.copies.get(place));
    if (isOurs) placeLinkTo(input.source.location, place);
  }
}

function isUnchanged(place: string, stamp: string | undefined): boolean {
  if (stamp === undefined) return false;
  const facts = factsOf(place);
  return facts !== undefined && stampOf(facts) === stamp;
}

/** undefined as well where the task lets nobody look. */
function factsOf(place: string): BigIntStats | undefined {
  try {
    return lstatSync(onDisk(place), { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

function stampOf({ dev, ino, size, mode, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mode, mtimeNs, ctimeNs].join("-");
}

/** All inputs with their siblings, each path once, parents before what is in them. */
export function placedInputs(attempt: Attempt): readonly StagedInput[] {
  const byPath = new Map<string, StagedInput>();
  const add = (input: StagedInput) => {
    const earlier = byPath.get(input.path);
    if (earlier !== undefined && earlier.source.location !== input.source.location)
      throw new AppError(
        "EXEC_START_FAILED",
        `staging inputs of ${attempt.id}: ${input.path} is requested twice, from ${earlier.source.location} and from ${input.source.location}`,
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

/**
 * Links have their own places: in the working directory, where nothing else is placed.
 * @throws AppError EXEC_START_FAILED for others
 */
export function placedLinks(attempt: Attempt): readonly LinkedInput[] {
  const links = attempt.linkedInputs ?? [];
  const taken = [...links, ...placedInputs(attempt), ...(attempt.literalFiles ?? [])].map(
    (each): string => each.path,
  );
  for (const { path } of links) {
    const collides = taken.filter(
      (each) => each === path || path.startsWith(`${each}/`) || each.startsWith(`${path}/`),
    );
    if (belowTaskRoot("", path)?.startsWith("/work/") !== true || collides.length > 1)
      throw new AppError(
        "EXEC_START_FAILED",
        `staging inputs of ${attempt.id}: ${path} cannot be a link to an input: it has to be in the working directory, where nothing else has this name`,
      );
  }
  return links;
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
      `staging inputs of ${attempt.id}: ${input.path} is inside the read-only input ${parent} but comes from ${input.source.location}`,
    );
  }
  return false;
}

/** At once: whoever identified the input has just looked at it. */
function sourceOf(attempt: Attempt, input: StagedInput): { readonly source: string; readonly facts: Stats } {
  const { location, kind } = input.source;
  let source: string;
  let facts: Stats;
  try {
    source = realPathOfSync(location);
    facts = statSync(onDisk(source));
  } catch (error) {
    throw new AppError(
      "EXEC_INPUT_MISSING",
      `staging ${input.path} of ${attempt.id}: ${location} cannot be read (${systemErrorCode(error) ?? "unknown"})`,
      { cause: error },
    );
  }
  if (kind === "directory" ? facts.isDirectory() : facts.isFile()) return { source, facts };
  throw new AppError(
    "EXEC_START_FAILED",
    `staging ${input.path} of ${attempt.id}: ${location} is ${facts.isDirectory() ? "a folder" : "not a regular file"}, expected a ${kind}`,
  );
}

async function copyWritable(source: string, place: string): Promise<void> {
  clearPlace(place);
  if ((await stat(onDisk(source))).isDirectory())
    await copyTree(source, place, { doing: `copying ${shownName(source)}` });
  else await copyFile(onDisk(source), onDisk(place), constants.COPYFILE_FICLONE);
  await makeWritable(place);
}

/** Copies of cached files are read-only like their sources; the task was promised that it may write. */
async function makeWritable(place: string): Promise<void> {
  const facts = await lstat(onDisk(place));
  if (facts.isSymbolicLink()) return;
  await chmod(onDisk(place), facts.mode | (facts.isDirectory() ? 0o700 : 0o600));
  if (!facts.isDirectory()) return;
  for (const name of await namesIn(place)) await makeWritable(`${place}/${name}`);
}

/** Still what `placeMountPoint` made: an empty file or folder. */
function isMountPoint(place: string): boolean {
  const facts = lstatSync(onDisk(place), { throwIfNoEntry: false });
  if (facts?.isDirectory() === true) return readdirSync(onDisk(place)).length === 0;
  return facts?.isFile() === true && facts.size === 0;
}
