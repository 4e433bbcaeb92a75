/**
 * From what a user writes after `--cache` (a name, a path, a URI) to an open cache.
 */
import { stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { ConfinedFolder } from "../../files/index.ts";
import { AppError, type Ask, defined } from "../../kernel/index.ts";
import {
  type CachePlace,
  createEntryStore,
  type EntryNames,
  type EntryStoreEvent,
  type KnownContents,
  type ObjectEntryStore,
} from "../../store/entries/index.ts";
import { type ObjectStore, openObjectStore } from "../../store/objects/index.ts";
import type { Environment } from "../environment.ts";
import { placeProblem } from "../tier-address.ts";
import { sharedUuid } from "./cache-mark.ts";
import { type CacheRecord, createCacheRegistry, defaultPolicies, isCacheName } from "./cache-registry.ts";

export interface OpenCache extends CachePlace {
  readonly record: CacheRecord;
  readonly entries: ObjectEntryStore;
  /** The cache's own folder, when it is in a folder. */
  readonly folder: string | undefined;
  /** Where leases of calls are kept, when they are files. */
  readonly leases: string | undefined;
  /** The location's URI, when its uuid had to be asked for there. */
  readonly sharedAt?: string;
  /** About how it was found; for the user. */
  readonly note?: string;
  close(): Promise<void>;
}

/** The default cache of a user who names none. */
export function defaultCacheLocation(environment: Environment): string {
  return join(environment.home, "cache");
}

/**
 * The record behind a name, a path or a URI; nothing of the cache itself is touched. A path that a named cache uses is
 * that cache. Throws CACHE_NOT_FOUND for a word that is neither.
 */
export async function findCache(asked: string, environment: Environment): Promise<CacheRecord> {
  const registry = createCacheRegistry(environment.home);
  const named = await registry.find(asked);
  if (named !== undefined) return named;
  if (!(await isPlace(asked, environment))) {
    const names = (await registry.list()).map((record) => record.name);
    const known = names.length === 0 ? "there are no named caches" : `there are ${names.join(", ")}`;
    throw new AppError("CACHE_NOT_FOUND", `looking for the cache ${JSON.stringify(asked)}: ${known}`);
  }
  const location = absoluteLocation(asked, environment);
  const sharing = (await registry.list()).find((record) => record.location === location);
  if (sharing !== undefined) return sharing;
  return { kind: "unnamed", location, behavior: "always", policies: defaultPolicies };
}

async function isPlace(asked: string, environment: Environment): Promise<boolean> {
  if (!isCacheName(asked)) return true;
  return stat(resolve(environment.cwd, asked)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

export function absoluteLocation(asked: string, environment: Environment): string {
  const problem = /^[a-z][a-z0-9+.-]+:/i.test(asked) ? undefined : placeProblem(asked);
  if (problem !== undefined)
    throw new AppError("STORE_URI_INVALID", `cannot use ${JSON.stringify(asked)} as a cache: it ${problem}`);
  if (/^s3:\/\//i.test(asked)) {
    // Every slash of a key counts, but the name does not show which of them are meant.
    if (asked.endsWith("//"))
      throw new AppError("STORE_URI_INVALID", `opening the cache ${asked}: it ends with more than one slash`);
    return asked.replace(/\/$/, "");
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(asked)) return asked.replace(/\/+$/, "");
  return isAbsolute(asked) ? asked : resolve(environment.cwd, asked);
}

export interface OpenCacheOptions {
  /** See `sharedUuid`. Default: refuse. */
  readonly several?: "take the last used" | "refuse";
  readonly onEvent?: (event: EntryStoreEvent) => void;
  /** Default: what has to be read to be known is read each time. */
  readonly contents?: KnownContents;
  /** What manifests call entries and tasks. */
  readonly names?: EntryNames;
}

export async function openCache(
  record: CacheRecord,
  environment: Environment,
  options: OpenCacheOptions,
  ask: Ask,
): Promise<OpenCache> {
  const { within } = record;
  const access = { s3: environment.s3, ...defined({ within }) };
  const objects = openObjectStore(record.location, access);
  try {
    await objects.open(ask);
    return await openedCache(record, objects, options, ask);
  } catch (error) {
    // It may be tried again, and each try would leave its connections behind.
    await objects.close();
    throw error;
  }
}

/** The URI of a cache's entries; of the location where only the location knows their uuid. */
export async function uriBeforeOpening(record: CacheRecord, environment: Environment): Promise<string> {
  const { within, uuid } = record;
  const access = { s3: environment.s3, ...defined({ within }) };
  const objects = openObjectStore(record.location, access);
  await objects.close();
  return uuid === undefined ? objects.uri : `${objects.uri}/${uuid}`;
}

async function openedCache(
  record: CacheRecord,
  objects: ObjectStore,
  options: OpenCacheOptions,
  ask: Ask,
): Promise<OpenCache> {
  const { within } = record;
  const { several = "refuse", ...stored } = options;
  const shared: { readonly uuid: string; readonly note?: string } =
    record.uuid === undefined ? await sharedUuid(objects, several, ask) : { uuid: record.uuid };
  const cacheUuid = shared.uuid;
  const entries = createEntryStore({ objects, cacheUuid, ...stored });
  const folder = objects.pathOf(cacheUuid);
  const held =
    within === undefined || folder === undefined
      ? undefined
      : await new ConfinedFolder({ within, path: folder }).hold(["leases"], "make");
  const leases = held?.path ?? (folder === undefined ? undefined : join(folder, "leases"));
  return {
    record: { ...record, uuid: cacheUuid },
    objects,
    cacheUuid,
    entries,
    folder,
    leases,
    ...(record.uuid === undefined ? { sharedAt: objects.uri } : {}),
    ...defined({ note: shared.note }),
    close: async () => {
      await entries.close();
      held?.close();
    },
  };
}
