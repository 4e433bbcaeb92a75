/** What the file system says of a file, and the stamp that is made of it. */
import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import { AppError, messageOf, onDisk, systemErrorCode } from "../kernel/index.ts";
import type { Stamp } from "./fingerprint-memo.ts";

export async function statOf(path: string): Promise<BigIntStats> {
  try {
    return await stat(onDisk(path), { bigint: true });
  } catch (error) {
    throw unreadable(path, error);
  }
}

export function unreadable(path: string, error: unknown): AppError {
  const code = systemErrorCode(error);
  if (code === "ENOENT" || code === "ENOTDIR")
    return new AppError("FILE_NOT_FOUND", `fingerprinting ${path}: no such file or folder`, { cause: error });
  return new AppError("FILE_NOT_READABLE", `fingerprinting ${path}: ${messageOf(error)}`, { cause: error });
}

/** A new hard link moves the change time, too: whoever makes one has to expect that the file is read again. */
export function stampOf(stats: BigIntStats): Stamp {
  return `${stats.dev}-${stats.ino}-${stats.size}-${stats.mtimeNs}-${stats.ctimeNs}`;
}
