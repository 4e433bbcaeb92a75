/** The time that a group of runs leaves each of them. */
import type { RunGroupRecord, RunRecord } from "../../ledger/index.ts";

/** Timers count no further than this: 24 days. */
const longestTimerMs = 2 ** 31 - 1;

/** What is left of the group's maxDuration, counted from the run's start even if the server was restarted meanwhile. */
export function timeLimitOf(run: RunRecord, group: RunGroupRecord | undefined): AbortSignal | undefined {
  if (group?.maxDuration === undefined) return undefined;
  const passedMs = Date.now() - Date.parse(run.startTime ?? run.createdAt);
  const leftMs = Math.max(0, group.maxDuration * 60_000 - passedMs);
  return leftMs > longestTimerMs ? undefined : AbortSignal.timeout(leftMs);
}
