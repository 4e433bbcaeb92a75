/** `memoir cache show` */
import type { Ask } from "../../../kernel/index.ts";
import { listPins, liveRuns, measureCache } from "../../../store/entries/index.ts";
import type { Environment } from "../../environment.ts";
import type { CacheRecord } from "../cache-registry.ts";
import { type CacheChoice, withCache } from "./use-cache.ts";

export interface ShowCacheResult {
  readonly record: CacheRecord;
  readonly entries: number;
  /** Of all results. */
  readonly bytes: number;
  /** With records and logs: what a budget and pruning count. */
  readonly storedBytes: number;
  readonly pinned: number;
  /** Ids of runs that use it now. */
  readonly runs: readonly string[];
}

export async function showCache(
  asked: CacheChoice,
  environment: Environment,
  ask: Ask,
): Promise<ShowCacheResult> {
  return withCache(asked, environment, ask, async (cache) => {
    const size = await measureCache(cache, ask);
    return {
      record: cache.record,
      entries: size.entries,
      bytes: size.apparentBytes,
      storedBytes: size.storedBytes,
      pinned: (await listPins(cache, ask)).size,
      runs: await liveRuns(cache, ask),
    };
  });
}
