/** `memoir runs delete`: removes the folders of runs that ended. What they recorded stays in its cache. */
import { readdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { countWaiting, type ShownState, shownState } from "../../../engine/index.ts";
import { AppError, type Ask, checkAsk, messageOf, systemErrorCode } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { keepRun } from "../../history/run-index.ts";
import { type FoundRun, findRun, listRuns, runsFolder } from "../runs-folder.ts";
import type { RunsOptions } from "./one-run.ts";

export interface DeleteRunsOptions extends RunsOptions {
  /** As `findRun` takes them; none = every run of the folder. */
  readonly runs: readonly string[];
  /** Only those that started at least so long ago. */
  readonly olderThanMs?: number;
  /** Also those whose results wait to be recorded; these are lost then. */
  readonly force?: boolean;
}

export interface DeleteRunsResult {
  readonly folder: string;
  readonly deleted: readonly DeletedRun[];
  /** Active runs, which are not deleted. */
  readonly running: readonly string[];
  /** Runs whose results wait to be recorded, which are not deleted. */
  readonly waiting: readonly string[];
}

export interface DeletedRun {
  readonly run: string;
  readonly workflow: string;
  readonly state: ShownState;
}

/** A folder on its way out has such a name, so that nobody sees half a run. */
const leavingPrefix = ".deleted-";

/** Throws RUN_NOT_FOUND, RUN_STILL_RUNNING for a named run that is active, and CLI_USAGE when nothing limits it. */
export async function deleteRuns(
  options: DeleteRunsOptions,
  environment: Environment,
  ask: Ask,
): Promise<DeleteRunsResult> {
  const folder = runsFolder(options.runsDir, environment);
  if (options.runs.length === 0 && options.olderThanMs === undefined)
    throw new AppError("CLI_USAGE", "deleting runs: name them, or say --older-than AGE");
  const found = await chosen(options, folder, environment.cwd);
  const running = found.filter(({ record }) => shownState(record) === "running");
  const [first] = running;
  if (options.runs.length > 0 && first !== undefined)
    throw new AppError("RUN_STILL_RUNNING", `deleting ${first.record.id}: it is running`);
  const deleted: DeletedRun[] = [];
  const waiting: string[] = [];
  for (const run of found) {
    if (running.includes(run)) continue;
    checkAsk(ask, `deleting runs of ${folder}`);
    if (options.force !== true && (await resultsWait(run))) {
      waiting.push(run.record.id);
      continue;
    }
    await removeRun(run);
    await keepRun({ kind: "deleted", id: run.record.id }, environment);
    const { id, workflow } = run.record;
    deleted.push({ run: id, workflow, state: shownState(run.record) });
  }
  for (const place of new Set([folder, ...found.map(({ directory }) => dirname(directory))])) {
    await removeLeftovers(place);
    await pointToNewest(place);
  }
  return { folder, deleted, running: running.map(({ record }) => record.id), waiting };
}

/** Only a later run can record them, from this folder. A list that cannot be read is not taken for an empty one. */
async function resultsWait({ directory, record }: FoundRun): Promise<boolean> {
  if (record.cache === undefined) return false;
  return countWaiting(directory).then(
    (count) => count > 0,
    () => true,
  );
}

async function chosen(options: DeleteRunsOptions, folder: string, cwd: string): Promise<readonly FoundRun[]> {
  const before = Date.now() - (options.olderThanMs ?? 0);
  const all =
    options.runs.length === 0
      ? await listRuns(folder)
      : await Promise.all(options.runs.map((asked) => findRun(asked, folder, cwd)));
  const byPlace = new Map(all.map((run) => [run.directory, run]));
  return [...byPlace.values()].filter(({ record }) => Date.parse(record.startedAt) <= before);
}

async function removeRun({ directory }: FoundRun): Promise<void> {
  const runs = dirname(directory);
  const leaving = join(runs, `${leavingPrefix}${basename(directory)}`);
  try {
    await rename(directory, leaving);
    await rm(leaving, { recursive: true, force: true });
    await rm(join(runs, ".active", basename(directory)), { force: true });
  } catch (error) {
    throw new AppError("RUN_FOLDER_NOT_WRITABLE", `deleting the run in ${directory}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** What a deletion that was interrupted left. */
async function removeLeftovers(runs: string): Promise<void> {
  const names = await readdir(runs).catch(() => []);
  for (const name of names)
    if (name.startsWith(leavingPrefix)) await rm(join(runs, name), { recursive: true, force: true });
}

/** `_LAST` of a folder whose last run has gone: the newest that is left, or nothing. */
async function pointToNewest(runs: string): Promise<void> {
  const link = join(runs, "_LAST");
  const last = await readlink(link).catch(() => undefined);
  if (last === undefined || (await isThere(join(runs, last)))) return;
  const [newest] = await listRuns(runs);
  if (newest === undefined) return rm(link, { force: true });
  const near = join(runs, `.last-${process.pid}-deleted`);
  await symlink(basename(newest.directory), near);
  await rename(near, link);
}

async function isThere(folder: string): Promise<boolean> {
  try {
    await readdir(folder);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}
