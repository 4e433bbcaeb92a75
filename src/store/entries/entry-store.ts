/**
 * Where the results of task calls live: `<location>/<cache uuid>/entries/<key[0..2]>/<key>/<entry uuid>.json` and the
 * output files next to it. Finding and restoring are two calls. Trouble is thrown here and becomes a miss in the engine.
 */
import type { Ask, CallKey, Digest } from "../../kernel/index.ts";
import type { CanonicalJson, Outputs, StoredContent } from "../../task/index.ts";

/** Raised when a manifest's meaning changes; older ones are never reused and `prune` may remove them. */
export const entryVersion = 2;

export interface EntryFile {
  /** Declared output name. */
  readonly name: string;
  /** Of the object, relative to the entry: `out/<output name>/<file>`. */
  readonly path: string;
  /** The same with the real names, where an object store cannot hold them; texts as `kernel/file-names.ts` has them. */
  readonly member?: string;
  readonly sizeBytes: number;
  readonly sha256: Digest;
  /** S3 ETag of the stored object, or empty in a folder. */
  readonly etag: string;
  /** Folder stores: mtime when recorded. A file whose mtime or size differs is hashed before it is reused. */
  readonly modifiedAtMs?: number;
  /** The task made it a program. Object stores keep no modes. */
  readonly executable?: true;
}

/** A link inside a recorded directory that leads to a place in it, or to nothing. */
export interface EntryLink {
  /** Relative to the entry. */
  readonly path: string;
  readonly target: string;
}

export interface EntryCost {
  readonly cpuSeconds: number | null;
  readonly wallSeconds: number;
  readonly maxRssBytes: number | null;
  readonly bytesOut: number;
}

/** A recorded result. Outputs' files have locations inside the entry (host path, or `s3://…`). */
export interface Entry {
  readonly key: CallKey;
  readonly uuid: string;
  /** `s3uri` or `file://` URI of the entry's folder. */
  readonly uri: string;
  readonly taskName: string;
  /** Path of the call in the run that made it, for people. */
  readonly callPath: string;
  readonly runId: string;
  readonly workflow: string;
  readonly language: string;
  readonly components: Readonly<Record<string, CanonicalJson>>;
  readonly outputs: Outputs;
  readonly files: readonly EntryFile[];
  /** Of recorded directories. With `files` and `emptyFolders` they are all members of every one. */
  readonly links: readonly EntryLink[];
  readonly emptyFolders: readonly string[];
  readonly cost: EntryCost;
  readonly exitCode: number;
  readonly createdAt: Date;
  readonly image?: {
    readonly requested: string;
    readonly configDigest: string;
    readonly manifestDigest?: string;
  };
}

export interface NewEntry
  extends Omit<Entry, "uuid" | "uri" | "files" | "links" | "emptyFolders" | "createdAt"> {
  /**
   * Host folder of the attempt. Files that really are below it and have no other link are taken by hard link and made
   * read-only; all others (inputs passed through, links to somewhere else) are copied. Absent = everything is copied.
   */
  readonly attemptDirectory?: string;
  /**
   * Of outputs that are in an object store: what they are, by location. Directories are here with their members, and each
   * file of one is here by its own location, too. Plain data.
   */
  readonly stored?: Readonly<Record<string, StoredContent>>;
}

/** A result that another version of Memoir recorded, which is never reused. */
export interface OtherVersion {
  readonly taskName: string;
  readonly version: number;
}

export interface RecordOptions {
  /** Answers the name of the new entry, which the run's lease has named. Default: a name that nobody knows. */
  readonly newUuid?: NewUuid;
  /** Called with the sha-256 of every file before it is stored, by the path that it was read from. A throw ends the recording. */
  readonly onContent?: (source: string, sha256: string) => void;
  /** Brings an object to a local path, for stores that cannot copy it by themselves; answers the sha-256 of what came. */
  readonly fetch?: (location: string, path: string, ask: Ask) => Promise<string>;
}

/**
 * Called with the uuid of an entry before its manifest is looked at for the last time: a run names it in its lease, so
 * that nothing of it is removed from then on.
 */
export type Claim = (entryUuid: string) => Promise<void>;

/** Asked before anything of a new entry is written, for a name that is in the run's lease for the same reason. */
export type NewUuid = () => Promise<string>;

export interface EntryStore {
  /** `file:///…` or `s3://…` of the cache. */
  readonly uri: string;
  open(ask: Ask): Promise<void>;
  /** The newest valid entry whose every file is present with its recorded size and checksum/ETag. */
  find(key: CallKey, ask: Ask, claim?: Claim): Promise<Entry | undefined>;
  /**
   * Files first, manifest last, atomically. The outputs' files are host paths; answers the entry with locations inside
   * the store. Folder stores take files by hard link or reflink where possible and make them read-only.
   */
  record(entry: NewEntry, ask: Ask, options?: RecordOptions): Promise<Entry>;
  /** Takes an entry out of use without losing it: nobody finds it any more. */
  setAside(entry: { readonly key: CallKey; readonly uuid: string }, ask: Ask): Promise<void>;
  /** Other keys under which the call of this key may be recorded. */
  equalKeys(key: CallKey, ask: Ask): Promise<readonly CallKey[]>;
  /** Two keys are of the same call: one made of the ETags of its inputs, one of their contents. */
  noteEqual(keys: { readonly byEtags: CallKey; readonly byContent: CallKey }, ask: Ask): Promise<void>;
  /** Every manifest, whatever its state, for listing, explaining, du, prune and verify. */
  list(ask: Ask): AsyncIterable<Entry>;
  /** Results of other versions, for explaining. */
  listOtherVersions(ask: Ask): AsyncIterable<OtherVersion>;
  remove(entries: readonly Entry[], ask: Ask): Promise<void>;
  close(): Promise<void>;
}
