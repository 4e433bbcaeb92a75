/**
 * Bytes by name in a folder or an S3 bucket: the floor below the Parquet tier and the run caches. It knows neither
 * predictions nor entries. Names are relative, `/`-separated, never start with `/` and never contain `.` or `..` parts.
 */
import type { Ask, Digest } from "../../kernel/index.ts";

export interface ObjectInfo {
  readonly name: string;
  readonly sizeBytes: number;
  /** S3: the ETag without quotes. Folder: absent. */
  readonly etag?: string;
  /** sha-256 hex, where the store holds a verified one. */
  readonly sha256?: string;
  readonly modifiedAt: Date;
}

/** What a writer knows of an object without looking at it again. */
export type WrittenObject = Omit<ObjectInfo, "modifiedAt">;

/** What a reader knows of an object already; bytes of any other object are refused. */
export type ExpectedObject = Partial<Pick<ObjectInfo, "sizeBytes" | "etag" | "sha256">>;

export interface FetchedObject extends ObjectInfo {
  /** Of the bytes that were written. */
  readonly sha256: Digest;
}

/** Half-open: bytes [start, end). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** One immutable object opened for many small reads. Close it. */
export interface ObjectReader {
  readonly sizeBytes: number;
  /** Answers in the order of `ranges`; reads run side by side, `concurrency` of the store at most. */
  readRanges(ranges: readonly ByteRange[], ask: Ask): Promise<readonly Uint8Array[]>;
  close(): Promise<void>;
}

/** An upload in parts whose writer was killed, or is still at it. Its parts take room and are listed nowhere else. */
export interface UnfinishedUpload {
  readonly name: string;
  readonly id: string;
  /** By the store's clock. */
  readonly startedAt: Date;
}

export interface ObjectStore {
  /** `file:///…` or `s3://bucket/prefix`, for messages and manifests. No trailing slash. */
  readonly uri: string;
  /** Makes sure that the place exists and may be used; throws STORE_* AppErrors that say what was refused and why. */
  open(ask: Ask): Promise<void>;
  /** undefined = not there; a throw = could not find out. */
  head(name: string, ask: Ask): Promise<ObjectInfo | undefined>;
  /** The whole object. undefined = not there. */
  read(name: string, ask: Ask): Promise<Uint8Array | undefined>;
  /**
   * Bytes [start, end) of the object, never fewer. Throws STORE_OBJECT_NOT_FOUND when it is not there and
   * STORE_OBJECT_DAMAGED when it is shorter than that.
   */
  readRange(name: string, range: ByteRange, ask: Ask): Promise<Uint8Array>;
  /** How many unwanted bytes are cheaper to read than one more request: the gap up to which ranges are merged. */
  readonly gapBytes: number;
  /** Opens an object of known size for ranged reads. A folder opens the file; S3 does nothing until the first read. */
  openReader(name: string, sizeBytes: number, ask: Ask): Promise<ObjectReader>;
  /** Replaces or creates, atomically: readers see the old bytes or the new ones. */
  put(name: string, bytes: Uint8Array, ask: Ask): Promise<WrittenObject>;
  /** Creates only if the name is free: of many writers exactly one gets "stored", where the place is able to. */
  putNew(name: string, bytes: Uint8Array, ask: Ask): Promise<"stored" | "already-there">;
  /** Uploads a local file (multipart and in parallel on S3, reflink or copy in a folder). */
  putFile(name: string, path: string, ask: Ask): Promise<WrittenObject>;
  /**
   * Copies an object of the same server here without reading it, and compares what arrived with the size and, where both
   * are MD5s, the ETag of the source. Throws STORE_OBJECT_DAMAGED when it is not that. Only where the store can.
   */
  copyFrom?(
    name: string,
    source: { readonly uri: string; readonly sizeBytes: number; readonly etag?: string },
    ask: Ask,
  ): Promise<ObjectInfo>;
  /**
   * Downloads to a local path (temp + rename) and answers what was downloaded, with its sha-256. Throws
   * STORE_OBJECT_NOT_FOUND when it is not there, FILE_CHANGED when it is not the expected object (any longer), and
   * STORE_OBJECT_DAMAGED when the bytes that arrived do not have the checksum that the store holds.
   */
  fetchFile(name: string, path: string, expected: ExpectedObject, ask: Ask): Promise<FetchedObject>;
  /** Everything whose name starts with `prefix`, ordered by code unit. */
  list(prefix: string, ask: Ask): AsyncIterable<ObjectInfo>;
  /** Removing what does not exist is not an error. */
  remove(names: readonly string[], ask: Ask): Promise<void>;
  /** Only where the store keeps them. */
  readonly unfinished?: {
    list(prefix: string, ask: Ask): AsyncIterable<UnfinishedUpload>;
    abort(upload: UnfinishedUpload, ask: Ask): Promise<void>;
  };
  /** Names of the folders directly below `prefix`, which is empty or ends with `/`; without slashes. */
  folders(prefix: string, ask: Ask): Promise<readonly string[]>;
  /** The local path of an object; undefined where objects are not files on this machine. */
  pathOf(name: string): string | undefined;
  close(): Promise<void>;
}
