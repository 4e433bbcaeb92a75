/**
 * Content identity of files and directories: what enters a key in place of a path.
 *
 *   local file   sha256:<hex>            memoised; equal wherever the file lies
 *   S3 object    sha256:<hex> where S3 holds that checksum or the object was read before; else etag:<etag>:<size>,
 *                never downloaded for this. Both are looked up where both are known.
 *   http(s)      what the server's strong ETag or Last-Modified and size say, with the URL; else its content
 *   directory    tree:<digest over the sorted relative paths and identities of everything below>
 *
 * A local file that its owner may execute is another one than the same bytes without that bit: tools look at it. Objects
 * have no bits. Links are identified by their text, and where they lead out of the folder by what they lead to as well,
 * since a task without a container can read that.
 *
 * Policies change it: `etag` takes S3's ETag even where there is a checksum (what AWS HealthOmics does), `lenient` takes
 * name and size, `mtime` takes name, size and modification time.
 */
import { statSync } from "node:fs";
import { notRegular } from "../files/index.ts";
import { AppError, type Ask, checkAsk, type Digest, onDisk } from "../kernel/index.ts";
import type { FileValue } from "../task/index.ts";
import type { ChangeTimesParts } from "./change-time.ts";
import { stampOf, statOf, unreadable } from "./file-stamp.ts";
import type { FingerprintMemo, Stamp } from "./fingerprint-memo.ts";
import type {
  IdentifyOptions,
  Identity,
  IdentityPolicy,
  LocalContent,
  RemoteFacts,
  RemoteFiles,
} from "./identity.ts";
import { LocalIdentities } from "./local-identity.ts";
import { RemoteIdentities } from "./remote-identity.ts";
import { treeStamp } from "./survey-folder.ts";

export interface FingerprinterParts {
  readonly memo: FingerprintMemo;
  /** undefined = remote locations cannot be read here. */
  readonly remote?: RemoteFiles;
  readonly policy: IdentityPolicy;
  /** Milliseconds; default Date.now. */
  readonly now?: () => number;
  readonly changeTimes?: ChangeTimesParts;
}

export interface Fingerprinter {
  /** Throws FILE_NOT_FOUND, FILE_NOT_READABLE, or the error of the remote store. */
  identify(file: FileValue, ask: Ask, options?: IdentifyOptions): Promise<Identity>;
  /** Whether a local file or folder is still the one that was identified; what its stamp does not show is read again. */
  unchanged(file: FileValue, identity: Identity, ask: Ask): Promise<boolean>;
  /** The same, by stamps alone: `false` is certain, `true` is not. */
  seemsUnchanged(file: FileValue, identity: Identity): Promise<boolean>;
  /** What is in a regular file on this machine, read only where it is not remembered. */
  contentOf(path: string, ask: Ask): Promise<LocalContent>;
  /** The stamp of a file on this machine as it is now; undefined when it is not there. Throws FILE_NOT_READABLE. */
  stampAt(path: string): Stamp | undefined;
  /**
   * Remembers the content of a file although its change time is young: for files that only Memoir writes, which were
   * flushed after they were read (so that a later write moves the change time) or have just got one more name.
   */
  remember(path: string, sha256: Digest): Promise<void>;
  /** The content of a remote object has been read anyway: from now on it is known without reading it. */
  rememberContent(facts: RemoteFacts, sha256: Digest): void;
  /** The same objects, with what has become known of their content since. */
  withContent(file: FileValue, identity: Identity): Promise<Identity>;
  close(): Promise<void>;
}

class ContentFingerprinter implements Fingerprinter {
  readonly #memo: FingerprintMemo;
  readonly #policy: IdentityPolicy;
  readonly #local: LocalIdentities;
  readonly #remote: RemoteIdentities;

  constructor(parts: FingerprinterParts) {
    this.#memo = parts.memo;
    this.#policy = parts.policy;
    this.#local = new LocalIdentities(parts);
    this.#remote = new RemoteIdentities(parts);
  }

  async identify(file: FileValue, ask: Ask, options: IdentifyOptions = {}): Promise<Identity> {
    if (isRemote(file.location)) return this.#remote.identify(file, ask, options);
    const { policy = this.#policy } = options;
    const stats = await statOf(file.location);
    if (stats.isDirectory()) return this.#local.tree(file.location, policy, ask);
    if (!stats.isFile()) throw notRegular(`fingerprinting ${file.basename}`, file.location, stats);
    return this.#local.file({ path: file.location, name: file.basename, stats }, policy, ask);
  }

  /** Stamps alone; `false` is certain. */
  async seemsUnchanged(file: FileValue, identity: Identity): Promise<boolean> {
    if (identity.stamp === undefined || isRemote(file.location)) return true;
    try {
      const stats = await statOf(file.location);
      const stamp = stats.isDirectory() ? await treeStamp(file.location) : stampOf(stats);
      return stamp === identity.stamp;
    } catch {
      return false;
    }
  }

  async unchanged(file: FileValue, identity: Identity, ask: Ask): Promise<boolean> {
    if (!(await this.seemsUnchanged(file, identity))) return false;
    if (identity.unsettled !== true) return true;
    try {
      // Only what was known by content can be unsettled.
      return (await this.identify(file, ask, { policy: "content" })).text === identity.text;
    } catch (error) {
      checkAsk(ask, `reading ${file.location}`);
      if (!(error instanceof AppError)) throw error;
      return false;
    }
  }

  async contentOf(path: string, ask: Ask): Promise<LocalContent> {
    const stats = await statOf(path);
    if (!stats.isFile()) throw notRegular("reading a recorded file", path, stats);
    const { digest, stats: read } = await this.#local.contentOf(path, stats, ask);
    return { sha256: digest, sizeBytes: Number(read.size), stamp: stampOf(read) };
  }

  stampAt(path: string): Stamp | undefined {
    try {
      const stats = statSync(onDisk(path), { bigint: true, throwIfNoEntry: false });
      return stats === undefined ? undefined : stampOf(stats);
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  async remember(path: string, digest: Digest): Promise<void> {
    const stats = statSync(onDisk(path), { bigint: true, throwIfNoEntry: false });
    if (stats !== undefined && (await this.#local.reliable(path, stats)))
      this.#memo.put(stampOf(stats), digest);
  }

  rememberContent({ contentStamp }: RemoteFacts, digest: Digest): void {
    if (contentStamp !== undefined) this.#memo.put(contentStamp, digest);
  }

  async withContent(file: FileValue, identity: Identity): Promise<Identity> {
    if (identity.unread !== true) return identity;
    if (identity.members !== undefined)
      return this.#remote.treeOfObjects(
        { location: file.location, members: identity.members, sizeBytes: identity.sizeBytes ?? 0 },
        "content",
      );
    return identity.facts === undefined ? identity : this.#remote.object(file, identity.facts, "content");
  }

  async close(): Promise<void> {
    await Promise.all([this.#memo.close(), this.#local.close()]);
  }
}

export function createFingerprinter(parts: FingerprinterParts): Fingerprinter {
  return new ContentFingerprinter(parts);
}

export function isRemote(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(location);
}
