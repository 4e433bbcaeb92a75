/**
 * Taking up what earlier runs left behind: results that are finished and not recorded are recorded now, and attempts that outlived the process (containers) are finished by the next run of the same workflow.
 */
import { join } from "node:path";
import type { CallKey } from "../kernel/index.ts";
import { type Ask, defined, messageOf } from "../kernel/index.ts";
import type { Emit, TimedEvent } from "./events.ts";
import { recordLeftovers } from "./leftover-results.ts";
import {
  claimUnfinishedRuns,
  type RunJson,
  readEvents,
  releaseCrashedRun,
  settleCrashedRun,
} from "./run-folder.ts";
import type { RunCacheParts } from "./run-parts.ts";
import { countWaiting } from "./waiting-results.ts";

/** An attempt that an earlier process started and nobody has seen the end of. */
export interface Orphan {
  readonly attemptId: string;
  readonly directory: string;
  readonly call: string;
  readonly fromRun: string;
  /** What its inputs were; undefined where that is not known. */
  readonly inputs?: string;
  /** By its name in the run; absent = the run's own. */
  readonly executor?: string;
}

export interface TakenUp {
  readonly orphans: ReadonlyMap<CallKey, Orphan>;
  /** Call when the run has ended: nobody needs the crashed runs any more. */
  settle(): Promise<void>;
}

export async function takeUpCrashedRuns(
  run: {
    readonly runs: string;
    /** Only the same workflow takes up attempts: it asks for the same calls. */
    readonly source: string;
    readonly cache: RunCacheParts | undefined;
    readonly emit: Emit;
  },
  ask: Ask,
): Promise<TakenUp> {
  const { cache } = run;
  const sameCache = ({ cache: its }: RunJson) =>
    cache !== undefined &&
    (its?.uri === cache.store.uri || (its !== undefined && its.uri === cache.location));
  const wanted = (record: RunJson) => record.source === run.source || sameCache(record);
  const orphans = new Map<CallKey, Orphan>();
  const settled: string[] = [];
  const released: string[] = [];
  for (const record of await claimUnfinishedRuns(run.runs, wanted)) {
    const directory = join(run.runs, record.id);
    // A cache that is not open yet is not waited for here: what is left waits for the next run.
    const whole =
      cache === undefined || cache.opensLater === true || !sameCache(record)
        ? await nothingWaits(directory)
        : await recordWaiting(directory, record, { cache, emit: run.emit }, ask);
    const ended = record.state !== "running";
    if (ended && whole) await settleCrashedRun(run.runs, record.id);
    else if (ended || record.source !== run.source) await releaseCrashedRun(run.runs, record.id);
    if (ended || record.source !== run.source) continue;
    (whole ? settled : released).push(record.id);
    for (const [key, orphan] of orphansOf(await readEvents(directory), record.id)) orphans.set(key, orphan);
  }
  return {
    orphans,
    settle: async () => {
      for (const id of settled) await settleCrashedRun(run.runs, id);
      for (const id of released) await releaseCrashedRun(run.runs, id);
    },
  };
}

/** A list that cannot be read is not taken for an empty one. */
async function nothingWaits(directory: string): Promise<boolean> {
  return countWaiting(directory).then(
    (waiting) => waiting === 0,
    () => false,
  );
}

/** Whether nothing of that run waits any more. */
async function recordWaiting(
  directory: string,
  record: RunJson,
  to: { readonly cache: RunCacheParts; readonly emit: Emit },
  ask: Ask,
): Promise<boolean> {
  const trouble = (words: string) =>
    to.emit({ kind: "cache.trouble", doing: "recording", words: `results of ${record.id}: ${words}` });
  try {
    const { recorded, refused, waiting } = await recordLeftovers(directory, to.cache, ask);
    const how = record.state === "running" ? "which had crashed" : "which had not been recorded";
    if (recorded > 0)
      to.emit({ kind: "log", words: `recorded ${recorded} finished calls of ${record.id}, ${how}` });
    for (const words of refused) trouble(words);
    if (waiting > 0) trouble(`${waiting} still wait; the next run tries again`);
    return waiting === 0;
  } catch (error) {
    trouble(messageOf(error));
    return false;
  }
}

/** First attempts that were started and whose end is not among the events. */
function orphansOf(events: readonly TimedEvent[], fromRun: string): ReadonlyMap<CallKey, Orphan> {
  const orphans = new Map<CallKey, Orphan>();
  for (const event of events) {
    if (event.kind === "call.started" && event.key !== undefined && event.attempt === 1) {
      const { attemptId, directory, call, executor, inputs } = event;
      orphans.set(event.key, {
        attemptId,
        directory,
        call,
        fromRun,
        ...defined({ executor, inputs }),
      });
    } else if (event.kind === "call.recorded") orphans.delete(event.key);
    else if (event.kind === "call.failed" || event.kind === "call.cancelled" || event.kind === "call.retried")
      for (const [key, orphan] of orphans) if (orphan.call === event.call) orphans.delete(key);
  }
  return orphans;
}
