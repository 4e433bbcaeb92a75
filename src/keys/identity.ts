/** What files and directories are in keys, and what servers say of remote ones. */
import type { Ask, Digest } from "../kernel/index.ts";
import type { Stamp } from "./fingerprint-memo.ts";

export type IdentityPolicy = "content" | "etag" | "lenient" | "mtime";

export interface Identity {
  /** What enters the key. */
  readonly text: string;
  /** sha-256 of a file's content, where it is known. */
  readonly sha256?: Digest;
  readonly sizeBytes?: number;
  /** Of local files and folders: changes when somebody writes to the file (or replaces it). */
  readonly stamp?: Stamp;
  /** A write soon after the file was looked at may not have moved its stamp: only its content shows it. */
  readonly unsettled?: true;
  /** Of remote files: what the store said of the object that was identified, for `RemoteFiles.fetch`. */
  readonly facts?: RemoteFacts;
  /** Of remote folders: what was in them, ordered by name. */
  readonly members?: readonly RemoteMember[];
  /** What entered keys before the content was known, where it is known now: entries may be recorded under that. */
  readonly alternative?: string;
  /** Objects that only their ETags identify: reading them shows whether they have the content of others. */
  readonly unread?: true;
}

/** What a server says of an object without sending its content. */
export interface RemoteFacts {
  readonly sizeBytes?: number;
  /** Without quotes; weak ones (`W/…`) are left out. */
  readonly etag?: string;
  /** sha-256 hex over the whole object, where the server holds one. */
  readonly sha256?: string;
  readonly modifiedAt?: Date;
  /** Names this state of this object of this server: what was once read there is there as long as it is equal. */
  readonly contentStamp?: Stamp;
}

/** `name` is relative to the folder. */
export type RemoteMember = RemoteFacts & { readonly name: string };

/** Asking about files on S3 and http(s); given from above because it needs clients and credentials. */
export interface RemoteFiles {
  /** undefined = not there. Throws when it could not be determined. */
  head(location: string, ask: Ask): Promise<RemoteFacts | undefined>;
  /** Everything below an `s3://…/prefix/`, names relative to it. */
  list(location: string, ask: Ask): AsyncIterable<RemoteMember>;
  /**
   * Downloads to a local path. With `expected` (as `head` or `list` answered it) the bytes of no other object are taken:
   * throws FILE_CHANGED when the object at the location is another one now.
   */
  fetch(location: string, path: string, options: FetchOptions, ask: Ask): Promise<Fetched>;
}

export interface FetchOptions {
  readonly expected?: RemoteFacts;
}

/** What a download brought. */
export interface Fetched extends RemoteFacts {
  readonly sizeBytes: number;
  /** Of the bytes that were written. */
  readonly sha256: Digest;
}

export interface IdentifyOptions {
  /** Where content is kept that had to be downloaded to be known; without this it is read and removed. */
  readonly keepAt?: string;
  /** Instead of the fingerprinter's own. */
  readonly policy?: IdentityPolicy;
}

export interface LocalContent {
  readonly sha256: Digest;
  readonly sizeBytes: number;
  /** That it was read under. */
  readonly stamp: Stamp;
}
