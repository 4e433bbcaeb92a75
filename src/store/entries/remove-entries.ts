/** Removes entries so that nobody finds one that is half gone. */
import { rmdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type Ask, mapBounded } from "../../kernel/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import { entryFolder, manifestName, removedName } from "./entry-layout.ts";
import type { EntryName } from "./entry-manifests.ts";

/** Entries whose files are listed at the same time, and removed together. */
const batchSize = 32;

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
  for (let at = 0; at < entries.length; at += batchSize) {
    const batch = entries.slice(at, at + batchSize);
    const files = await mapBounded(batch, batchSize, async ({ key, uuid }) => {
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
