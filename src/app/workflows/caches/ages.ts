/** How old the entries of a cache are, and how its size came about. */
import { type Ask, checkAsk } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { bytesOf } from "./choose-entries.ts";
import { type KeptSize, keptSizes } from "./size.ts";
import { type CacheChoice, withCache } from "./use-cache.ts";

export interface CacheAges {
  /** By the day on which entries that are there now were recorded, in UTC; oldest first. */
  readonly days: readonly {
    readonly day: string;
    readonly entries: number;
    readonly bytes: number;
    /** Of all entries up to this day. */
    readonly totalBytes: number;
  }[];
  /** How large it was when it was measured here: what was pruned is in the earlier ones. Oldest first. */
  readonly sizes: readonly Omit<KeptSize, "location">[];
}

const mostSizes = 2_000;

export async function cacheAges(asked: CacheChoice, environment: Environment, ask: Ask): Promise<CacheAges> {
  return withCache(asked, environment, ask, async (cache) => {
    const days = new Map<string, { entries: number; bytes: number }>();
    for await (const entry of cache.entries.list(ask)) {
      checkAsk(ask, "measuring a cache");
      const day = entry.createdAt.toISOString().slice(0, 10);
      const sum = days.get(day) ?? { entries: 0, bytes: 0 };
      sum.entries++;
      sum.bytes += bytesOf(entry);
      days.set(day, sum);
    }
    let totalBytes = 0;
    const sizes = await keptSizes(cache.record.location, environment);
    return {
      sizes: sizes.slice(-mostSizes).map(({ at, entries, bytes }) => ({ at, entries, bytes })),
      days: [...days]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([day, sum]) => {
          totalBytes += sum.bytes;
          return { day, ...sum, totalBytes };
        }),
    };
  });
}
