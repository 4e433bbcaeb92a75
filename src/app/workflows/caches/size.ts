/** `memoir cache du`: the size of a cache, which is kept, so that its course over time is known. */
import type { Ask } from "../../../kernel/index.ts";
import { type CacheSize, measureCache } from "../../../store/entries/index.ts";
import type { Environment } from "../../environment.ts";
import { keptLines } from "../../history/followed-lines.ts";
import { keepLine } from "../../history/kept-lines.ts";
import { type CacheChoice, withCache } from "./use-cache.ts";

/** How large a cache was. */
export interface KeptSize {
  /** ISO 8601. */
  readonly at: string;
  readonly location: string;
  readonly entries: number;
  readonly bytes: number;
}

export async function cacheSize(asked: CacheChoice, environment: Environment, ask: Ask): Promise<CacheSize> {
  return withCache(asked, environment, ask, async (cache) => {
    const size = await measureCache(cache, ask);
    const { location } = cache.record;
    const last = (await keptSizes(location, environment)).at(-1);
    const { entries, uniqueBytes: bytes } = size;
    // A page that is open for a week measures often; what has not changed is known already.
    if (last === undefined || last.entries !== entries || last.bytes !== bytes)
      await keepLine("sizes", { at: new Date().toISOString(), location, entries, bytes }, environment);
    return size;
  });
}

/** Oldest first. */
export async function keptSizes(location: string, environment: Environment): Promise<readonly KeptSize[]> {
  const kept = await keptLines<KeptSize>("sizes", environment);
  return kept.filter((each) => each.location === location);
}
