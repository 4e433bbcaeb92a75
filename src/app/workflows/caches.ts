/** `memoir cache …`: run caches by name, and what lies in them. */
import { randomUUID } from "node:crypto";
import { access, constants, rm } from "node:fs/promises";
import { type CacheBehavior, explainRun, type RunExplanation } from "../../engine/index.ts";
import { makeFolders } from "../../files/index.ts";
import { byCodeUnit } from "../../hash/index.ts";
import { AppError, type Ask, messageOf } from "../../kernel/index.ts";
import {
  type CacheSize,
  type Entry,
  listPins,
  liveRuns,
  measureCache,
  type Pruned,
  type PrunePlan,
  type PruneRules,
  pinEntry,
  planPrune,
  prune as prunePlanned,
  storeTime,
  unpinEntry,
  type VerifyReport,
  verifyCache,
} from "../../store/entries/index.ts";
import { openObjectStore } from "../../store/objects/index.ts";
import type { Environment } from "../environment.ts";
import { sharedUuid } from "./cache-mark.ts";
import {
  absoluteLocation,
  defaultCacheLocation,
  findCache,
  type OpenCache,
  openCache,
} from "./cache-place.ts";
import {
  type CachePolicies,
  type CacheRecord,
  createCacheRegistry,
  defaultPolicies,
} from "./cache-registry.ts";
import { locationOf } from "./runs.ts";
import { findRun, runsFolder } from "./runs-folder.ts";

export interface CreateCacheWish {
  readonly name: string;
  /** A folder or `s3://bucket/prefix`. Default: a folder of this name below `<home>/cache-data`. */
  readonly location?: string;
  readonly behavior?: CacheBehavior;
  readonly description?: string;
  readonly policies?: Partial<CachePolicies>;
}

/** The location is tried before the name is taken, so that a wrong bucket is told now and not in a run. */
export async function create(
  wish: CreateCacheWish,
  environment: Environment,
  ask: Ask,
): Promise<CacheRecord> {
  const registry = createCacheRegistry(environment.home);
  if ((await registry.find(wish.name)) !== undefined)
    throw new AppError("CACHE_EXISTS", `creating the cache ${wish.name}: there is one of this name`);
  const location = absoluteLocation(
    wish.location ?? `${environment.home}/cache-data/${wish.name}`,
    environment,
  );
  if (!location.startsWith("s3://")) await makeFolder(location);
  const objects = openObjectStore(location, { s3: environment.s3 });
  let uuid: string = randomUUID();
  try {
    await objects.open(ask);
    uuid = (await sharedUuid(objects, "refuse", ask)).uuid;
  } finally {
    await objects.close();
  }
  const record: CacheRecord = {
    name: wish.name,
    uuid,
    location,
    behavior: wish.behavior ?? "always",
    policies: { ...defaultPolicies, ...wish.policies },
    createdAt: new Date().toISOString(),
    ...(wish.description === undefined ? {} : { description: wish.description }),
  };
  await registry.add(record);
  return record;
}

async function makeFolder(location: string): Promise<void> {
  try {
    await makeFolders(location);
    await access(location, constants.W_OK);
  } catch (error) {
    throw new AppError("STORE_NOT_WRITABLE", `creating a cache in ${location}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** A cache that is named, or that is meant by its record; undefined = the default one. */
export type CacheChoice = string | CacheRecord | undefined;

export interface CacheRow extends CacheRecord {
  /** `home`: named on this machine. `server`: a run cache of the HealthOmics server. */
  readonly origin: "home" | "server";
  /** What `/api/v1/caches/…` calls it. */
  readonly ref: string;
}

export interface CacheList {
  readonly caches: readonly CacheRow[];
}

export async function list(environment: Environment): Promise<CacheList> {
  const records = await createCacheRegistry(environment.home).list();
  return { caches: records.map((record) => ({ ...record, origin: "home", ref: record.name })) };
}

export interface ShowCacheResult {
  readonly record: CacheRecord;
  readonly entries: number;
  readonly bytes: number;
  readonly pinned: number;
  /** Ids of runs that use it now. */
  readonly runs: readonly string[];
}

export async function show(asked: CacheChoice, environment: Environment, ask: Ask): Promise<ShowCacheResult> {
  return withCache(asked, environment, ask, async (cache) => {
    const size = await measureCache(cache, ask);
    return {
      record: cache.record,
      entries: size.entries,
      bytes: size.apparentBytes,
      pinned: (await listPins(cache, ask)).size,
      runs: await liveRuns(cache, ask),
    };
  });
}

export interface UpdateCacheWish {
  readonly name: string;
  readonly behavior?: CacheBehavior;
  readonly description?: string;
  readonly policies?: Partial<CachePolicies>;
}

export async function update(wish: UpdateCacheWish, environment: Environment): Promise<CacheRecord> {
  const registry = createCacheRegistry(environment.home);
  const known = await namedCache(wish.name, environment);
  const record: CacheRecord = {
    ...known,
    behavior: wish.behavior ?? known.behavior,
    policies: { ...known.policies, ...wish.policies },
    ...(wish.description === undefined ? {} : { description: wish.description }),
  };
  await registry.replace(record);
  return record;
}

export interface DeleteCacheResult {
  readonly name: string;
  readonly location: string;
  /** Entries deleted with `--purge`; 0 = the data stay. */
  readonly purged: number;
}

/** Refused while a run uses it. The data stay unless `purge`. */
export async function remove(
  wish: { readonly name: string; readonly purge: boolean },
  environment: Environment,
  ask: Ask,
): Promise<DeleteCacheResult> {
  const record = await namedCache(wish.name, environment);
  const registry = createCacheRegistry(environment.home);
  const purged = await withRecord(record, environment, ask, async (cache) => {
    const runs = await liveRuns(cache, ask);
    if (runs.length > 0)
      throw new AppError("CACHE_IN_USE", `deleting the cache ${wish.name}: used by ${runs.join(", ")}`);
    return wish.purge ? purge(cache, ask) : 0;
  }).catch((error) => {
    // Data that cannot be reached do not keep a name alive, unless they were to be deleted.
    if (wish.purge || (error instanceof AppError && error.code === "CACHE_IN_USE")) throw error;
    return 0;
  });
  await registry.remove(wish.name);
  return { name: wish.name, location: record.location, purged };
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

export interface EntriesWish {
  readonly cache?: CacheChoice;
  readonly task?: string;
  readonly run?: string;
  readonly workflow?: string;
  readonly olderThanMs?: number;
  readonly newerThanMs?: number;
  readonly largerThanBytes?: number;
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

export interface EntryPage {
  readonly entries: readonly EntryRow[];
  /** Of all pages. */
  readonly total: number;
  readonly nextCursor?: string;
}

export interface EntryRow {
  readonly uuid: string;
  readonly key: string;
  readonly task: string;
  readonly call: string;
  readonly run: string;
  readonly workflow: string;
  readonly createdAt: string;
  readonly bytes: number;
  readonly files: number;
  readonly seconds: number;
  readonly uri: string;
  readonly pinned: boolean;
}

/** Newest first. */
export async function entries(wish: EntriesWish, environment: Environment, ask: Ask): Promise<EntryPage> {
  return withCache(wish.cache, environment, ask, async (cache) => {
    const pins = await listPins(cache, ask);
    const rows: EntryRow[] = [];
    for await (const entry of cache.entries.list(ask))
      if (isWanted(entry, wish)) rows.push(entryRow(entry, pins));
    rows.sort((a, b) => byCodeUnit(placeOf(b), placeOf(a)));
    const after = wish.cursor === undefined ? undefined : placeIn(wish.cursor);
    const rest = after === undefined ? rows : rows.filter((row) => placeOf(row) < after);
    const shown = rest.slice(0, wish.limit ?? rest.length);
    const last = shown.at(-1);
    const hasMore = last !== undefined && shown.length < rest.length;
    return {
      entries: shown,
      total: rows.length,
      ...(hasMore ? { nextCursor: Buffer.from(placeOf(last)).toString("base64url") } : {}),
    };
  });
}

/** In the order of time, and of their names where times are equal. */
function placeOf({ createdAt, uuid }: EntryRow): string {
  return `${createdAt} ${uuid}`;
}

/** Throws LEDGER_TOKEN_INVALID. */
function placeIn(cursor: string): string {
  const place = Buffer.from(cursor, "base64url").toString("utf8");
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z [\x21-\x7e]+$/.test(place)) return place;
  throw new AppError(
    "LEDGER_TOKEN_INVALID",
    "listing further entries: the cursor is not one that was handed out",
  );
}

function isWanted(entry: Entry, wish: EntriesWish): boolean {
  const age = Date.now() - entry.createdAt.getTime();
  return (
    (wish.task === undefined || entry.taskName === wish.task) &&
    (wish.run === undefined || entry.runId === wish.run || entry.runId.endsWith(wish.run)) &&
    (wish.workflow === undefined || entry.workflow === wish.workflow) &&
    (wish.olderThanMs === undefined || age > wish.olderThanMs) &&
    (wish.newerThanMs === undefined || age < wish.newerThanMs) &&
    (wish.largerThanBytes === undefined || bytesOf(entry) > wish.largerThanBytes)
  );
}

function bytesOf(entry: Entry): number {
  return entry.files.reduce((sum, file) => sum + file.sizeBytes, 0);
}

function entryRow(entry: Entry, pins: ReadonlySet<string>): EntryRow {
  return {
    uuid: entry.uuid,
    key: entry.key,
    task: entry.taskName,
    call: entry.callPath,
    run: entry.runId,
    workflow: entry.workflow,
    createdAt: entry.createdAt.toISOString(),
    bytes: bytesOf(entry),
    files: entry.files.length,
    seconds: entry.cost.wallSeconds,
    uri: entry.uri,
    pinned: pins.has(entry.uuid),
  };
}

export async function du(asked: CacheChoice, environment: Environment, ask: Ask): Promise<CacheSize> {
  return withCache(asked, environment, ask, (cache) => measureCache(cache, ask));
}

export interface PruneResult {
  readonly plan: PrunePlan;
  /** Absent after a dry run. */
  readonly removed?: Pruned;
}

export async function prune(
  wish: { readonly cache?: string; readonly rules: PruneRules; readonly sure: boolean },
  environment: Environment,
  ask: Ask,
): Promise<PruneResult> {
  return withCache(wish.cache, environment, ask, async (cache) => {
    const plan = await planPrune(cache, wish.rules, await storeTime(cache, ask), ask);
    if (!wish.sure) return { plan };
    return { plan, removed: await prunePlanned(cache, plan, ask) };
  });
}

export interface EntriesTouched {
  readonly entries: readonly { readonly uuid: string; readonly task: string; readonly call: string }[];
}

/** Entries that `prune` must leave; `--remove` takes the pin away. */
export async function pin(
  wish: InvalidateWish & { readonly pinned: boolean },
  environment: Environment,
  ask: Ask,
): Promise<EntriesTouched> {
  requireName("pinning", wish);
  return withCache(wish.cache, environment, ask, async (cache) => {
    const found = await entriesNamed(cache, wish, ask);
    for (const entry of found)
      await (wish.pinned ? pinEntry(cache, entry.uuid, ask) : unpinEntry(cache, entry.uuid, ask));
    return touched(found);
  });
}

export interface InvalidateWish {
  readonly cache?: string;
  /** Uuid or key of an entry, or the beginning of either. */
  readonly entry?: string;
  readonly task?: string;
  readonly run?: string;
}

/** Deletes entries so that their calls are computed again. */
export async function invalidate(
  wish: InvalidateWish,
  environment: Environment,
  ask: Ask,
): Promise<EntriesTouched> {
  requireName("invalidating", wish);
  return withCache(wish.cache, environment, ask, async (cache) => {
    const found = await entriesNamed(cache, wish, ask);
    await cache.entries.remove(found, ask);
    return touched(found);
  });
}

function requireName(doing: string, wish: InvalidateWish): void {
  if (wish.entry === undefined && wish.task === undefined && wish.run === undefined)
    throw new AppError("CLI_USAGE", `${doing}: name an entry, --task or --run`);
}

function touched(found: readonly Entry[]): EntriesTouched {
  return { entries: found.map(({ uuid, taskName, callPath }) => ({ uuid, task: taskName, call: callPath })) };
}

const shortestName = 6;

async function entriesNamed(
  cache: OpenCache,
  wish: { readonly entry?: string; readonly task?: string; readonly run?: string },
  ask: Ask,
): Promise<readonly Entry[]> {
  if (wish.entry !== undefined && wish.entry.length < shortestName)
    throw new AppError(
      "CLI_USAGE",
      `looking for the entry ${wish.entry}: give at least ${shortestName} characters`,
    );
  const found: Entry[] = [];
  for await (const entry of cache.entries.list(ask)) {
    const isNamed =
      wish.entry === undefined || entry.uuid.startsWith(wish.entry) || entry.key.startsWith(wish.entry);
    if (isNamed && isWanted(entry, { ...wish })) found.push(entry);
  }
  if (found.length > 0) return found;
  const asked = [wish.entry, wish.task, wish.run].filter((word) => word !== undefined).join(", ");
  throw new AppError(
    "CACHE_ENTRY_NOT_FOUND",
    `looking for ${asked} in ${cache.entries.uri}: nothing is recorded`,
  );
}

export async function verify(asked: CacheChoice, environment: Environment, ask: Ask): Promise<VerifyReport> {
  return withCache(asked, environment, ask, (cache) => verifyCache(cache, ask));
}

/** Why the computed calls of a run were not reused. The cache is the run's own. */
export async function explain(
  wish: { readonly run?: string; readonly call?: string; readonly runsDir?: string },
  environment: Environment,
  ask: Ask,
): Promise<RunExplanation> {
  const found = await findRun(wish.run, runsFolder(wish.runsDir, environment), environment.cwd);
  const about = {
    directory: found.directory,
    id: found.record.id,
    ...(wish.call === undefined ? {} : { call: wish.call }),
  };
  if (found.record.cache === undefined) return explainRun(about, undefined, ask);
  const place = found.record.cache.name ?? locationOf(found.record);
  return withCache(place, environment, ask, (cache) => explainRun(about, cache.entries, ask));
}

/** By its name only, never a place. Throws CACHE_NOT_FOUND. */
export async function namedCache(name: string, environment: Environment): Promise<CacheRecord> {
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

async function withRecord<T>(
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
