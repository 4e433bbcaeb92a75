/** Removes entries so that nobody finds one that is half gone. */
import { rmdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Ask } from "../../kernel/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import { entryFolder, manifestName, removedName } from "./entry-layout.ts";
import type { EntryName } from "./entry-manifests.ts";

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
  for (const entry of entries) {
    const names: string[] = [];
    const folder = entryFolder(cacheUuid, entry.key, entry.uuid);
    for await (const info of objects.list(`${folder}/`, ask)) names.push(info.name);
    // What says that the entry is being removed goes last, so that a removal which is killed can be finished.
    await objects.remove(names, ask);
    const removed = removedName(cacheUuid, entry.key, entry.uuid);
    await objects.remove([removed], ask);
    // Links and folders are not objects.
    const path = objects.pathOf(folder);
    if (path === undefined) continue;
    await rm(path, { recursive: true, force: true });
    removeEmptyFolders(dirname(path), 2);
    removeEmptyFolders(dirname(objects.pathOf(removed) ?? ""), 2);
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
