/**
 * Content identity of files and directories: what enters a key in place of a path.
 *
 *   local file   sha256:<hex>            memoised; equal wherever the file lies
 *   S3 object    sha256:<hex> where S3 holds that checksum, else etag:<etag>:<size>; never downloaded for this
 *   http(s)      what the server's strong ETag or Last-Modified and size say, with the URL; else its content
 *   directory    tree:<digest over the sorted relative paths and identities of everything below>
 *
 * Policies change it: `etag` takes S3's ETag even where there is a checksum (what AWS HealthOmics does), `lenient` takes
 * name and size, `mtime` takes name, size and modification time.
 */
import { type BigIntStats, constants } from "node:fs";
import { readdir, readlink, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { byCodeUnit, digestOf, sha256 } from "../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  type Digest,
  mapBounded,
  messageOf,
  systemErrorCode,
} from "../kernel/index.ts";
import type { FileValue } from "../task/index.ts";
import { createFileHasher } from "./file-hasher.ts";
import type { FingerprintMemo, Stamp } from "./fingerprint-memo.ts";

export type IdentityPolicy = "content" | "etag" | "lenient" | "mtime";

export interface Identity {
  /** What enters the key. */
  readonly text: string;
  /** sha-256 of a file's content, where it is known. */
  readonly sha256?: Digest;
  readonly sizeBytes?: number;
  /** Of local files: changes when somebody writes to the file (or replaces it). */
  readonly stamp?: Stamp;
  /** Of remote files: what the store said of the object that was identified, for `RemoteFiles.fetch`. */
  readonly facts?: RemoteFacts;
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

/** Asking about files on S3 and http(s); given from above because it needs clients and credentials. */
export interface RemoteFiles {
  /** undefined = not there. Throws when it could not be told. */
  head(location: string, ask: Ask): Promise<RemoteFacts | undefined>;
  /** Everything below an `s3://…/prefix/`, names relative to it. */
  list(location: string, ask: Ask): AsyncIterable<RemoteFacts & { readonly name: string }>;
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

export interface FingerprinterParts {
  readonly memo: FingerprintMemo;
  /** undefined = remote locations cannot be read here. */
  readonly remote?: RemoteFiles;
  readonly policy: IdentityPolicy;
  /** Milliseconds; default Date.now. */
  readonly now?: () => number;
}

export interface Fingerprinter {
  /** Throws FILE_NOT_FOUND, FILE_NOT_READABLE, or the error of the remote store. */
  identify(file: FileValue, ask: Ask): Promise<Identity>;
  /** Whether a local file is still the one that was identified. True where that cannot be told cheaply. */
  unchanged(file: FileValue, identity: Identity): Promise<boolean>;
  /** The content of a remote object has been read anyway: from now on it is known without reading it. */
  rememberContent(facts: RemoteFacts, sha256: Digest): void;
  close(): Promise<void>;
}

/** A file changed this recently may change again within the same tick of the file system's clock. */
const settledMs = 2_000;
const treeLanes = 16;

export function createFingerprinter(parts: FingerprinterParts): Fingerprinter {
  const hasher = createFileHasher();
  const now = parts.now ?? Date.now;

  async function contentOf(path: string, stats: BigIntStats, ask: Ask): Promise<Digest> {
    const stamp = stampOf(stats);
    const known = await parts.memo.get(stamp);
    if (known !== undefined) return known;
    const startedAt = now();
    const digest = await hasher.hash({ path, sizeBytes: Number(stats.size) }, ask);
    const after = await statOf(path);
    if (stampOf(after) !== stamp) throw changedWhileRead(path);
    const changedMs = Math.max(Number(stats.ctimeMs), Number(stats.mtimeMs));
    if (startedAt - changedMs > settledMs) parts.memo.put(stamp, digest);
    return digest;
  }

  async function localFile(path: string, name: string, stats: BigIntStats, ask: Ask): Promise<Identity> {
    const facts = { sizeBytes: Number(stats.size), stamp: writeStamp(stats) };
    if (parts.policy === "lenient") return { text: named("lenient", name, stats.size), ...facts };
    if (parts.policy === "mtime") return { text: named("mtime", name, stats.size, stats.mtimeNs), ...facts };
    const digest = await contentOf(path, stats, ask);
    return { text: `sha256:${digest}`, sha256: digest, ...facts };
  }

  async function localTree(root: string, ask: Ask): Promise<Identity> {
    const members: [path: string, identity: string, stamp: string, sizeBytes: number][] = [];
    const files: string[] = [];
    for await (const member of walk(root, "", new Set())) {
      if (member.kind === "file") files.push(member.path);
      else members.push([member.path, member.identity, "", 0]);
    }
    await mapBounded(files, treeLanes, async (path) => {
      checkAsk(ask, `fingerprinting ${root}`);
      const full = join(root, path);
      const identity = await localFile(full, basename(path), await statOf(full), ask);
      members.push([path, identity.text, identity.stamp ?? "", identity.sizeBytes ?? 0]);
    });
    members.sort(([a], [b]) => byCodeUnit(a, b));
    return {
      text: treeText(members.map(([path, identity]) => [path, identity])),
      stamp: digestOf(members.map(([path, , stamp]) => [path, stamp])),
      sizeBytes: members.reduce((sum, [, , , size]) => sum + size, 0),
    };
  }

  async function remoteTree(location: string, remote: RemoteFiles, ask: Ask): Promise<Identity> {
    const members: [string, string][] = [];
    let sizeBytes = 0;
    for await (const member of remote.list(location, ask)) {
      members.push([member.name, objectText(location, basename(member.name), member)]);
      sizeBytes += member.sizeBytes ?? 0;
    }
    members.sort(([a], [b]) => byCodeUnit(a, b));
    return { text: treeText(members), sizeBytes };
  }

  /** S3 always has an ETag; a server without validators gives nothing to go by, which is told by undefined. */
  function remoteText(location: string, name: string, facts: RemoteFacts): string | undefined {
    const { sizeBytes, etag, modifiedAt } = facts;
    if (location.startsWith("s3:") || parts.policy === "lenient") return objectText(location, name, facts);
    // A validator of http means something only together with its URL.
    const validator = etag ?? modifiedAt?.toISOString();
    if (validator === undefined) return undefined;
    return `http:${sha256(location).slice(0, 32)}:${validator}:${sizeBytes ?? "?"}`;
  }

  function objectText(location: string, name: string, facts: RemoteFacts): string {
    const { sizeBytes, etag, modifiedAt } = facts;
    if (parts.policy === "lenient" && sizeBytes !== undefined)
      return named("lenient", name, BigInt(sizeBytes));
    if (parts.policy === "mtime" && sizeBytes !== undefined && modifiedAt !== undefined)
      return named("mtime", name, BigInt(sizeBytes), BigInt(modifiedAt.getTime()) * 1_000_000n);
    if (facts.sha256 !== undefined && parts.policy !== "etag") return `sha256:${facts.sha256}`;
    if (etag !== undefined) return `etag:${etag}:${sizeBytes ?? "?"}`;
    throw new AppError(
      "FILE_NOT_READABLE",
      `fingerprinting ${location}: the store gave neither checksum nor ETag`,
    );
  }

  async function remoteFile(file: FileValue, ask: Ask): Promise<Identity> {
    const { remote } = parts;
    if (remote === undefined)
      throw new AppError(
        "FILE_NOT_READABLE",
        `fingerprinting ${file.location}: remote files cannot be read here`,
      );
    if (file.kind === "directory") return remoteTree(file.location, remote, ask);
    const facts = await remote.head(file.location, ask);
    if (facts === undefined)
      throw new AppError("FILE_NOT_FOUND", `fingerprinting ${file.location}: there is no such object`);
    const text = remoteText(file.location, file.basename, facts);
    if (text === undefined) return downloaded(file, remote, ask);
    return {
      text,
      facts,
      ...(facts.sizeBytes === undefined ? {} : { sizeBytes: facts.sizeBytes }),
      ...(text.startsWith("sha256:") ? { sha256: text.slice(7) as Digest } : {}),
    };
  }

  async function downloaded(file: FileValue, remote: RemoteFiles, ask: Ask): Promise<Identity> {
    const { mkdtemp, rm } = await import("node:fs/promises");
    const { tmpdir } = await import("node:os");
    const folder = await mkdtemp(join(tmpdir(), "memoir-fingerprint-"));
    try {
      const path = join(folder, "content");
      const { sha256: digest, sizeBytes } = await remote.fetch(file.location, path, {}, ask);
      return { text: `sha256:${digest}`, sha256: digest, sizeBytes };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  return {
    async identify(file, ask) {
      if (isRemote(file.location)) return remoteFile(file, ask);
      const stats = await statOf(file.location);
      if (stats.isDirectory()) return localTree(file.location, ask);
      return localFile(file.location, file.basename, stats, ask);
    },

    async unchanged(file, identity) {
      if (identity.stamp === undefined || isRemote(file.location)) return true;
      try {
        const stats = await statOf(file.location);
        if (!stats.isDirectory()) return writeStamp(stats) === identity.stamp;
        return (await treeStamp(file.location)) === identity.stamp;
      } catch {
        return false;
      }
    },

    rememberContent({ contentStamp }, digest) {
      if (contentStamp !== undefined) parts.memo.put(contentStamp, digest);
    },

    async close() {
      await Promise.all([parts.memo.close(), hasher.close()]);
    },
  };
}

export function isRemote(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(location);
}

async function statOf(path: string): Promise<BigIntStats> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR")
      throw new AppError("FILE_NOT_FOUND", `fingerprinting ${path}: no such file or folder`, {
        cause: error,
      });
    throw new AppError("FILE_NOT_READABLE", `fingerprinting ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function stampOf(stats: BigIntStats): Stamp {
  return `${stats.dev}-${stats.ino}-${stats.size}-${stats.mtimeNs}-${stats.ctimeNs}`;
}

/** Without the change time, which a new hard link moves as well. */
function writeStamp(stats: BigIntStats): Stamp {
  return `${stats.dev}-${stats.ino}-${stats.size}-${stats.mtimeNs}`;
}

function named(policy: string, name: string, ...facts: readonly bigint[]): string {
  return `${policy}:${[...facts.map(String), name].join(":")}`;
}

/**
 * The identity of a folder from relative paths and identities of everything in it, for folders that are known without
 * being read. `"empty"` marks an empty folder.
 */
export function treeIdentity(members: readonly (readonly [path: string, identity: string])[]): Identity {
  return { text: treeText([...members].sort(([a], [b]) => byCodeUnit(a, b))) };
}

function treeText(members: readonly (readonly [string, string])[]): string {
  return `tree:${digestOf(members)}`;
}

async function treeStamp(root: string): Promise<Stamp> {
  const members: [string, string][] = [];
  for await (const member of walk(root, "", new Set()))
    members.push([
      member.path,
      member.kind === "file" ? writeStamp(await statOf(join(root, member.path))) : "",
    ]);
  return digestOf(members.sort(([a], [b]) => byCodeUnit(a, b)));
}

type Member =
  | { readonly kind: "file"; readonly path: string }
  /** An empty folder or a link to nowhere: tools see them, so they count. */
  | { readonly kind: "mark"; readonly path: string; readonly identity: string };

/** Everything below a folder; links are followed, as tools do, but not in circles. */
async function* walk(root: string, below: string, above: ReadonlySet<string>): AsyncGenerator<Member> {
  const folder = join(root, below);
  const { dev, ino } = await statOf(folder);
  const here = `${dev}-${ino}`;
  if (above.has(here)) return yield { kind: "mark", path: below, identity: "circle" };
  const names = await readdir(folder);
  if (names.length === 0 && below !== "") yield { kind: "mark", path: below, identity: "empty" };
  const inside = new Set([...above, here]);
  for (const name of names.sort(byCodeUnit)) {
    const path = below === "" ? name : `${below}/${name}`;
    const stats = await stat(join(root, path), { bigint: true }).catch(() => undefined);
    if (stats === undefined)
      yield {
        kind: "mark",
        path,
        identity: `broken link to ${await readlink(join(root, path)).catch(() => "?")}`,
      };
    else if (stats.isDirectory()) yield* walk(root, path, inside);
    else if ((Number(stats.mode) & constants.S_IFMT) === constants.S_IFREG) yield { kind: "file", path };
    else yield { kind: "mark", path, identity: "special" };
  }
}

function changedWhileRead(path: string): AppError {
  return new AppError("FILE_NOT_READABLE", `fingerprinting ${path}: it changed while it was read`);
}
