/**
 * Looking after a cache: its size, what may go, what must stay, and whether it is whole. Deleting is planned, counted
 * and reported; a plan is data that can be shown first.
 */
import type { Ask, CallKey } from "../../kernel/index.ts";
import type { ObjectInfo, ObjectStore } from "../objects/index.ts";
import { entriesPrefix, parseEntryObject, pinName } from "./entry-layout.ts";
import type { Entry } from "./entry-store.ts";
import type { ObjectEntryStore } from "./object-entry-store.ts";
import { isAlive, listRunLeases, type RunLeaseRecord } from "./run-lease.ts";

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
  readonly byTask: Readonly<Record<string, SizeRow>>;
  readonly byWorkflow: Readonly<Record<string, SizeRow>>;
}

export async function measureCache(place: CachePlace, ask: Ask): Promise<CacheSize> {
  const all = new SizeCount();
  const byTask = new Map<string, SizeCount>();
  const byWorkflow = new Map<string, SizeCount>();
  for await (const entry of place.entries.list(ask)) {
    all.add(entry);
    countOf(byTask, entry.taskName).add(entry);
    countOf(byWorkflow, entry.workflow).add(entry);
  }
  return { ...all.row(), byTask: rows(byTask), byWorkflow: rows(byWorkflow) };
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
  /** Remove the least recently used entries until the rest takes at most this many bytes. */
  readonly budgetBytes?: number;
  /** Remove manifests of other entry versions. */
  readonly oldVersions?: boolean;
  /** Remove files that belong to no manifest and are older than a day, and damaged manifests. */
  readonly orphans?: boolean;
}

export interface PruneItem {
  readonly key: CallKey;
  readonly uuid: string;
  readonly taskName: string | undefined;
  readonly bytes: number;
  readonly reason: "older-than" | "over-budget" | "old-version" | "orphan";
  readonly lastUsedAt: Date | undefined;
}

export interface PrunePlan {
  readonly remove: readonly PruneItem[];
  readonly removeBytes: number;
  readonly keepEntries: number;
  readonly keepBytes: number;
  /** Entries that the rules name but that stay: pinned, or used by a run that is alive. */
  readonly protectedEntries: readonly { readonly uuid: string; readonly why: "pinned" | "in-use" }[];
}

/** A file without manifest may belong to a recording that is under way. */
const orphanAgeMs = 24 * 60 * 60 * 1000;

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
  const candidates: { entry: Entry; lastUsedAt: Date; bytes: number }[] = [];
  for await (const { key, uuid, read } of place.entries.listManifests(ask)) {
    const group = objects.get(uuid);
    objects.delete(uuid);
    const bytes = group?.bytes ?? 0;
    if (read.kind === "entry") {
      const used = use.lastUsedAt.get(uuid);
      const lastUsedAt = used !== undefined && used > read.entry.createdAt ? used : read.entry.createdAt;
      candidates.push({ entry: read.entry, lastUsedAt, bytes });
      continue;
    }
    const wanted = read.kind === "other-version" ? rules.oldVersions : rules.orphans;
    const reason = read.kind === "other-version" ? "old-version" : "orphan";
    if (wanted) remove.push({ key, uuid, taskName: undefined, bytes, reason, lastUsedAt: undefined });
  }
  if (rules.orphans) {
    for (const [uuid, group] of objects) {
      if (now.getTime() - group.newest.getTime() < orphanAgeMs) continue;
      remove.push({
        key: group.key,
        uuid,
        taskName: undefined,
        bytes: group.bytes,
        reason: "orphan",
        lastUsedAt: undefined,
      });
    }
  }
  const protectedEntries: { uuid: string; why: "pinned" | "in-use" }[] = [];
  candidates.sort((a, b) => a.lastUsedAt.getTime() - b.lastUsedAt.getTime());
  let left = candidates.reduce((sum, candidate) => sum + candidate.bytes, 0);
  let kept = candidates.length;
  for (const { entry, lastUsedAt, bytes } of candidates) {
    const tooOld =
      rules.olderThanMs !== undefined && now.getTime() - lastUsedAt.getTime() > rules.olderThanMs;
    const overBudget = rules.budgetBytes !== undefined && left > rules.budgetBytes;
    if (!tooOld && !overBudget) continue;
    const why = pins.has(entry.uuid) ? "pinned" : use.inUse(entry) ? "in-use" : undefined;
    if (why !== undefined) {
      protectedEntries.push({ uuid: entry.uuid, why });
      continue;
    }
    left -= bytes;
    kept--;
    const reason = tooOld ? "older-than" : "over-budget";
    remove.push({ key: entry.key, uuid: entry.uuid, taskName: entry.taskName, bytes, reason, lastUsedAt });
  }
  return {
    remove,
    removeBytes: remove.reduce((sum, item) => sum + item.bytes, 0),
    keepEntries: kept,
    keepBytes: left,
    protectedEntries,
  };
}

/** Carries out a plan; returns how many entries and bytes went. */
export async function prune(
  place: CachePlace,
  plan: PrunePlan,
  ask: Ask,
): Promise<{ readonly entries: number; readonly bytes: number }> {
  // Planned a while ago, perhaps shown to a person: what a run has begun to use since then stays.
  const use = await readUse(place, new Date(), ask);
  const items = plan.remove.filter((item) => !use.usedByLive.has(item.uuid));
  await place.entries.remove(items, ask);
  return { entries: items.length, bytes: items.reduce((sum, item) => sum + item.bytes, 0) };
}

export interface VerifyReport {
  readonly checked: number;
  readonly sound: number;
  readonly setAside: readonly { readonly uuid: string; readonly key: CallKey; readonly reason: string }[];
}

/** Hashes every recorded file; entries that are not what was recorded are set aside and never reused again. */
export async function verifyCache(place: CachePlace, ask: Ask): Promise<VerifyReport> {
  const setAside: { uuid: string; key: CallKey; reason: string }[] = [];
  let checked = 0;
  for await (const { key, uuid, read } of place.entries.listManifests(ask)) {
    if (read.kind === "other-version") continue;
    checked++;
    const reason = read.kind === "damaged" ? read.reason : await place.entries.verify(read.entry, ask);
    if (reason === undefined) continue;
    await place.entries.setAside({ key, uuid }, ask);
    setAside.push({ uuid, key, reason });
  }
  return { checked, sound: checked - setAside.length, setAside };
}

interface Use {
  readonly lastUsedAt: ReadonlyMap<string, Date>;
  readonly usedByLive: ReadonlySet<string>;
  /** Used by a live run, or made since the oldest live run began. */
  inUse(entry: Entry): boolean;
}

async function readUse(place: CachePlace, now: Date, ask: Ask): Promise<Use> {
  const lastUsedAt = new Map<string, Date>();
  const live: RunLeaseRecord[] = [];
  for await (const lease of listRunLeases(place.objects, place.cacheUuid, ask)) {
    const at = new Date(lease.renewedAt);
    for (const uuid of lease.entries) {
      const known = lastUsedAt.get(uuid);
      if (known === undefined || known < at) lastUsedAt.set(uuid, at);
    }
    if (isAlive(lease, now)) live.push(lease);
  }
  const usedByLive = new Set(live.flatMap((lease) => lease.entries));
  const oldest = Math.min(...live.map((lease) => Date.parse(lease.startedAt)));
  return {
    lastUsedAt,
    usedByLive,
    inUse: (entry) => usedByLive.has(entry.uuid) || entry.createdAt.getTime() >= oldest,
  };
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
