/**
 * Names inside a cache:
 *
 *   <cache uuid>/entries/<key[0..2]>/<key>/<entry uuid>.json           manifest, written last
 *   <cache uuid>/entries/<key[0..2]>/<key>/<entry uuid>/out/<output>/…  output files
 *   <cache uuid>/same/<key[0..2]>/<key>/<other key>                    the two are keys of one call; empty
 *   <cache uuid>/damaged/<key>/<entry uuid>.json                       manifests that `verify` set aside
 *   <cache uuid>/removed/<key>/<entry uuid>.json                       manifests that `prune` is about to delete
 *   <cache uuid>/pins/<entry uuid>                                     entries that `prune` must leave
 *   <cache uuid>/runs/<run id>.json                                    what a run reuses, and that it is alive
 */
import type { CallKey } from "../../kernel/index.ts";

export function entriesPrefix(cacheUuid: string): string {
  return `${cacheUuid}/entries/`;
}

export function keyPrefix(cacheUuid: string, key: CallKey): string {
  return `${entriesPrefix(cacheUuid)}${key.slice(0, 2)}/${key}/`;
}

export function manifestName(cacheUuid: string, key: CallKey, uuid: string): string {
  return `${keyPrefix(cacheUuid, key)}${uuid}.json`;
}

export function entryFolder(cacheUuid: string, key: CallKey, uuid: string): string {
  return `${keyPrefix(cacheUuid, key)}${uuid}`;
}

export function equalPrefix(cacheUuid: string, key?: CallKey): string {
  return `${cacheUuid}/same/${key === undefined ? "" : `${key.slice(0, 2)}/${key}/`}`;
}

/** The other key of a note; undefined for names that Memoir does not write. */
export function parseEqual(name: string): CallKey | undefined {
  return /\/same\/[0-9a-f]{2}\/[0-9a-f]{64}\/([0-9a-f]{64})$/.exec(name)?.[1] as CallKey | undefined;
}

export function damagedName(cacheUuid: string, key: CallKey, uuid: string): string {
  return `${cacheUuid}/damaged/${key}/${uuid}.json`;
}

export function removedName(cacheUuid: string, key: CallKey, uuid: string): string {
  return `${removedPrefix(cacheUuid)}${key}/${uuid}.json`;
}

export function removedPrefix(cacheUuid: string): string {
  return `${cacheUuid}/removed/`;
}

const removedPattern = /\/removed\/([0-9a-f]{64})\/([0-9a-f-]{36})\.json$/;

/** undefined for names that Memoir does not write. */
export function parseRemoved(name: string): { readonly key: CallKey; readonly uuid: string } | undefined {
  const found = removedPattern.exec(name);
  return found === null ? undefined : { key: found[1] as CallKey, uuid: found[2] ?? "" };
}

export function pinName(cacheUuid: string, uuid: string): string {
  return `${cacheUuid}/pins/${uuid}`;
}

export function runLeaseName(cacheUuid: string, runId: string): string {
  return `${cacheUuid}/runs/${runId}.json`;
}

const manifestPattern = /\/entries\/[0-9a-f]{2}\/([0-9a-f]{64})\/([0-9a-f-]{36})\.json$/;
const filePattern = /\/entries\/[0-9a-f]{2}\/([0-9a-f]{64})\/([0-9a-f-]{36})\/(.+)$/;

export type EntryObject =
  | { readonly kind: "manifest"; readonly key: CallKey; readonly uuid: string }
  | { readonly kind: "file"; readonly key: CallKey; readonly uuid: string; readonly path: string };

/** What an object name below `entries/` is; undefined for names that Memoir does not write. */
export function parseEntryObject(name: string): EntryObject | undefined {
  const manifest = manifestPattern.exec(name);
  if (manifest !== null) return { kind: "manifest", key: manifest[1] as CallKey, uuid: manifest[2] ?? "" };
  const file = filePattern.exec(name);
  if (file === null) return undefined;
  return { kind: "file", key: file[1] as CallKey, uuid: file[2] ?? "", path: file[3] ?? "" };
}
