/**
 * Puts what a task made into its entry. In a folder the attempt's own files are taken by hard link; everything else is
 * copied, and an object store is sent the bytes.
 */
import { chmodSync, closeSync, fsync, linkSync, openSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { makeFolders, makeFoldersSync, placeLink, realPathOfSync } from "../../files/index.ts";
import { sha256 as hashOf, sha256File } from "../../hash/index.ts";
import { AppError, type Ask, type Digest, defined, onDisk, systemErrorCode } from "../../kernel/index.ts";
import { isObjectUri, type StoredFile } from "../../task/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import type { EntryFile, NewEntry, RecordOptions } from "./entry-store.ts";
import type { OutputFile, PlannedOutputs } from "./output-files.ts";

interface FileDestination extends Pick<RecordOptions, "onContent" | "fetch"> {
  readonly objects: ObjectStore;
  /** Of the entry, in the store. */
  readonly folder: string;
  /** The real path of the attempt's folder, whose files may be taken by link. */
  readonly own: string | undefined;
  /** What is known of sources that are objects. */
  readonly known?: NewEntry["stored"];
}

/** Files up to this size are read in one go. */
const smallBytes = 1 << 20;

const toDisk = promisify(fsync);

/** Puts one file of a task's outputs into its entry. */
export async function storeFile(place: FileDestination, file: OutputFile, ask: Ask): Promise<EntryFile> {
  const name = `${place.folder}/${file.path}`;
  const known = place.known?.[file.source];
  if (known?.kind === "file" && isObjectUri(file.source)) return storeObject(place, file, known, ask);
  // Small looks at the attempt's own files are made at once, as `LocalReader` does it and for the same reason.
  const source = realPathOfSync(file.source);
  const { size, nlink, mode: sourceMode } = statSync(onDisk(source));
  const executable = (sourceMode & 0o100) === 0 ? {} : { executable: true as const };
  const { name: _name, source: _source, ...paths } = file;
  const facts = { name: file.name, ...paths, ...executable };
  // The planned path is safe; its names need not be such as every store can hold.
  const folder = place.objects.pathOf(place.folder);
  const target = folder === undefined ? undefined : `${folder}/${file.path}`;
  if (target === undefined) {
    const sha256 = await contentOf(source, size, ask);
    place.onContent?.(file.source, sha256);
    const { sizeBytes, etag } = await place.objects.putFile(name, source, ask);
    return { ...facts, sha256, sizeBytes, etag: etag ?? "" };
  }
  const own = place.own !== undefined && source.startsWith(`${place.own}/`) && nlink === 1;
  if (!(own && (await linkInto(source, target)))) await place.objects.putFile(name, source, ask);
  // Shared by link with runs that reuse it: nobody may write to it.
  chmodSync(onDisk(target), 0o444 | (sourceMode & 0o111));
  // Read where it lies, after it was flushed: what is recorded is what is there.
  const before = statSync(onDisk(target));
  const sha256 = await contentOf(target, before.size, ask);
  const { mtime, ctimeMs, size: sizeBytes } = statSync(onDisk(target));
  if (ctimeMs !== before.ctimeMs || sizeBytes !== before.size)
    throw new AppError("FILE_CHANGED", `recording ${source}: it changed while it was recorded`);
  place.onContent?.(file.source, sha256);
  return { ...facts, sha256, sizeBytes, etag: "", modifiedAtMs: mtime.getTime() };
}

/**
 * An object whose content its job has computed the digest of. An object store copies it without anybody reading it; what a
 * folder gets is compared with the digest.
 */
async function storeObject(
  { objects, folder, onContent, fetch }: FileDestination,
  { name: output, source, ...paths }: OutputFile,
  { sha256, sizeBytes, etag, executable }: StoredFile,
  ask: Ask,
): Promise<EntryFile> {
  const doing = `recording ${source}`;
  if (sha256 === undefined || sizeBytes === undefined)
    throw new AppError("OUTPUT_NOT_RECORDABLE", `${doing}: its content is not known`);
  onContent?.(source, sha256);
  const name = `${folder}/${paths.path}`;
  const facts = {
    name: output,
    ...paths,
    sha256: sha256 as Digest,
    ...(executable ? { executable: true as const } : {}),
  };
  const target = objects.pathOf(name);
  if (target === undefined) {
    if (objects.copyFrom === undefined)
      throw new AppError("OUTPUT_NOT_RECORDABLE", `${doing}: this store copies no objects`);
    const copied = await objects.copyFrom(name, { uri: source, sizeBytes, ...defined({ etag }) }, ask);
    return { ...facts, sizeBytes: copied.sizeBytes, etag: copied.etag ?? "" };
  }
  if (fetch === undefined) throw new AppError("STORE_NOT_READABLE", `${doing}: objects cannot be read here`);
  makeFoldersSync(dirname(target));
  const came = await fetch(source, target, ask);
  const { size, mtime } = statSync(onDisk(target));
  if (came !== sha256 || size !== sizeBytes)
    throw new AppError("FILE_CHANGED", `${doing}: its content is not what its task left`);
  chmodSync(onDisk(target), executable ? 0o555 : 0o444);
  return { ...facts, sizeBytes, etag: "", modifiedAtMs: mtime.getTime() };
}

/** What of the outputs is not a file: an object store keeps it in the manifest alone. */
export async function placeRest(folder: string, planned: PlannedOutputs): Promise<void> {
  for (const path of planned.emptyFolders) await makeFolders(`${folder}/${path}`);
  for (const { path, target } of planned.links) {
    await makeFolders(dirname(`${folder}/${path}`));
    await placeLink(target, `${folder}/${path}`);
  }
}

async function contentOf(path: string, sizeBytes: number, ask: Ask): Promise<Digest> {
  return sizeBytes <= smallBytes ? hashOf(readFileSync(onDisk(path))) : sha256File(path, ask.signal);
}

/** false where hard links are refused: another file system, too many links, or a file system without them. */
async function linkInto(source: string, target: string): Promise<boolean> {
  try {
    makeFoldersSync(dirname(target));
    try {
      linkSync(onDisk(source), onDisk(target));
    } catch (error) {
      // An empty folder may be tidied away between the two.
      if (systemErrorCode(error) !== "ENOENT") throw error;
      makeFoldersSync(dirname(target));
      linkSync(onDisk(source), onDisk(target));
    }
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "EXDEV" || code === "EMLINK" || code === "EPERM" || code === "ENOTSUP") return false;
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new AppError("DISK_FULL", `recording ${target}: the disk is full`, { cause: error });
    if (code === "EACCES" || code === "EROFS")
      throw new AppError("STORE_NOT_WRITABLE", `recording ${target}: ${code}`, { cause: error });
    throw error;
  }
  // Only what waits for the disk is handed to a thread.
  const fd = openSync(onDisk(target), "r");
  try {
    await toDisk(fd);
  } finally {
    closeSync(fd);
  }
  return true;
}
