/**
 * Opens the LMDB files of a folder and says in our words what can go wrong there. Everything that depends on the
 * library's API is here; the tier works with tables.
 *
 * Choices: every commit is synced before it returns (an acknowledged row survives a power cut, not only a kill);
 * the library's overlapping sync is off because it would answer before the disk did; reads copy nothing
 * (`getBinaryFast` answers a view that is valid until the next get).
 */
import { join } from "node:path";
import { makeFoldersSync } from "../../../files/index.ts";
import { AppError, messageOf, systemErrorCode } from "../../../kernel/index.ts";
import { whatIsWrongWith } from "./file-check.ts";
import type { KeyCodec, RowKey } from "./keys.ts";
import { freeBytes, reserveLockFile } from "./lock-file.ts";

/** The part of an LMDB database that we use, in our types. */
export interface LmdbTable<Value, Key = string> {
  get(key: Key): Value | undefined;
  putSync(key: Key, value: Value, options?: { readonly noOverwrite: boolean }): boolean | undefined;
  removeSync(key: Key): boolean;
}

export interface RowTable extends LmdbTable<Uint8Array, RowKey> {
  /** A view that is valid until the next get; its `length` is that of the value. */
  getBinaryFast(key: RowKey): Uint8Array | undefined;
  getRange(range: RowRange): Iterable<{ readonly key: RowKey; readonly value: Uint8Array }>;
  getKeys(range: RowRange): Iterable<RowKey>;
  getKeysCount(range: RowRange): number;
}

export interface RowRange {
  readonly start: RowKey;
  readonly end: RowKey;
  readonly exclusiveStart?: boolean;
  readonly limit?: number;
}

export interface LmdbStore {
  readonly rows: RowTable;
  /** Canonical form to raw input, under keys like those of rows. */
  readonly canonical: RowTable;
  readonly names: LmdbTable<string>;
  /** Runs `work` in one synced transaction: all of it is stored, or nothing. */
  write<T>(work: () => T): T;
  /** Makes what others have committed visible. Otherwise reads of one turn of the event loop see one state. */
  freshen(): void;
  close(): Promise<void>;
}

/** More than the default of 126, because a cluster node may run many processes of one user. */
const mostReaders = 1024;

export async function openLmdb(
  folder: string,
  rowKeys: KeyCodec,
  canonicalKeys: KeyCodec,
): Promise<LmdbStore> {
  const lmdb = await import("lmdb");
  try {
    makeFoldersSync(folder);
    const wrong = whatIsWrongWith(join(folder, "data.mdb"));
    if (wrong !== undefined)
      throw new AppError("STORE_TIER_DAMAGED", `opening the prediction store in ${folder}: ${wrong}`);
    reserveLockFile(folder);
    const root = lmdb.open({
      path: folder,
      // A folder whose name has a dot would otherwise be taken for a file.
      noSubdir: false,
      maxDbs: 8,
      maxReaders: mostReaders,
      overlappingSync: false,
    });
    // The names carry the format version: a later format gets its own tables next to these.
    const rows = root.openDB({ name: "rows-1", encoding: "binary", ...keyed(rowKeys) });
    const canonical = root.openDB({ name: "canonical-1", encoding: "binary", ...keyed(canonicalKeys) });
    const names = root.openDB({ name: "names-1", encoding: "string" });
    return {
      // The library's types know neither key encoders of named databases nor what putSync answers.
      rows: rows as unknown as RowTable,
      canonical: canonical as unknown as RowTable,
      names: names as unknown as LmdbTable<string>,
      write: (work) => {
        try {
          return root.transactionSync(work);
        } catch (error) {
          throw storeError(error, folder, "writing predictions");
        }
      },
      freshen: () => root.resetReadTxn(),
      close: () => root.close(),
    };
  } catch (error) {
    throw storeError(error, folder, "opening the prediction store");
  }
}

function keyed(codec: KeyCodec): Readonly<Record<string, unknown>> {
  return { keyEncoder: codec.encoder };
}

const damagedCodes = new Set([-30793, -30794, -30795, -30796, -30797]);
const fullCodes = new Set([-30792, 28, 122]);
const deniedCodes = new Set([1, 13, 30]);
/** EIO. LMDB also says this when the disk took only a part of a write, as it does when it is about to be full. */
const ioError = 5;
/** More than one of Memoir's transactions writes at a time. */
const littleSpace = 64 << 20;

/** Wraps what the library or the file system threw; errors that are ours or bugs pass through unchanged. */
export function storeError(error: unknown, folder: string, doing: string): unknown {
  if (error instanceof AppError) return error;
  const number = numericCode(error);
  const name = systemErrorCode(error);
  const words = `${doing} in ${folder}: ${messageOf(error)}`;
  if ((number !== undefined && damagedCodes.has(number)) || name === "ENOTDIR" || name === "EEXIST")
    return new AppError("STORE_TIER_DAMAGED", words, { cause: error });
  const full =
    number !== undefined && (fullCodes.has(number) || (number === ioError && isNearlyFull(folder)));
  if (full || name === "ENOSPC" || name === "EDQUOT")
    return new AppError("DISK_FULL", `${doing} in ${folder}: the disk is full`, { cause: error });
  if (
    (number !== undefined && deniedCodes.has(number)) ||
    name === "EACCES" ||
    name === "EROFS" ||
    name === "EPERM"
  )
    return new AppError("FILE_NOT_WRITABLE", words, { cause: error });
  if (number !== undefined || name !== undefined)
    return new AppError("STORE_TIER_UNREACHABLE", words, { cause: error });
  return error;
}

function isNearlyFull(folder: string): boolean {
  const free = freeBytes(folder);
  return free !== undefined && free < littleSpace;
}

/** The library puts LMDB's and the system's error numbers into `code`. */
function numericCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "number" ? error.code : undefined;
}
