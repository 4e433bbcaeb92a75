/** The server's run caches as the engine's caches: location, behaviour, and the options in a cache's tags. */
import { join } from "node:path";
import type { RunCacheRecord, RunRecord } from "../../ledger/index.ts";
import { type CacheRecord, defaultPolicies, type UnnamedCache } from "../workflows/cache-registry.ts";
import { type AllowedPlaces, withinOf } from "./places.ts";

/** A cache of which only its place is asked for. */
export function cacheAt(place: Pick<UnnamedCache, "uuid" | "location">): UnnamedCache {
  return { kind: "unnamed", behavior: "always", policies: defaultPolicies, ...place };
}

export function cacheRecord(cache: RunCacheRecord, run?: RunRecord): UnnamedCache {
  const behavior = run?.cacheBehavior ?? cache.behavior;
  return {
    ...cacheAt({ uuid: cache.uuid, location: hostLocation(cache.location) }),
    behavior: behavior === "CACHE_ALWAYS" ? "always" : "on-failure",
    policies: {
      ...defaultPolicies,
      resources: cache.tags["memoir:resources"] === "strict" ? "strict" : "ignored",
      identity: cache.tags["memoir:identity"] === "etag" ? "etag" : "content",
      writeThrough: cache.tags["memoir:write-through"] !== "no",
      ...(cache.tags["memoir:exclude-unstable"] === "yes" ? { excludeUnstable: true } : {}),
    },
  };
}

/** A cache as the engine opens it: where places are restricted, no link leads out of them. */
export function cacheRecordWithin(
  allowed: AllowedPlaces,
  cache: RunCacheRecord,
  run?: RunRecord,
): CacheRecord {
  return { ...cacheRecord(cache, run), ...withinOf(allowed) };
}

/** When a run's results get to where other runs find them. A run without a cache keeps its own at once. */
export function recordTime(run: RunRecord, cache: RunCacheRecord | undefined): "task-end" | "run-end" {
  if (cache === undefined) return "task-end";
  const { behavior, policies } = cacheRecord(cache, run);
  return behavior === "always" && policies.writeThrough ? "task-end" : "run-end";
}

/** What a run without a cache keeps for itself, so that a restart of the server does not repeat its tasks. */
export function privateCache(run: RunRecord, folder: string): UnnamedCache {
  return {
    ...cacheAt({ uuid: run.uuid, location: join(folder, "results") }),
    policies: { ...defaultPolicies, hostTasks: true },
  };
}

/** `file:///x` is the folder /x for everything below the server. */
export function hostLocation(location: string): string {
  return location.startsWith("file://") ? decodeURIComponent(new URL(location).pathname) : location;
}
