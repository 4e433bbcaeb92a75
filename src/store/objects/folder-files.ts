/** Single files of a folder of objects: what is there, whole or not, and on disk. */
import { closeSync, fsync, openSync, statSync, unlinkSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, sep } from "node:path";
import { promisify } from "node:util";
import { AppError, onDisk, systemErrorCode } from "../../kernel/index.ts";
import type { ObjectInfo } from "./object-store.ts";

/** Where files are until they are whole; no object has this name. */
export const tempFolder = ".memoir-tmp";
export const toDisk = promisify(fsync);

export async function infoOf(name: string, path: string): Promise<ObjectInfo | undefined> {
  const found = await orUndefined(() => stat(onDisk(path)));
  if (found === undefined || !found.isFile()) return undefined;
  return { name, sizeBytes: found.size, modifiedAt: found.mtime };
}

export async function requireInfo(name: string, path: string): Promise<ObjectInfo> {
  const info = await infoOf(name, path);
  if (info !== undefined) return info;
  throw new AppError("STORE_OBJECT_NOT_FOUND", `writing ${path}: it was removed while it was written`);
}

/** Of what was written a moment ago, so that its facts are still in memory: a thread's turn costs more. */
export function writtenInfo(name: string, path: string): ObjectInfo {
  const found = statSync(onDisk(path), { throwIfNoEntry: false });
  if (found?.isFile() !== true)
    throw new AppError("STORE_OBJECT_NOT_FOUND", `writing ${path}: it was removed while it was written`);
  return { name, sizeBytes: found.size, modifiedAt: found.mtime };
}

/** undefined where nothing is there. */
export async function orUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

export async function checkLength(path: string, expected: number): Promise<void> {
  const { size } = await stat(path);
  if (size !== expected) throw shortWrite(path, size, expected);
}

export function shortWrite(path: string, got: number, expected: number): AppError {
  return new AppError("DISK_FULL", `writing ${path}: ${got} bytes arrived, expected ${expected}`);
}

export async function syncPath(path: string): Promise<void> {
  const fd = openSync(onDisk(path), "r");
  try {
    await toDisk(fd);
  } catch (error) {
    // Some file systems cannot flush a folder; they order the rename themselves or cannot promise anything.
    const code = systemErrorCode(error);
    if (code !== "EINVAL" && code !== "ENOTSUP" && code !== "EPERM" && code !== "EISDIR") throw error;
  } finally {
    closeSync(fd);
  }
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}

/** Flushes every folder from `top` down to `bottom`, so that freshly made folders survive a power cut. */
export async function syncChain(top: string, bottom: string): Promise<void> {
  for (let at = bottom; at === top || at.startsWith(top + sep); at = dirname(at)) {
    await syncPath(at);
    if (at === top) return;
  }
}
