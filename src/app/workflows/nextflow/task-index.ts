/** `.nextflow/cache/<session>/index.<run>`: the tasks of a run, for `nextflow log` and `nextflow clean`. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TaskRecord } from "./task-record.ts";

export interface IndexFacts {
  readonly session: string;
  readonly runName: string;
  readonly runId: string;
  /** Absolute. */
  readonly workDir: string;
  /** Its results are in a cache that others use, too. */
  readonly shared: boolean;
}

export interface TaskIndex extends IndexFacts {
  readonly tasks: readonly TaskRecord[];
}

type Place = Pick<IndexFacts, "session" | "runName">;

export function writeIndex(launchDir: string, facts: IndexFacts, tasks: readonly TaskRecord[]): void {
  const file = fileOf(launchDir, facts);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, [facts, ...tasks].map((each) => `${JSON.stringify(each)}\n`).join(""));
}

/** undefined: the run left none, or it was cleaned. */
export function readIndex(launchDir: string, place: Place): TaskIndex | undefined {
  let text: string;
  try {
    text = readFileSync(fileOf(launchDir, place), "utf8");
  } catch {
    return undefined;
  }
  try {
    const [facts, ...tasks] = text
      .split("\n")
      .filter((line) => line !== "")
      .map((line): unknown => JSON.parse(line));
    return { ...(facts as IndexFacts), tasks: tasks as TaskRecord[] };
  } catch {
    return undefined;
  }
}

export function removeIndex(launchDir: string, place: Place): void {
  rmSync(fileOf(launchDir, place), { force: true });
}

function fileOf(launchDir: string, { session, runName }: Place): string {
  return join(launchDir, ".nextflow", "cache", session, `index.${runName}`);
}
