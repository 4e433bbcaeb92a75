/** The cache that a command is about, open while the command uses it. */
import { AppError, type Ask } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { defaultCacheLocation, findCache, type OpenCache, openCache } from "../cache-place.ts";
import { type CacheRecord, createCacheRegistry, type NamedCache } from "../cache-registry.ts";

/** A cache that is named, or that is meant by its record; undefined = the default one. */
export type CacheChoice = string | CacheRecord | undefined;

/** By its name only, never a place. Throws CACHE_NOT_FOUND. */
export async function namedCache(name: string, environment: Environment): Promise<NamedCache> {
  const registry = createCacheRegistry(environment.home);
  const record = await registry.find(name);
  if (record !== undefined) return record;
  const names = (await registry.list()).map((other) => other.name);
  const known = names.length === 0 ? "there are none" : `there are ${names.join(", ")}`;
  throw new AppError("CACHE_NOT_FOUND", `looking for the cache named ${name}: ${known}`);
}

export async function withCache<T>(
  asked: CacheChoice,
  environment: Environment,
  ask: Ask,
  use: (cache: OpenCache) => Promise<T>,
): Promise<T> {
  const record =
    typeof asked === "object"
      ? asked
      : await findCache(asked ?? defaultCacheLocation(environment), environment);
  return withRecord(record, environment, ask, use);
}

export async function withRecord<T>(
  record: CacheRecord,
  environment: Environment,
  ask: Ask,
  use: (cache: OpenCache) => Promise<T>,
): Promise<T> {
  const cache = await openCache(record, environment, {}, ask);
  try {
    return await use(cache);
  } finally {
    await cache.close();
  }
}
