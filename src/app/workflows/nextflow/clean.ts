/**
 * `nextflow clean`: removes the folders of tasks, and what the run kept. What another run of the launch folder still
 * uses stays, and caches that are shared with others are never touched.
 */
import { lstatSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { AppError } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { History, type HistoryRow } from "./history.ts";
import { type ChosenRuns, chosenRuns } from "./log.ts";
import { readIndex, removeIndex, type TaskIndex } from "./task-index.ts";
import { isOurs } from "./work-folders.ts";

export interface CleanOptions extends ChosenRuns {
  readonly dryRun: boolean;
  readonly force: boolean;
  /** Only links to results are removed; streams and scripts stay. */
  readonly keepLogs: boolean;
}

export interface CleanedTask {
  readonly workdir: string;
  /** It is only said what would be done. */
  readonly dryRun: boolean;
  readonly keepLogs: boolean;
}

export function cleanRuns(
  options: CleanOptions,
  { cwd }: Environment,
  onTask: (task: CleanedTask) => void,
): void {
  const { dryRun, force, keepLogs } = options;
  if (!dryRun && !force) throw new AppError("CLI_USAGE", "Neither -f or -n specified -- refused to clean");
  const history = new History(cwd);
  const rows = history.rows();
  const chosen = chosenRuns(rows, options);
  const others = rows.filter((row) => !chosen.includes(row));
  const used = new Set(others.flatMap((row) => workdirsOf(readIndex(cwd, row))));
  for (const row of chosen) {
    const index = readIndex(cwd, row);
    for (const workdir of workdirsOf(index)) {
      if (used.has(workdir) || index === undefined || !isTaskFolder(workdir, index.workDir)) continue;
      used.add(workdir);
      if (!dryRun) emptyFolder(workdir, keepLogs);
      onTask({ workdir, dryRun, keepLogs });
    }
    if (dryRun || keepLogs) continue;
    if (index !== undefined) removeKept(index, remaining(rows, chosen, row));
    removeIndex(cwd, row);
    history.remove(row);
  }
}

/** Runs of the same session that stay. */
function remaining(
  rows: readonly HistoryRow[],
  chosen: readonly HistoryRow[],
  row: HistoryRow,
): readonly HistoryRow[] {
  return rows.filter((each) => each.session === row.session && !chosen.includes(each));
}

function workdirsOf(index: TaskIndex | undefined): readonly string[] {
  return (index?.tasks ?? []).flatMap(({ workdir }) => workdir ?? []);
}

/** `ab/cdef…` below the work folder: nothing else is removed, whatever an index says. */
function isTaskFolder(workdir: string, workDir: string): boolean {
  if (!/^[0-9a-f]{2}\/[0-9a-f]{30}$/.test(relative(workDir, workdir))) return false;
  return lstatSync(workdir, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Files that somebody has put there are theirs and stay. */
function emptyFolder(folder: string, keepLogs: boolean): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const ours = isOurs(name);
    if (ours ? !keepLogs : lstatSync(path).isSymbolicLink()) rmSync(path, { force: true });
  }
  if (keepLogs) return;
  for (const each of [folder, dirname(folder)]) {
    try {
      rmdirSync(each);
    } catch {
      // It is not empty.
      return;
    }
  }
}

/** What the session kept, when none of its runs is left. */
function removeKept({ workDir, session }: TaskIndex, left: readonly HistoryRow[]): void {
  if (left.length > 0 || !/^[\w-]+$/.test(session)) return;
  rmSync(join(workDir, ".memoir", session), { recursive: true, force: true });
}
