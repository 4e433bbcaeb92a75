/** What the engine has been up to, at a glance: from the records of runs, without reading their events. */
import { type Ask, defined, isAppError, messageOf } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { type PastRunOptions, pastRuns } from "../history/past-runs.ts";
import { pastPredictions } from "../history/prediction-history.ts";
import { releaseOf, secondsPerRow } from "../history/row-costs.ts";
import type { ListedRun } from "../workflows/list-runs.ts";

export interface HomeDay {
  /** `2026-01-31`, in UTC. */
  readonly day: string;
  readonly reused: number;
  readonly computed: number;
  readonly failed: number;
  readonly rowsReused: number;
  readonly rowsComputed: number;
  readonly savedSeconds: number;
}

export interface HomePage {
  readonly running: readonly ListedRun[];
  /** Every day of the last 30, oldest first. */
  readonly days: readonly HomeDay[];
  readonly saved: { readonly calls: number; readonly rows: number; readonly seconds: number };
  readonly failures: readonly {
    readonly run: string;
    readonly workflow: string;
    readonly at: string;
    readonly message: string;
  }[];
  readonly caches: readonly HomeCache[];
  readonly notes: readonly string[];
}

export interface HomeCache {
  readonly ref: string;
  readonly name?: string;
  readonly entries: number;
  readonly bytes: number;
}

const shownDays = 30;
const dayMs = 24 * 60 * 60 * 1000;
const mostFailures = 10;

export interface HomeParts {
  readonly whose: PastRunOptions["whose"];
  readonly runs: readonly ListedRun[];
  readonly caches: readonly { readonly ref: string; readonly name?: string }[];
  readonly sizeOf: (ref: string) => Promise<{ readonly entries: number; readonly bytes: number }>;
  readonly environment: Environment;
}

export async function homePage(parts: HomeParts, ask: Ask): Promise<HomePage> {
  const { environment, whose } = parts;
  const now = Date.now();
  const days = new Map<string, { -readonly [Name in keyof HomeDay]: HomeDay[Name] }>();
  for (let back = shownDays - 1; back >= 0; back--) {
    const day = new Date(now - back * dayMs).toISOString().slice(0, 10);
    const none = { reused: 0, computed: 0, failed: 0, rowsReused: 0, rowsComputed: 0, savedSeconds: 0 };
    days.set(day, { day, ...none });
  }
  const failures: HomePage["failures"][number][] = [];
  const since = now - shownDays * dayMs;
  for await (const { record, id } of pastRuns({ since, ...defined({ whose }) }, environment, ask)) {
    const day = days.get(record.startedAt.slice(0, 10));
    if (day !== undefined) {
      day.reused += record.calls?.reused ?? 0;
      day.computed += record.calls?.computed ?? 0;
      day.failed += record.calls?.failed ?? 0;
      day.savedSeconds += record.savedSeconds ?? 0;
    }
    if (record.state === "failed")
      failures.push({
        ...{ run: id ?? record.id, workflow: record.workflow, at: record.endedAt ?? record.startedAt },
        message: (record.failures?.[0] ?? "").split("\n")[0] ?? "",
      });
  }
  let rows = 0;
  if (whose?.home !== false) {
    const past = await pastPredictions(environment);
    const costs = await secondsPerRow(past, environment);
    for (const run of past) {
      const day = days.get(run.at.slice(0, 10));
      if (day === undefined) continue;
      day.rowsReused += run.reused;
      day.rowsComputed += run.computed;
      day.savedSeconds += run.reused * (costs.get(releaseOf(run)) ?? 0);
      rows += run.reused;
    }
  }
  const shown = [...days.values()];
  const { caches, notes } = await sizes(parts);
  return {
    running: parts.runs.filter(({ state }) => state === "running" || state === "pending"),
    days: shown,
    saved: {
      calls: shown.reduce((sum, { reused }) => sum + reused, 0),
      rows,
      seconds: shown.reduce((sum, { savedSeconds }) => sum + savedSeconds, 0),
    },
    failures: failures.toSorted((a, b) => (a.at < b.at ? 1 : -1)).slice(0, mostFailures),
    caches,
    notes,
  };
}

/** A cache that cannot be opened is a note, and not the end of the page. */
async function sizes({ caches, sizeOf }: HomeParts): Promise<Pick<HomePage, "caches" | "notes">> {
  const found: HomeCache[] = [];
  const notes: string[] = [];
  for (const { ref, name } of caches)
    try {
      found.push({ ref, ...defined({ name }), ...(await sizeOf(ref)) });
    } catch (error) {
      if (!isAppError(error) || error.code === "RUN_INTERRUPTED") throw error;
      notes.push(`${name ?? ref}: ${messageOf(error)}`);
    }
  return { caches: found.toSorted((a, b) => b.bytes - a.bytes), notes };
}
