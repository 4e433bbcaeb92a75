/**
 * What the files below `predictions/` hold, of every model, release and set of columns: read from their footers alone.
 * Files of other programs are left out.
 */
import { type Ask, isAppError, mapBounded, messageOf } from "../../../kernel/index.ts";
import type { PredictionScope } from "../../../task/index.ts";
import type { ObjectInfo, ObjectStore } from "../../objects/index.ts";
import { inOrder } from "../scope.ts";
import type { StoredScope } from "../tier.ts";
import { type FileSummary, readFileSummary } from "./file-index.ts";
import {
  type FileAddress,
  parseFileAddress,
  parseFileName,
  predictionsFolder,
  releaseFolder,
} from "./layout.ts";

export interface InventoryFile extends FileAddress {
  readonly name: string;
  readonly summary: FileSummary;
}

export interface InventoryOptions {
  readonly store: ObjectStore;
  /** Only what is below this, such as the folder of a release. Default: everything. */
  readonly below?: string;
  readonly onDamage: (file: string, reason: string) => void;
}

/** Footers read at the same time. */
const filesAtOnce = 8;

/** Memoir's files, without those that a merge has replaced. */
export async function takeInventory(options: InventoryOptions, ask: Ask): Promise<readonly InventoryFile[]> {
  const { store, below = predictionsFolder, onDamage } = options;
  const listed: (FileAddress & { readonly name: string; readonly sizeBytes: number })[] = [];
  for await (const { name, sizeBytes } of store.list(below, ask)) {
    const address = parseFileAddress(name);
    if (address !== undefined && parseFileName(address.base) !== undefined)
      listed.push({ ...address, name, sizeBytes });
  }
  const read = await mapBounded(listed, filesAtOnce, async ({ sizeBytes, ...file }) => {
    const reader = await store.openReader(file.name, sizeBytes, ask);
    try {
      const summary = await readFileSummary(reader, ask);
      return summary === undefined ? undefined : { ...file, summary };
    } catch (error) {
      // Trouble on the way to the file is not damage of the file.
      if (isAppError(error) && !isAppError(error, "STORE_OBJECT_DAMAGED")) throw error;
      onDamage(file.name, messageOf(error));
      return undefined;
    } finally {
      await reader.close();
    }
  });
  const files = read.filter((file) => file !== undefined);
  const replaced = new Set(
    files.flatMap(({ modelId, release, summary }) =>
      summary.replaces.map((base) => JSON.stringify([modelId, release, base])),
    ),
  );
  return files.filter(
    ({ modelId, release, base }) => !replaced.has(JSON.stringify([modelId, release, base])),
  );
}

/** Rows that are in two files count twice, until the files are compacted. */
export function scopesOf(files: readonly InventoryFile[]): readonly StoredScope[] {
  const scopes = new Map<string, StoredScope>();
  for (const { modelId, release, summary } of files) {
    const { columns, rows } = summary;
    const id = JSON.stringify([modelId, release, columns]);
    scopes.set(id, { modelId, release, columns, rows: (scopes.get(id)?.rows ?? 0) + rows });
  }
  return inOrder([...scopes.values()]);
}

/** Every file of Memoir's that belongs to the model and release of a scope, whatever its columns. */
export async function releaseFiles(
  store: ObjectStore,
  scope: PredictionScope,
  ask: Ask,
): Promise<readonly ObjectInfo[]> {
  const files: ObjectInfo[] = [];
  for await (const info of store.list(releaseFolder(scope), ask)) {
    const address = parseFileAddress(info.name);
    if (address !== undefined && parseFileName(address.base) !== undefined) files.push(info);
  }
  return files;
}
