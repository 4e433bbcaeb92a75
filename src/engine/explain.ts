/**
 * Why calls were not reused: for every one the nearest recorded entry (the same task, the fewest differing components)
 * and the components that differ. Read from the run's events and one walk through the cache.
 */

import { AppError, type Ask, type CallKey, defined } from "../kernel/index.ts";
import { type Components, type Difference, differences } from "../keys/index.ts";
import { type Entry, type EntryStore, entryVersion, type OtherVersion } from "../store/entries/index.ts";
import type { CanonicalJson } from "../task/index.ts";
import type { MissReason, TimedEvent } from "./events.ts";
import { readEvents } from "./run-folder.ts";

export interface NearestEntry {
  readonly uuid: string;
  readonly uri: string;
  readonly run: string;
  readonly call: string;
  readonly task: string;
  readonly createdAt: string;
}

export interface Explanation {
  readonly call: string;
  readonly task: string;
  readonly key?: CallKey;
  readonly reason: MissReason;
  readonly nearest?: NearestEntry;
  /** Before = the nearest entry, after = this call. */
  readonly differences: readonly Difference[];
  /** One sentence for people. */
  readonly words: string;
}

export interface RunExplanation {
  readonly run: string;
  readonly reused: number;
  readonly computed: readonly Explanation[];
}

type ComponentValues = Readonly<Record<string, CanonicalJson>>;
type Missed = Extract<TimedEvent, { kind: "call.missed" }>;

/** `call`: only this call, by its path in the run or the end of it. */
export async function explainRun(
  run: { readonly directory: string; readonly id: string; readonly call?: string },
  store: EntryStore | undefined,
  ask: Ask,
): Promise<RunExplanation> {
  const events = await readEvents(run.directory);
  const missed = events.filter(
    (event): event is Missed =>
      event.kind === "call.missed" && (run.call === undefined || isCall(event.call, run.call)),
  );
  const reused = events.filter(
    (event) =>
      (event.kind === "call.reused" || event.kind === "call.joined") &&
      (run.call === undefined || isCall(event.call, run.call)),
  );
  if (run.call !== undefined && missed.length === 0 && reused.length === 0)
    throw new AppError(
      "RUN_NOT_FOUND",
      `looking for the call ${run.call} in the run ${run.id}: there is none of this name`,
    );
  const candidates = await entriesFor(missed, run.id, store, ask);
  const others = await othersFor(missed, candidates, store, ask);
  return {
    run: run.id,
    reused: reused.filter((event) => event.kind === "call.reused").length,
    computed: missed.map((event) => explain(event, candidates, others)),
  };
}

/** Of other versions of Memoir; looked for only where nothing of this version explains a miss. */
async function othersFor(
  missed: readonly Missed[],
  candidates: readonly Entry[],
  store: EntryStore | undefined,
  ask: Ask,
): Promise<readonly OtherVersion[]> {
  const known = new Set(candidates.map((entry) => entry.taskName));
  const unexplained = new Set(
    missed
      .filter(({ reason, task }) => reason.kind === "no-entry" && !known.has(task))
      .map(({ task }) => task),
  );
  if (store === undefined || unexplained.size === 0) return [];
  const others: OtherVersion[] = [];
  for await (const other of store.listOtherVersions(ask))
    if (unexplained.has(other.taskName)) others.push(other);
  return others;
}

function otherVersionMessage(task: string, others: readonly OtherVersion[]): string {
  const versions = others.filter((other) => other.taskName === task).map(({ version }) => version);
  if (versions.length === 0) return `no result of a task named ${task} was recorded before`;
  const newest = Math.max(...versions);
  const which = newest > entryVersion ? "a newer" : "an older";
  return `a result of ${task} was recorded by ${which} version of Memoir (its entries are of version ${newest}, this version's of ${entryVersion}), which is not reused`;
}

function isCall(path: string, asked: string): boolean {
  return (
    path === asked || path.endsWith(`.${asked}`) || path.replace(/\[[^\]]*\]$/, "").endsWith(`.${asked}`)
  );
}

/** Why a call with these components has no entry, given the entries that could be meant. */
export function explain(
  missed: Missed,
  entries: readonly Entry[],
  others: readonly OtherVersion[] = [],
): Explanation {
  const { call, task, reason, key, components } = missed;
  const known = { call, task, reason, ...defined({ key }) };
  if (reason.kind !== "no-entry" || components === undefined)
    return {
      ...known,
      differences: [],
      words: reason.kind === "no-entry" ? "nothing was recorded" : reason.words,
    };
  const nearest = nearestOf({ components, task, call }, entries);
  if (nearest === undefined) return { ...known, differences: [], words: otherVersionMessage(task, others) };
  const found = differences(nearest.components, components);
  const words =
    found.length === 0
      ? "an equal call was recorded, but its files were missing, damaged or not written yet"
      : found.map((difference) => difference.words).join("; ");
  return { ...known, nearest: factsOf(nearest), differences: found, words };
}

/** Entries of the tasks in question, made by other runs, newest first. */
async function entriesFor(
  missed: readonly Missed[],
  runId: string,
  store: EntryStore | undefined,
  ask: Ask,
): Promise<readonly Entry[]> {
  const keyed = missed.filter((event) => event.components !== undefined);
  if (store === undefined || keyed.length === 0) return [];
  const tasks = new Set(keyed.map((event) => event.task));
  const commands = new Set(keyed.map((event) => event.components?.["command"]));
  const entries: Entry[] = [];
  for await (const entry of store.list(ask)) {
    if (entry.runId === runId) continue;
    if (tasks.has(entry.taskName) || commands.has(entry.components["command"])) entries.push(entry);
  }
  return entries.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
}

/**
 * Of equally near ones that of the same call (`sample[3]` is explained by `sample[3]`), then the one whose script differs
 * in the fewest characters (of `sample A`, not of `sample B`), then the newest.
 */
function nearestOf(
  { components, task, call }: Pick<Missed, "task" | "call"> & { readonly components: ComponentValues },
  entries: readonly Entry[],
): Entry | undefined {
  const sameTask = entries.filter((entry) => entry.taskName === task);
  const renamed = sameTask.length === 0;
  // A task that was renamed is found by its command.
  const candidates = renamed
    ? entries.filter((entry) => entry.components["command"] === components["command"])
    : sameTask;
  let nearest: Entry | undefined;
  let fewest: Distance = [];
  for (const entry of candidates) {
    const found = differences(entry.components, components as Components);
    // A command that only starts a script says nothing: another script is another task.
    if (renamed && found.some(({ lines }) => lines !== undefined)) continue;
    const distance = [
      // Components weigh most, the number of parts inside them decides between equals.
      new Set(found.map((difference) => difference.component)).size,
      found.length,
      entry.callPath === call ? 0 : 1,
      found.reduce((sum, { lines = [] }) => sum + differingCharacters(lines), 0),
    ];
    if (nearest === undefined || isLess(distance, fewest)) {
      nearest = entry;
      fewest = distance;
    }
  }
  return nearest;
}

/** Each member decides only between equals of those before it. */
type Distance = readonly number[];

function isLess(a: Distance, b: Distance): boolean {
  const at = a.findIndex((each, index) => each !== b[index]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

/** What is between the common beginning and the common end of the removed and the added lines. */
function differingCharacters(lines: readonly string[]): number {
  const [before = "", after = ""] = ["-", "+"].map((sign) =>
    lines
      .filter((line) => line.startsWith(sign))
      .map((line) => line.slice(1))
      .join("\n"),
  );
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return before.length + after.length - 2 * (start + end);
}

function factsOf(entry: Entry): NearestEntry {
  return {
    uuid: entry.uuid,
    uri: entry.uri,
    run: entry.runId,
    call: entry.callPath,
    task: entry.taskName,
    createdAt: entry.createdAt.toISOString(),
  };
}
