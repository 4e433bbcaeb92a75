/** `memoir cache delete` */
import { rm } from "node:fs/promises";
import { AppError, type Ask } from "../../../kernel/index.ts";
import { type Entry, liveRuns } from "../../../store/entries/index.ts";
import type { Environment } from "../../environment.ts";
import type { OpenCache } from "../cache-place.ts";
import { createCacheRegistry } from "../cache-registry.ts";
import { namedCache, withRecord } from "./use-cache.ts";

export interface DeleteCacheOptions {
  readonly name: string;
  /** Also the data. */
  readonly purge: boolean;
}

export interface DeleteCacheResult {
  readonly name: string;
  readonly location: string;
  /** Entries deleted with `--purge`; 0 = the data stay. */
  readonly purged: number;
}

/** Refused while a run uses it. The data stay unless `purge`. */
export async function deleteCache(
  options: DeleteCacheOptions,
  environment: Environment,
  ask: Ask,
): Promise<DeleteCacheResult> {
  const record = await namedCache(options.name, environment);
  const registry = createCacheRegistry(environment.home);
  const purged = await withRecord(record, environment, ask, async (cache) => {
    const runs = await liveRuns(cache, ask);
    if (runs.length > 0)
      throw new AppError("CACHE_IN_USE", `deleting the cache ${options.name}: used by ${runs.join(", ")}`);
    return options.purge ? purge(cache, ask) : 0;
  }).catch((error) => {
    // Data that cannot be reached do not keep a name alive, unless they were to be deleted.
    if (options.purge || (error instanceof AppError && error.code === "CACHE_IN_USE")) throw error;
    return 0;
  });
  await registry.remove(options.name);
  return { name: options.name, location: record.location, purged };
}

async function purge(cache: OpenCache, ask: Ask): Promise<number> {
  const entries: Entry[] = [];
  for await (const entry of cache.entries.list(ask)) entries.push(entry);
  await cache.entries.remove(entries, ask);
  const names: string[] = [];
  for await (const info of cache.objects.list(`${cache.cacheUuid}/`, ask)) names.push(info.name);
  await cache.objects.remove(names, ask);
  if (cache.folder !== undefined) await rm(cache.folder, { recursive: true, force: true });
  return entries.length;
}
