/** `memoir runs diff` */
import { type RunJson, readEvents } from "../../../engine/index.ts";
import { type Ask, defined } from "../../../kernel/index.ts";
import { type Components, type Difference, differences } from "../../../keys/index.ts";
import type { Environment } from "../../environment.ts";
import { findCache, openCache } from "../cache-place.ts";
import { type FoundRun, findRun, runsFolder } from "../runs-folder.ts";
import { locationOf, type RunsOptions } from "./one-run.ts";

export interface DiffRow {
  readonly call: string;
  readonly change: "same" | "only-before" | "only-after" | "differs" | "unknown";
  readonly before?: string;
  readonly after?: string;
  readonly differences: readonly Difference[];
}

export interface DiffResult {
  readonly before: string;
  readonly after: string;
  readonly same: number;
  /** Calls that are not the same. */
  readonly rows: readonly DiffRow[];
}

export interface DiffOptions extends RunsOptions {
  readonly before: string;
  readonly after: string;
}

/** What two runs did differently, call by call, in the components of their keys. */
export async function diffRuns(
  options: DiffOptions,
  environment: Environment,
  ask: Ask,
): Promise<DiffResult> {
  const runs = runsFolder(options.runsDir, environment);
  const [before, after] = await Promise.all(
    [options.before, options.after].map((asked) => findRun(asked, runs, environment.cwd)),
  );
  if (before === undefined || after === undefined)
    throw new Error("invariant broken: two runs were asked for");
  const [a, b] = await Promise.all([keysOf(before, environment, ask), keysOf(after, environment, ask)]);
  const calls = [...new Set([...a.keys(), ...b.keys()])];
  const rows = calls.map((call) => diffRow(call, a.get(call), b.get(call)));
  return {
    before: before.record.id,
    after: after.record.id,
    same: rows.filter((row) => row.change === "same").length,
    rows: rows.filter((row) => row.change !== "same"),
  };
}

interface KnownCall {
  readonly state: string;
  readonly key?: string;
  readonly components?: Components;
}

function diffRow(call: string, before: KnownCall | undefined, after: KnownCall | undefined): DiffRow {
  const states = {
    ...defined({ before: before?.state, after: after?.state }),
  };
  if (before === undefined) return { call, change: "only-after", ...states, differences: [] };
  if (after === undefined) return { call, change: "only-before", ...states, differences: [] };
  if (before.key !== undefined && before.key === after.key)
    return { call, change: "same", ...states, differences: [] };
  if (before.components === undefined || after.components === undefined)
    return { call, change: "unknown", ...states, differences: [] };
  return {
    call,
    change: "differs",
    ...states,
    differences: differences(before.components, after.components),
  };
}

/** Components are in the run's events for computed calls, and in the entries for reused ones. */
async function keysOf(
  run: FoundRun,
  environment: Environment,
  ask: Ask,
): Promise<ReadonlyMap<string, KnownCall>> {
  const known = new Map<string, KnownCall>();
  const reused: { readonly call: string; readonly key: string }[] = [];
  for (const event of await readEvents(run.directory)) {
    if (event.kind === "call.asked") known.set(event.call, { state: "asked" });
    else if (event.kind === "call.missed")
      known.set(event.call, {
        state: "computed",
        ...defined({ key: event.key }),
        ...(event.components === undefined ? {} : { components: event.components as Components }),
      });
    else if (event.kind === "call.reused") {
      known.set(event.call, { state: "reused", key: event.key });
      reused.push(event);
    } else if (event.kind === "call.failed")
      known.set(event.call, { ...known.get(event.call), state: "failed" });
  }
  const uri = run.record.cache?.uri;
  if (reused.length === 0 || uri === undefined) return known;
  for (const [call, components] of await componentsFromCache(reused, run.record, environment, ask))
    known.set(call, { state: "reused", ...known.get(call), components });
  return known;
}

async function componentsFromCache(
  reused: readonly { readonly call: string; readonly key: string }[],
  record: RunJson,
  environment: Environment,
  ask: Ask,
): Promise<ReadonlyMap<string, Components>> {
  const components = new Map<string, Components>();
  try {
    const cache = await openCache(await findCache(locationOf(record), environment), environment, {}, ask);
    try {
      for (const { call, key } of reused) {
        const entry = await cache.entries.find(key as never, ask);
        if (entry !== undefined) components.set(call, entry.components as Components);
      }
    } finally {
      await cache.close();
    }
  } catch {
    // The cache may no longer exist; then the rows say that the difference is unknown.
  }
  return components;
}
