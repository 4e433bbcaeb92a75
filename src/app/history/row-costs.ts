/** What a row of a model costs to compute: of all runs that computed some, also of those that the history has dropped. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../environment.ts";
import { writeOwn } from "../page/page-file.ts";

/** Of a run of predictions. */
export interface CostFacts {
  /** ISO 8601: when the run ended. */
  readonly at: string;
  readonly model: string;
  readonly release: string;
  readonly computed: number;
  /** Of the whole run. */
  readonly seconds: number;
  /** Its rows were computed by other runs, which are counted. */
  readonly isMerge?: boolean;
}

interface Sum {
  readonly seconds: number;
  readonly rows: number;
}

/** Sums of dropped runs. */
interface DroppedCosts {
  /** When the last of them ended: what ended earlier is counted already. */
  readonly until: string;
  readonly releases: Readonly<Record<string, Sum>>;
}

type Home = Pick<Environment, "home">;

/** Mean seconds of a computed row, by `releaseOf`. */
export async function secondsPerRow(
  past: readonly CostFacts[],
  environment: Home,
): Promise<ReadonlyMap<string, number>> {
  const { until, releases } = await droppedCosts(environment);
  const sums = sumsOf(since(until, past), new Map(Object.entries(releases)));
  return new Map([...sums].map(([name, { seconds, rows }]) => [name, seconds / rows]));
}

/** Runs that are about to leave the history, as lines of it. */
export async function keepCosts(dropped: readonly object[], environment: Home): Promise<void> {
  const { until, releases } = await droppedCosts(environment);
  const later = since(until, dropped);
  // Lines are in the order in which they were written, and clocks of several machines may differ.
  const last = later
    .map(({ at }) => at)
    .sort()
    .at(-1);
  if (last === undefined) return;
  const sums = sumsOf(later, new Map(Object.entries(releases)));
  const costs: DroppedCosts = { until: last, releases: Object.fromEntries(sums) };
  await writeOwn(fileOf(environment), `${JSON.stringify(costs)}\n`);
}

/** What ended earlier is counted already, also where a kill left it in the history. */
function since(until: string, facts: readonly object[]): readonly CostFacts[] {
  return facts.filter(isCostFacts).filter(({ at }) => at > until);
}

function isCostFacts(fact: object): fact is CostFacts {
  const { at, model, release, computed, seconds } = fact as Partial<Record<keyof CostFacts, unknown>>;
  return [at, model, release].every((each) => typeof each === "string") && areNumbers([computed, seconds]);
}

function areNumbers(values: readonly unknown[]): boolean {
  return values.every((each) => Number.isFinite(each));
}

export function releaseOf({ model, release }: Pick<CostFacts, "model" | "release">): string {
  return `${model} ${release}`;
}

/** The whole time of a run counts for the rows that it computed; looking up takes hardly any. */
function sumsOf(runs: readonly CostFacts[], earlier: ReadonlyMap<string, Sum>): ReadonlyMap<string, Sum> {
  const sums = new Map(earlier);
  for (const run of runs) {
    if (run.computed === 0 || run.isMerge === true) continue;
    const { seconds, rows } = sums.get(releaseOf(run)) ?? { seconds: 0, rows: 0 };
    sums.set(releaseOf(run), { seconds: seconds + run.seconds, rows: rows + run.computed });
  }
  return sums;
}

function fileOf({ home }: Home): string {
  return join(home, "history", "row-costs.json");
}

const noCosts: DroppedCosts = { until: "", releases: {} };

/** A damaged file counts as none: costs decide nothing but figures. */
async function droppedCosts(environment: Home): Promise<DroppedCosts> {
  try {
    const { until, releases } = JSON.parse(await readFile(fileOf(environment), "utf8")) as DroppedCosts;
    const isWhole = ([, sum]: readonly [string, Sum]) => areNumbers([sum.seconds, sum.rows]) && sum.rows > 0;
    // Without it nobody knows what is counted.
    if (typeof until !== "string" || !areNumbers([Date.parse(until)])) return noCosts;
    return { until, releases: Object.fromEntries(Object.entries(releases).filter(isWhole)) };
  } catch {
    return noCosts;
  }
}
