/** Two runs side by side: their inputs, calls, outputs and times. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DiffResult, DiffRow } from "../workflows/runs/diff.ts";
import type { CallFold } from "./call-folds.ts";

export interface RunComparison {
  readonly before: string;
  readonly after: string;
  /** Names whose values differ, as JSON text. */
  readonly inputs: readonly ValueDifference[];
  readonly outputs: readonly ValueDifference[];
  readonly same: number;
  /** Calls that are not the same. */
  readonly rows: readonly DiffRow[];
  /** Seconds between the request and the end of calls that both have. */
  readonly times: readonly {
    readonly call: string;
    readonly before: number;
    readonly after: number;
  }[];
}

interface ValueDifference {
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
}

export interface ComparedRun {
  readonly id: string;
  readonly directory: string;
  readonly fold: CallFold;
}

export async function compareRuns(
  before: ComparedRun,
  after: ComparedRun,
  diff: DiffResult,
): Promise<RunComparison> {
  const differences = async (name: string, ignores: (text: string, run: ComparedRun) => string) => {
    const [a, b] = await Promise.all([valuesOf(before, name, ignores), valuesOf(after, name, ignores)]);
    return [...new Set([...a.keys(), ...b.keys()])].flatMap((key) => {
      const [x, y] = [a.get(key), b.get(key)];
      if (x === y) return [];
      return [
        { name: key, ...(x === undefined ? {} : { before: x }), ...(y === undefined ? {} : { after: y }) },
      ];
    });
  };
  return {
    ...{ before: before.id, after: after.id, same: diff.same, rows: diff.rows },
    inputs: await differences("inputs.json", (text) => text),
    // Where a run lies says nothing about its outputs.
    outputs: await differences("outputs.json", (text, run) => text.replaceAll(`${run.directory}/out/`, "")),
    times: [...before.fold.rows.values()].flatMap((row) => {
      const other = after.fold.rows.get(row.call);
      if (row.endedAt === undefined || other?.endedAt === undefined) return [];
      const seconds = (from: number, to: number) => (to - from) / 1000;
      return [
        {
          call: row.call,
          before: seconds(row.askedAt, row.endedAt),
          after: seconds(other.askedAt, other.endedAt),
        },
      ];
    }),
  };
}

async function valuesOf(
  run: ComparedRun,
  name: string,
  changed: (text: string, run: ComparedRun) => string,
): Promise<ReadonlyMap<string, string>> {
  try {
    const value: unknown = JSON.parse(await readFile(join(run.directory, name), "utf8"));
    if (typeof value !== "object" || value === null) return new Map();
    return new Map(
      Object.entries(value).map(([key, each]) => [key, changed(JSON.stringify(each), run)] as const),
    );
  } catch {
    // A run that has no outputs yet, or whose folder was tidied.
    return new Map();
  }
}
