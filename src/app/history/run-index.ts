/**
 * Where runs of the command line are, wherever their folders were made: a run in another folder is listed with the others,
 * and one whose folder was moved or deleted by hand is shown as such.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readRunJson } from "../../engine/index.ts";
import { defined } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { type RunRow, type RunSource, rowOf } from "../workflows/list-runs.ts";
import { keepLine, keptLines } from "./kept-lines.ts";

/** One line when a run begins, one when it ends, and one when it is deleted. */
type IndexLine =
  | {
      readonly kind: "began";
      readonly id: string;
      readonly directory: string;
      readonly workflow: string;
      readonly startedAt: string;
    }
  | ({ readonly kind: "ended"; readonly id: string } & Pick<
      RunRow,
      "state" | "endedAt" | "calls" | "savedSeconds"
    >)
  | { readonly kind: "deleted"; readonly id: string };

export function keepRun(line: IndexLine, environment: Environment): Promise<void> {
  return keepLine("runs", line, environment);
}

/** By id. */
async function knownRuns(environment: Environment): Promise<ReadonlyMap<string, RunRow>> {
  const rows = new Map<string, RunRow>();
  for (const line of await keptLines<IndexLine>("runs", environment)) {
    const row = rows.get(line.id);
    if (line.kind === "deleted") rows.delete(line.id);
    else if (line.kind === "began") {
      const { id, directory, workflow, startedAt } = line;
      rows.set(id, { id, origin: "home", workflow, state: "crashed", startedAt, directory });
    } else if (row !== undefined) {
      const { state, endedAt, calls, savedSeconds } = line;
      rows.set(line.id, { ...row, state, ...defined({ endedAt, calls, savedSeconds }) });
    }
  }
  return rows;
}

/** Folders of runs, whether they are still there or not. */
export async function knownFolders(environment: Environment): Promise<readonly string[]> {
  return [...(await knownRuns(environment)).values()].map(({ directory }) => directory);
}

/** The folder of a run that was made elsewhere; undefined = it is not known, or it is not there any more. */
export async function directoryOfRun(id: string, environment: Environment): Promise<string | undefined> {
  const row = (await knownRuns(environment)).get(id);
  const record = row === undefined ? undefined : await readRunJson(row.directory);
  return record?.id === id ? row?.directory : undefined;
}

/** A run whose folder is not there any more is not listed again; answers whether it was one. */
export async function forgetRun(id: string, environment: Environment): Promise<boolean> {
  const row = (await knownRuns(environment)).get(id);
  if (row === undefined || (await readRunJson(row.directory))?.id === id) return false;
  await keepRun({ kind: "deleted", id }, environment);
  return true;
}

/** Runs that are not in `folder`, newest first. */
export function runsElsewhere(folder: string, environment: Environment): RunSource {
  return {
    async *rows(after) {
      const rows = [...(await knownRuns(environment)).values()];
      const placed = rows
        .map((row) => ({ row, position: `${row.startedAt} ${row.id}` }))
        .sort((a, b) => (a.position < b.position ? 1 : -1));
      for (const { row, position } of placed) {
        if (after !== undefined && position >= after) continue;
        // Those that are there are listed with their folder, and not read a second time.
        if (row.directory === join(folder, row.id) && existsSync(join(row.directory, "run.json"))) continue;
        const record = await readRunJson(row.directory);
        const shown =
          record?.id === row.id ? rowOf({ record, directory: row.directory }) : { ...row, gone: true };
        yield { position, at: row.startedAt, row: shown };
      }
    },
  };
}
