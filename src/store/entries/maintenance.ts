/**
 * Looking after a cache: its size, what may go, what must stay, and whether it is whole. Deleting is planned, counted
 * and reported; a plan is data that can be shown first.
 */
import { randomUUID } from "node:crypto";
import { AppError, type Ask, type CallKey, isAppError, mapAhead, mapBounded } from "../../kernel/index.ts";
import type { ObjectInfo, ObjectStore, UnfinishedUpload } from "../objects/index.ts";
import { doubtfulContents, mayComeFrom } from "./damage.ts";
import {
  entriesPrefix,
  parseEntryObject,
  parseRemoved,
  pinName,
  removedPrefix,
  runLeaseName,
} from "./entry-layout.ts";
import type { Entry } from "./entry-store.ts";
import type { ObjectEntryStore } from "./object-entry-store.ts";
import { isAlive, listRunLeases } from "./run-lease.ts";

export interface CachePlace {
  readonly objects: ObjectStore;
  readonly cacheUuid: string;
  readonly entries: ObjectEntryStore;
}

export interface SizeRow {
  /** Entries counted. */
  readonly entries: number;
  readonly files: number;
  /** Sum over all entries. */
  readonly apparentBytes: number;
  /** Equal contents counted once. */
  readonly uniqueBytes: number;
}

export interface CacheSize extends SizeRow {
  /** What the entries take in the store, with their records and logs: what a budget and pruning count. */
  readonly storedBytes: number;
  readonly byTask: Readonly<Record<string, SizeRow>>;
  readonly byWorkflow: Readonly<Record<string, SizeRow>>;
}

export async function measureCache(place: CachePlace, ask: Ask): Promise<CacheSize> {
  const all = new SizeCount();
  const byTask = new Map<string, SizeCount>();
  const byWorkflow = new Map<string, SizeCount>();
  let storedSum = 0;
  for await (const { read, bytes } of place.entries.listManifests(ask)) {
    if (read.kind !== "entry") continue;
    const { entry } = read;
    storedSum += bytes;
    all.add(entry);
    countOf(byTask, entry.taskName).add(entry);
    countOf(byWorkflow, entry.workflow).add(entry);
  }
  return { ...all.row(), storedBytes: storedSum, byTask: rows(byTask), byWorkflow: rows(byWorkflow) };
}

/** What each entry takes in the store, by its uuid, with its record and logs. */
export async function storedBytes(place: CachePlace, ask: Ask): Promise<ReadonlyMap<string, number>> {
  return new Map([...(await groupObjects(place, ask))].map(([uuid, { bytes }]) => [uuid, bytes]));
}

export async function pinEntry(place: CachePlace, uuid: string, ask: Ask): Promise<void> {
  await place.objects.put(pinName(place.cacheUuid, uuid), Buffer.from(new Date().toISOString()), ask);
}

export async function unpinEntry(place: CachePlace, uuid: string, ask: Ask): Promise<void> {
  await place.objects.remove([pinName(place.cacheUuid, uuid)], ask);
}

export async function listPins(place: CachePlace, ask: Ask): Promise<ReadonlySet<string>> {
  const prefix = pinName(place.cacheUuid, "");
  const pins = new Set<string>();
  for await (const info of place.objects.list(prefix, ask)) pins.add(info.name.slice(prefix.length));
  return pins;
}

export interface PruneRules {
  /** Remove entries that were neither made nor used for this long. */
  readonly olderThanMs?: number;
  /** Remove entries until the rest takes at most this many bytes. */
  readonly budgetBytes?: number;
  /**
   * Which entries go first where there is a budget: the least recently used ones, or those that are cheap to compute
   * again for their size. Default `last-used`.
   */
  readonly policy?: "last-used" | "cost";
  /** Remove manifests of other entry versions. */
  readonly oldVersions?: boolean;
  /** Remove files and unfinished uploads that belong to no entry and nobody will finish, and damaged manifests. */
  readonly orphans?: boolean;
}

export interface PruneItem {
  readonly key: CallKey;
  readonly uuid: string;
  readonly taskName: string | undefined;
  readonly bytes: number;
  readonly reason: "older-than" | "over-budget" | "old-version" | "orphan";
  readonly lastUsedAt: Date | undefined;
  /** `none`: files without an entry. */
  readonly manifest: "there" | "none";
}

export interface PrunePlan {
  readonly remove: readonly PruneItem[];
  readonly removeBytes: number;
  readonly keepEntries: number;
  readonly keepBytes: number;
  /** Entries that the rules name but that stay: pinned, or used by a run that is alive. */
  readonly protectedEntries: readonly { readonly uuid: string; readonly why: "pinned" | "in-use" }[];
  /** Uploads in parts that a killed run left unfinished (S3). */
  readonly uploads: readonly UnfinishedUpload[];
}

/** What belongs to nobody that is known may still belong to somebody that writes no leases. */
const orphanAgeMs = 24 * 60 * 60 * 1000;
/** A removal that has not ended after this long was killed. */
const removalMs = 60 * 60 * 1000;
/** So many manifests are taken away before the leases are read again. */
const batchSize = 500;
const manifestsAtOnce = 32;
/** Entries whose files are hashed at the same time: from a disk, and from a server, where each waits for answers. */
const verifiedAtOnce = { disk: 8, server: 16 };

/**
 * The time by the clock that dates the objects of this cache. The machine's clock may differ by hours; it is used only
 * where nothing can be written, so that nothing can be removed either.
 */
export async function storeTime(place: CachePlace, ask: Ask): Promise<Date> {
  const name = `${place.cacheUuid}/runs/${clockName}${randomUUID()}`;
  try {
    await place.objects.put(name, Buffer.from("now"), ask);
    const written = await place.objects.head(name, ask);
    await place.objects.remove([name], ask);
    if (written === undefined)
      throw new AppError("STORE_OBJECT_NOT_FOUND", `writing ${name}: it disappeared after the write`);
    return written.modifiedAt;
  } catch (error) {
    if (isAppError(error, "STORE_ACCESS_DENIED") || isAppError(error, "STORE_NOT_WRITABLE"))
      return new Date();
    throw error;
  }
}

const clockName = ".clock-";

/** `now`: by the store's clock, see `storeTime`. */
export async function planPrune(
  place: CachePlace,
  rules: PruneRules,
  now: Date,
  ask: Ask,
): Promise<PrunePlan> {
  const pins = await listPins(place, ask);
  const use = await readUse(place, now, ask);
  const objects = await groupObjects(place, ask);
  const remove: PruneItem[] = [];
  const candidates: Candidate[] = [];
  for await (const { key, uuid, modifiedAt, read } of place.entries.listManifests(ask)) {
    const group = objects.get(uuid);
    objects.delete(uuid);
    const bytes = group?.bytes ?? 0;
    if (read.kind === "entry") {
      const used = use.lastUsedAt.get(uuid);
      const lastUsedAt = used !== undefined && used > modifiedAt ? used : modifiedAt;
      candidates.push({ entry: read.entry, lastUsedAt, bytes });
      continue;
    }
    const wanted = read.kind === "other-version" ? rules.oldVersions : rules.orphans;
    const reason = read.kind === "other-version" ? "old-version" : "orphan";
    const facts = { key, uuid, taskName: undefined, bytes, lastUsedAt: undefined };
    if (wanted) remove.push({ ...facts, reason, manifest: "there" });
  }
  if (rules.orphans) {
    // Being removed by somebody else, or about to be put back.
    for await (const { name } of place.objects.list(removedPrefix(place.cacheUuid), ask))
      objects.delete(parseRemoved(name)?.uuid ?? "");
    for (const [uuid, { key, bytes, newest }] of objects) {
      if (!isOrphan(uuid, newest, { use, now })) continue;
      const facts = { key, uuid, taskName: undefined, bytes, lastUsedAt: undefined };
      remove.push({ ...facts, reason: "orphan", manifest: "none" });
    }
  }
  const protectedEntries: { uuid: string; why: "pinned" | "in-use" }[] = [];
  const isTooOld = ({ lastUsedAt }: Candidate) =>
    rules.olderThanMs !== undefined && now.getTime() - lastUsedAt.getTime() > rules.olderThanMs;
  candidates.sort((a, b) => a.lastUsedAt.getTime() - b.lastUsedAt.getTime());
  // The sort is stable: of equally costly ones the least recently used goes first. What goes anyway makes room first.
  if (rules.policy === "cost")
    candidates.sort((a, b) => Number(isTooOld(b)) - Number(isTooOld(a)) || worthOf(a) - worthOf(b));
  let left = candidates.reduce((sum, candidate) => sum + candidate.bytes, 0);
  let kept = candidates.length;
  for (const candidate of candidates) {
    const { entry, lastUsedAt, bytes } = candidate;
    const tooOld = isTooOld(candidate);
    const overBudget = rules.budgetBytes !== undefined && left > rules.budgetBytes;
    if (!tooOld && !overBudget) continue;
    const why = pins.has(entry.uuid) ? "pinned" : use.usedByLive.has(entry.uuid) ? "in-use" : undefined;
    if (why !== undefined) {
      protectedEntries.push({ uuid: entry.uuid, why });
      continue;
    }
    left -= bytes;
    kept--;
    const { key, uuid, taskName } = entry;
    const reason = tooOld ? "older-than" : "over-budget";
    remove.push({ key, uuid, taskName, bytes, reason, lastUsedAt, manifest: "there" });
  }
  return {
    remove,
    removeBytes: remove.reduce((sum, item) => sum + item.bytes, 0),
    keepEntries: kept,
    keepBytes: left,
    protectedEntries,
    uploads: rules.orphans ? await abandonedUploads(place, { use, now }, ask) : [],
  };
}

interface Candidate {
  readonly entry: Entry;
  readonly lastUsedAt: Date;
  readonly bytes: number;
}

/** Seconds of computing that each byte saves. */
function worthOf({ entry: { cost }, bytes }: Candidate): number {
  return Math.max(cost.wallSeconds, cost.cpuSeconds ?? 0) / Math.max(bytes, 1);
}

/** Nobody will finish it: its run has ended, or nobody knows it and it is old. */
function isOrphan(uuid: string, newest: Date, known: { readonly use: Use; readonly now: Date }): boolean {
  const { use, now } = known;
  if (use.usedByLive.has(uuid)) return false;
  return use.lastUsedAt.has(uuid) || now.getTime() - newest.getTime() >= orphanAgeMs;
}

async function abandonedUploads(
  place: CachePlace,
  known: { readonly use: Use; readonly now: Date },
  ask: Ask,
): Promise<readonly UnfinishedUpload[]> {
  const { unfinished } = place.objects;
  if (unfinished === undefined) return [];
  const abandoned: UnfinishedUpload[] = [];
  for await (const upload of unfinished.list(entriesPrefix(place.cacheUuid), ask)) {
    const object = parseEntryObject(upload.name);
    if (object !== undefined && isOrphan(object.uuid, upload.startedAt, known)) abandoned.push(upload);
  }
  return abandoned;
}

export interface Pruned {
  readonly entries: number;
  readonly bytes: number;
  /** Planned and not removed: used or pinned since. */
  readonly spared: number;
  /** Unfinished uploads that were given up. */
  readonly uploads: number;
}

/**
 * Carries out a plan, which may be old: perhaps it was shown to a person. What runs have begun to use since then stays.
 * `run-lease.ts` says why the manifests are taken away before the leases are read.
 */
export async function prune(place: CachePlace, plan: PrunePlan, ask: Ask): Promise<Pruned> {
  await finishRemovals(place, ask);
  let entries = 0;
  let bytes = 0;
  for (let at = 0; at < plan.remove.length; at += batchSize) {
    const batch = plan.remove.slice(at, at + batchSize);
    const whole = batch.filter(({ manifest }) => manifest === "there");
    const laid = await place.entries.layAside(whole, ask);
    const aside = new Set(whole.filter((_, i) => laid[i]));
    await mapBounded(batch, manifestsAtOnce, async (item) => {
      // A recording that was slow has perhaps ended meanwhile.
      if (item.manifest === "none" && !(await place.entries.hasManifest(item, ask))) aside.add(item);
    });
    const use = await readUse(place, await storeTime(place, ask), ask);
    const pins = await listPins(place, ask);
    const going: PruneItem[] = [];
    for (const item of batch) {
      if (!aside.has(item)) continue;
      const used = use.lastUsedAt.get(item.uuid);
      const usedSince = used !== undefined && item.lastUsedAt !== undefined && used > item.lastUsedAt;
      if (!usedSince && !use.usedByLive.has(item.uuid) && !pins.has(item.uuid)) going.push(item);
      else if (item.manifest === "there") await place.entries.putBack(item, ask);
    }
    await place.entries.remove(going, ask);
    entries += going.length;
    bytes += going.reduce((sum, item) => sum + item.bytes, 0);
  }
  let uploads = 0;
  if (plan.uploads.length > 0) {
    const use = await readUse(place, await storeTime(place, ask), ask);
    for (const upload of plan.uploads) {
      if (use.usedByLive.has(parseEntryObject(upload.name)?.uuid ?? "")) continue;
      await place.objects.unfinished?.abort(upload, ask);
      uploads++;
    }
  }
  await tidyLeases(place, ask);
  await place.entries.removeStaleNotes(ask);
  return { entries, bytes, spared: plan.remove.length - entries, uploads };
}

/** What a removal that was killed left half done. */
async function finishRemovals(place: CachePlace, ask: Ask): Promise<void> {
  const left: { readonly key: CallKey; readonly uuid: string; readonly since: Date }[] = [];
  for await (const { name, modifiedAt } of place.objects.list(removedPrefix(place.cacheUuid), ask)) {
    const entry = parseRemoved(name);
    if (entry !== undefined) left.push({ ...entry, since: modifiedAt });
  }
  if (left.length === 0) return;
  const now = await storeTime(place, ask);
  const use = await readUse(place, now, ask);
  for (const entry of left) {
    if (now.getTime() - entry.since.getTime() < removalMs) continue;
    if (use.usedByLive.has(entry.uuid) || (await place.entries.hasManifest(entry, ask)))
      await place.entries.putBack(entry, ask);
    else await place.entries.remove([entry], ask);
  }
}

/** Leases of ended runs are kept for their dates of use, as long as one of their entries is there. */
async function tidyLeases(place: CachePlace, ask: Ask): Promise<void> {
  const now = await storeTime(place, ask);
  const there = new Set<string>();
  for await (const info of place.objects.list(entriesPrefix(place.cacheUuid), ask)) {
    const object = parseEntryObject(info.name);
    if (object?.kind === "manifest") there.add(object.uuid);
  }
  const dead: string[] = [];
  for await (const lease of listRunLeases(place.objects, place.cacheUuid, ask))
    if (!isAlive(lease, now) && !lease.entries.some((uuid) => there.has(uuid))) dead.push(lease.name);
  const runs = runLeaseName(place.cacheUuid, "").slice(0, -".json".length);
  for await (const { name, modifiedAt } of place.objects.list(`${runs}${clockName}`, ask))
    if (now.getTime() - modifiedAt.getTime() > removalMs) dead.push(name);
  // Of calls; whoever holds one shows a sign of life every few seconds.
  for await (const { name, modifiedAt } of place.objects.list(`${place.cacheUuid}/leases/`, ask))
    if (now.getTime() - modifiedAt.getTime() > removalMs) dead.push(name);
  await place.objects.remove(dead, ask);
}

export interface VerifyReport {
  readonly checked: number;
  readonly sound: number;
  readonly setAside: readonly { readonly uuid: string; readonly key: CallKey; readonly reason: string }[];
}

/**
 * Hashes every recorded file. Entries that are not what was recorded are set aside and never reused again, and with them
 * those that may have been computed from them: whose inputs name what such an entry had recorded, and which are not
 * older. What those were computed into stays: it is known by the content that it was computed from.
 */
export async function verifyCache(place: CachePlace, ask: Ask): Promise<VerifyReport> {
  const setAside: { uuid: string; key: CallKey; reason: string }[] = [];
  const doubtful: { readonly entry: Entry; readonly contents: ReadonlySet<string> }[] = [];
  let checked = 0;
  const aside = async (entry: { readonly key: CallKey; readonly uuid: string }, reason: string) => {
    await place.entries.setAside(entry, ask);
    setAside.push({ uuid: entry.uuid, key: entry.key, reason });
  };
  const many = verifiedAtOnce[place.objects.pathOf("x") === undefined ? "server" : "disk"];
  const looked = mapAhead(place.entries.listManifests(ask), many, async ({ read, files, ...name }) => ({
    ...{ name, read },
    damage: read.kind === "entry" ? await place.entries.verify(read.entry, ask, files) : undefined,
  }));
  for await (const { name, read, damage } of looked) {
    if (read.kind === "other-version") continue;
    checked++;
    if (read.kind === "damaged") await aside(name, read.reason);
    else {
      if (damage === undefined) continue;
      doubtful.push({ entry: read.entry, contents: doubtfulContents(read.entry, damage) });
      await aside(name, damage.reason);
    }
  }
  if (doubtful.length > 0)
    for await (const entry of place.entries.list(ask)) {
      const source = doubtful.find((damaged) => mayComeFrom(entry, damaged));
      if (source === undefined) continue;
      await aside(
        entry,
        `it may have been computed from what ${source.entry.callPath} (${source.entry.uuid}) holds, which is damaged`,
      );
    }
  return { checked, sound: checked - setAside.length, setAside };
}

interface Use {
  /** By the store's clock. */
  readonly lastUsedAt: ReadonlyMap<string, Date>;
  readonly usedByLive: ReadonlySet<string>;
}

async function readUse(place: CachePlace, now: Date, ask: Ask): Promise<Use> {
  const lastUsedAt = new Map<string, Date>();
  const usedByLive = new Set<string>();
  for await (const lease of listRunLeases(place.objects, place.cacheUuid, ask)) {
    const live = isAlive(lease, now);
    for (const uuid of lease.entries) {
      const known = lastUsedAt.get(uuid);
      if (known === undefined || known < lease.modifiedAt) lastUsedAt.set(uuid, lease.modifiedAt);
      if (live) usedByLive.add(uuid);
    }
  }
  return { lastUsedAt, usedByLive };
}

/** Ids of the runs that use a cache now. */
export async function liveRuns(place: CachePlace, ask: Ask): Promise<readonly string[]> {
  const now = await storeTime(place, ask);
  const runs: string[] = [];
  for await (const lease of listRunLeases(place.objects, place.cacheUuid, ask))
    if (isAlive(lease, now)) runs.push(lease.runId);
  return runs;
}

interface ObjectGroup {
  readonly key: CallKey;
  bytes: number;
  newest: Date;
}

async function groupObjects(place: CachePlace, ask: Ask): Promise<Map<string, ObjectGroup>> {
  const groups = new Map<string, ObjectGroup>();
  for await (const info of place.objects.list(entriesPrefix(place.cacheUuid), ask)) addToGroup(groups, info);
  return groups;
}

function addToGroup(groups: Map<string, ObjectGroup>, info: ObjectInfo): void {
  const object = parseEntryObject(info.name);
  if (object === undefined) return;
  const group = groups.get(object.uuid) ?? { key: object.key, bytes: 0, newest: info.modifiedAt };
  group.bytes += info.sizeBytes;
  if (info.modifiedAt > group.newest) group.newest = info.modifiedAt;
  groups.set(object.uuid, group);
}

class SizeCount {
  readonly #seen = new Set<string>();
  #entries = 0;
  #files = 0;
  #apparent = 0;
  #unique = 0;

  add(entry: Entry): void {
    this.#entries++;
    for (const file of entry.files) {
      this.#files++;
      this.#apparent += file.sizeBytes;
      if (this.#seen.has(file.sha256)) continue;
      this.#seen.add(file.sha256);
      this.#unique += file.sizeBytes;
    }
  }

  row(): SizeRow {
    return {
      entries: this.#entries,
      files: this.#files,
      apparentBytes: this.#apparent,
      uniqueBytes: this.#unique,
    };
  }
}

function countOf(counts: Map<string, SizeCount>, name: string): SizeCount {
  const count = counts.get(name) ?? new SizeCount();
  counts.set(name, count);
  return count;
}

function rows(counts: ReadonlyMap<string, SizeCount>): Record<string, SizeRow> {
  return Object.fromEntries([...counts].map(([name, count]) => [name, count.row()]));
}
