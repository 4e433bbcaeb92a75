/**
 * Looks at the head of an LMDB file before the library does, because the library ends the whole process (with a signal,
 * not an exception) when the file is not its own. Layout: two meta pages; in each, behind the page header of 24 bytes,
 * a magic number, a version, and the descriptors of two root trees.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { systemErrorCode } from "../../../kernel/index.ts";

const magic = 0xbeefc0de;
const dataVersion = 2;
const metaBytes = 160;
const field = { magic: 24, version: 28, pageSize: 48, mainRoot: 136, transaction: 152 } as const;
const noPage = 0xffff_ffff_ffff_ffffn;

/** undefined for a store that looks whole, an empty file or no file; else the words that say what is wrong. */
export function whatIsWrongWith(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    if (size === 0) return undefined;
    const first = readMeta(file, 0);
    if (first === undefined) return `the first page of ${path} is not a store's`;
    const second = readMeta(file, first.pageSize);
    if (second === undefined) return `the second page of ${path} is not a store's`;
    const current = second.transaction > first.transaction ? second : first;
    if (current.mainRoot !== noPage && (current.mainRoot + 1n) * BigInt(current.pageSize) > BigInt(size))
      return `${path} ends after ${size} bytes, before the page of its directory`;
    return undefined;
  } finally {
    closeSync(file);
  }
}

function readMeta(
  file: number,
  position: number,
): { pageSize: number; mainRoot: bigint; transaction: bigint } | undefined {
  const bytes = Buffer.alloc(metaBytes);
  if (readSync(file, bytes, 0, metaBytes, position) !== metaBytes) return undefined;
  if (bytes.readUInt32LE(field.magic) !== magic || bytes.readUInt32LE(field.version) !== dataVersion)
    return undefined;
  const pageSize = bytes.readUInt32LE(field.pageSize);
  if (pageSize < 256 || pageSize > 65536) return undefined;
  return {
    pageSize,
    mainRoot: bytes.readBigUInt64LE(field.mainRoot),
    transaction: bytes.readBigUInt64LE(field.transaction),
  };
}
