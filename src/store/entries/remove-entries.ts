/** Removes entries so that nobody finds one that is half gone. */
import { rmdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type Ask, mapBounded } from "../../kernel/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import { entriesPrefix, entryFolder, manifestName, parseEntryObject, removedName } from "./entry-layout.ts";
import type { EntryName } from "./entry-manifests.ts";

/** Entries whose files are listed at the same time, and removed together. */
const batchSize = 32;
/** Objects that a server lists in one answer. */
const listedAtOnce = 1_000;

/** Manifests go first: from then on nobody finds the entry. */
export async function removeEntries(
  { objects, cacheUuid }: { readonly objects: ObjectStore; readonly cacheUuid: string },
  entries: readonly EntryName[],
  ask: Ask,
): Promise<void> {
  await objects.remove(
    entries.map((entry) => manifestName(cacheUuid, entry.key, entry.uuid)),
    ask,
  );
  const together = await listTogether({ objects, cacheUuid }, entries, ask);
  const step = together === undefined ? batchSize : entries.length;
  for (let at = 0; at < entries.length; at += step) {
    const batch = entries.slice(at, at + step);
    const files = await mapBounded(batch, batchSize, async ({ key, uuid }) => {
      const listed = together?.get(uuid);
      if (listed !== undefined) return listed;
      const names: string[] = [];
      const folder = `${entryFolder(cacheUuid, key, uuid)}/`;
      for await (const { name } of objects.list(folder, ask)) names.push(name);
      return names;
    });
    await objects.remove(files.flat(), ask);
    for (const { key, uuid } of batch) {
      // Links and folders are not objects.
      const path = objects.pathOf(entryFolder(cacheUuid, key, uuid));
      if (path === undefined) continue;
      await rm(path, { recursive: true, force: true });
      removeEmptyFolders(dirname(path), 2);
    }
    // What says that the entries are being removed goes last, so that a removal which is killed can be finished.
    const marks = batch.map(({ key, uuid }) => removedName(cacheUuid, key, uuid));
    await objects.remove(marks, ask);
    for (const mark of marks) {
      const path = objects.pathOf(mark);
      if (path !== undefined) removeEmptyFolders(dirname(path), 2);
    }
  }
}

/**
 * Files of the entries by uuid, where a server lists all of the cache in no more time than the entries one by one, so
 * many at a time. undefined = it does not.
 */
async function listTogether(
  { objects, cacheUuid }: { readonly objects: ObjectStore; readonly cacheUuid: string },
  entries: readonly EntryName[],
  ask: Ask,
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  if (entries.length <= 1 || objects.pathOf(cacheUuid) !== undefined) return undefined;
  const files = new Map(entries.map(({ uuid }) => [uuid, [] as string[]]));
  let left = Math.ceil(entries.length / batchSize) * listedAtOnce;
  for await (const { name } of objects.list(entriesPrefix(cacheUuid), ask)) {
    if (left-- === 0) return undefined;
    files.get(parseEntryObject(name)?.uuid ?? "")?.push(name);
  }
  return files;
}

/** `folder` and those above it, `levels` in all, as far as they hold nothing. */
function removeEmptyFolders(folder: string, levels: number): void {
  if (levels === 0) return;
  try {
    rmdirSync(folder);
  } catch {
    // In use, gone, or not ours to remove: an empty folder harms nobody.
    return;
  }
  removeEmptyFolders(dirname(folder), levels - 1);
}
