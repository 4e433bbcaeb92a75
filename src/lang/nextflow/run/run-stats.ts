/** `workflow.stats`: how many tasks ended how. */
import { Double } from "../values/double.ts";
import { GroovyMap } from "../values/map.ts";
import type { Value } from "../values/thing.ts";

export class RunStats {
  /** Computed, without those that were reused. */
  succeeded = 0;
  cached = 0;
  /** Attempts, with those that were tried again or ignored. */
  failed = 0;
  ignored = 0;
  retries = 0;
  aborted = 0;

  value(): GroovyMap {
    const { succeeded, cached, failed, ignored, retries, aborted } = this;
    const effectiveFailed = Math.max(0, failed - ignored - retries);
    const total = succeeded + cached + ignored + effectiveFailed + aborted;
    const percent = (count: number) =>
      new Double(total === 0 ? 0 : Math.round((count / total) * 10_000) / 100);
    return GroovyMap.of({
      succeedCount: succeeded,
      succeededCount: succeeded,
      cachedCount: cached,
      failedCount: failed,
      effectiveFailedCount: effectiveFailed,
      ignoredCount: ignored,
      retriesCount: retries,
      abortedCount: aborted,
      pendingCount: 0,
      submittedCount: 0,
      runningCount: 0,
      totalCount: total,
      succeedCountFmt: grouped(succeeded),
      cachedCountFmt: grouped(cached),
      failedCountFmt: grouped(failed),
      ignoredCountFmt: grouped(ignored),
      succeedPct: percent(succeeded),
      cachedPct: percent(cached),
      ignoredPct: percent(ignored),
      effectiveFailedPct: percent(effectiveFailed),
    } satisfies Record<string, Value>);
  }
}

/** `1,234` */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
