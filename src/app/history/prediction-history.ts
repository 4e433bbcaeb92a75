/** What runs of predictions reused and computed, one line a run. */
import type { RunResult } from "../../predict/index.ts";
import type { Environment } from "../environment.ts";
import { keepLine, keptLines } from "./kept-lines.ts";

export interface PastPredictions {
  /** ISO 8601: when the run ended. */
  readonly at: string;
  readonly model: string;
  readonly release: string;
  readonly reused: number;
  readonly computed: number;
  readonly failed: number;
  /** Of the whole run. */
  readonly seconds: number;
}

export async function keepPredictions(
  { model, release, counts, seconds }: RunResult,
  environment: Environment,
): Promise<void> {
  const reused = counts.reusedLocal + counts.reusedCloud;
  const { computed, failed } = counts;
  if (reused + computed + failed === 0) return;
  const at = new Date().toISOString();
  const fact: PastPredictions = { at, model, release, reused, computed, failed, seconds };
  await keepLine("predictions", fact, environment);
}

export function pastPredictions(environment: Environment): Promise<readonly PastPredictions[]> {
  return keptLines<PastPredictions>("predictions", environment);
}

/** Mean seconds of a computed row, by model and release: of all runs that computed some. */
export function secondsPerRow(past: readonly PastPredictions[]): ReadonlyMap<string, number> {
  const sums = new Map<string, { seconds: number; rows: number }>();
  for (const run of past) {
    if (run.computed === 0) continue;
    const sum = sums.get(releaseOf(run)) ?? { seconds: 0, rows: 0 };
    // The part of the run that was not answered by a cache; looking up takes hardly any time.
    sum.seconds += run.seconds;
    sum.rows += run.computed;
    sums.set(releaseOf(run), sum);
  }
  return new Map([...sums].map(([name, { seconds, rows }]) => [name, seconds / rows]));
}

export function releaseOf({ model, release }: Pick<PastPredictions, "model" | "release">): string {
  return `${model} ${release}`;
}
