/** `memoir runs …`: what ran, what came out, why it failed. Everything is read from the runs' folders. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type CallRow,
  callRows,
  type RunJson,
  readEvents,
  readRunJson,
  type ShownState,
  shownState,
  type TimedEvent,
} from "../../engine/index.ts";
import { AppError, type Ask, ExactJson, messageOf, pause, systemErrorCode } from "../../kernel/index.ts";
import { type Components, type Difference, differences } from "../../keys/index.ts";
import { readTail } from "../../process/index.ts";
import type { Environment } from "../environment.ts";
import { findCache, openCache } from "./cache-place.ts";
import { homeRuns, type ListWish, listRunPage, type RunPage, type RunRow, rowOf } from "./list-runs.ts";
import { type FoundRun, findRun, runsFolder } from "./runs-folder.ts";

export interface RunsWish {
  readonly runsDir?: string;
}

export interface OneRunWish extends RunsWish {
  /** Id, its beginning or end, a folder; default: the last run. */
  readonly run?: string;
}

export async function list(wish: RunsWish & ListWish, environment: Environment): Promise<RunList> {
  const folder = runsFolder(wish.runsDir, environment);
  return { folder, ...(await listRunPage({ home: homeRuns(folder) }, wish)) };
}

export interface RunList extends RunPage {
  /** Of the runs of the command line. */
  readonly folder?: string;
}

export interface ShowResult extends RunRow {
  readonly record: RunJson;
  readonly rows: readonly CallRow[];
  /** Trouble with the cache and other words of the run. */
  readonly notes: readonly string[];
}

export async function show(wish: OneRunWish, environment: Environment): Promise<ShowResult> {
  const found = await findRun(wish.run, runsFolder(wish.runsDir, environment), environment.cwd);
  const events = await readEvents(found.directory);
  return { ...rowOf(found), record: found.record, rows: callRows(events), notes: events.flatMap(noteOf) };
}

function noteOf(event: TimedEvent): readonly string[] {
  if (event.kind === "cache.trouble") return [`cache, ${event.doing}: ${event.words}`];
  if (event.kind === "call.not-recorded") return [`${event.call} was not recorded: ${event.words}`];
  if (event.kind === "log") return [event.words];
  if (event.kind === "recheck.ended" && event.result !== "same")
    return [`recheck of ${event.call}: ${event.result} ${event.outputs.join(", ")}`];
  return [];
}

export interface LogsResult {
  readonly run: string;
  readonly calls: readonly {
    readonly call: string;
    readonly state: string;
    readonly directory?: string;
    readonly command?: string;
    readonly stdout?: string;
    readonly stderr?: string;
    readonly exitCode?: number;
    /** Both streams, of calls of the server whose folders are gone. */
    readonly log?: string;
  }[];
}

const logTailBytes = 64 << 10;

/** Output streams of calls; without a call those of the failed ones, or of all when none failed. */
export async function logs(
  wish: OneRunWish & { readonly call?: string },
  environment: Environment,
): Promise<LogsResult> {
  const { record, directory } = await findRun(
    wish.run,
    runsFolder(wish.runsDir, environment),
    environment.cwd,
  );
  const rows = callRows(await readEvents(directory));
  const chosen = chooseRows(rows, wish.call, record.id);
  return { run: record.id, calls: await Promise.all(chosen.map(logOf)) };
}

function chooseRows(rows: readonly CallRow[], asked: string | undefined, run: string): readonly CallRow[] {
  if (asked === undefined) {
    const failed = rows.filter((row) => row.state === "failed");
    return failed.length > 0 ? failed : rows;
  }
  const named = rows.filter((row) => isCall(row, asked));
  if (named.length > 0) return named;
  throw new AppError(
    "RUN_NOT_FOUND",
    `looking for the call ${asked} in the run ${run}: there is none of this name`,
  );
}

/** By path, by its end, or by task. */
function isCall(row: CallRow, asked: string): boolean {
  return row.call === asked || row.call.endsWith(`.${asked}`) || row.task === asked;
}

async function logOf(row: CallRow): Promise<LogsResult["calls"][number]> {
  const { call, state, directory } = row;
  if (directory === undefined) return { call, state };
  const text = (name: string) =>
    readTail(join(directory, name), logTailBytes).then(
      (tail) => tail.text,
      () => undefined,
    );
  const [command, stdout, stderr, rc] = await Promise.all(["command", "stdout", "stderr", "rc"].map(text));
  return {
    call,
    state,
    directory,
    ...(command === undefined ? {} : { command }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    ...(rc === undefined || rc.trim() === "" ? {} : { exitCode: Number(rc) }),
  };
}

export interface OutputsResult {
  readonly run: string;
  readonly file: string;
  /** As in `outputs.json`. */
  readonly outputs: ExactJson;
  readonly text: string;
}

export async function outputs(wish: OneRunWish, environment: Environment): Promise<OutputsResult> {
  const { record, directory } = await findRun(
    wish.run,
    runsFolder(wish.runsDir, environment),
    environment.cwd,
  );
  const file = join(directory, "outputs.json");
  try {
    const text = await readFile(file, "utf8");
    return { run: record.id, file, outputs: new ExactJson(text.trimEnd()), text };
  } catch (error) {
    const state = shownState(record);
    const isMissing = systemErrorCode(error) === "ENOENT";
    const why = isMissing ? `it is ${state}, and only runs that succeed have outputs` : messageOf(error);
    throw new AppError(
      isMissing ? "RUN_WITHOUT_OUTPUTS" : "FILE_NOT_READABLE",
      `reading the outputs of ${record.id}: ${why}`,
      { cause: error },
    );
  }
}

export interface CancelResult {
  readonly run: string;
  readonly state: ShownState;
}

const cancelWaitMs = 60_000;

/** Asks the run to stop, and waits until it has. Throws RUN_NOT_RUNNING. */
export async function cancel(wish: OneRunWish, environment: Environment, ask: Ask): Promise<CancelResult> {
  const { record, directory } = await findRun(
    wish.run,
    runsFolder(wish.runsDir, environment),
    environment.cwd,
  );
  if (shownState(record) !== "running")
    throw new AppError("RUN_NOT_RUNNING", `cancelling ${record.id}: it is ${shownState(record)}`);
  await writeFile(join(directory, "cancel"), "");
  const until = Date.now() + cancelWaitMs;
  let now: RunJson = record;
  while (shownState(now) === "running" && Date.now() < until && !ask.signal.aborted) {
    await pause(200, ask);
    now = (await readRunJson(directory)) ?? now;
  }
  return { run: record.id, state: shownState(now) };
}

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

/** What two runs did differently, call by call, in the components of their keys. */
export async function diff(
  wish: RunsWish & { readonly before: string; readonly after: string },
  environment: Environment,
  ask: Ask,
): Promise<DiffResult> {
  const runs = runsFolder(wish.runsDir, environment);
  const [before, after] = await Promise.all(
    [wish.before, wish.after].map((asked) => findRun(asked, runs, environment.cwd)),
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
    ...(before === undefined ? {} : { before: before.state }),
    ...(after === undefined ? {} : { after: after.state }),
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
        ...(event.key === undefined ? {} : { key: event.key }),
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
    // The cache may be gone; then the rows say that the difference is unknown.
  }
  return components;
}

/** The location that a run's cache has: its URI without the uuid. */
export function locationOf(record: RunJson): string {
  const uri = (record.cache?.uri ?? "").replace(/\/[0-9a-f-]{36}$/, "");
  return uri.startsWith("file://") ? decodeURIComponent(new URL(uri).pathname) : uri;
}
