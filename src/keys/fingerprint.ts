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
import { type BigIntStats, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isProgram, notRegular, readTree, realPathOf } from "../files/index.ts";
import { byCodeUnit, digestOf, sha256 } from "../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  type Digest,
  defined,
  mapBounded,
  messageOf,
  onDisk,
  systemErrorCode,
} from "../kernel/index.ts";
import { type FileValue, isObjectUri } from "../task/index.ts";
import { type ChangeTimesParts, createChangeTimes } from "./change-time.ts";
import { createFileHasher } from "./file-hasher.ts";
import type { FingerprintMemo, Stamp } from "./fingerprint-memo.ts";

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

interface NamedObject {
  readonly location: string;
  readonly name: string;
  readonly facts: RemoteFacts;
}

const treeLanes = 16;
/** Of a file that changes while it is read. */
const mostReads = 3;

export function createFingerprinter(parts: FingerprinterParts): Fingerprinter {
  const hasher = createFileHasher();
  const now = parts.now ?? Date.now;
  const changeTimes = createChangeTimes(parts.changeTimes);

  /** `stats` of the answer are those that the content was read under. */
  async function contentOf(
    path: string,
    first: BigIntStats,
    ask: Ask,
  ): Promise<{ readonly digest: Digest; readonly stats: BigIntStats; readonly unsettled?: true }> {
    let stats = first;
    for (let tries = 1; ; tries++) {
      const stamp = stampOf(stats);
      const settled = await changeTimes.settled(path, stats, now());
      // A young stamp may have been remembered by whoever made the file; on other file systems no stamp is trusted.
      if (await changeTimes.reliable(path, stats)) {
        const known = await parts.memo.get(stamp);
        if (known !== undefined) return { digest: known, stats };
      }
      const digest = await hasher.hash({ path, sizeBytes: Number(stats.size) }, ask);
      const after = await statOf(path);
      if (stampOf(after) === stamp) {
        if (!settled) return { digest, stats, unsettled: true };
        parts.memo.put(stamp, digest);
        return { digest, stats };
      }
      // Other runs give a recorded file further names all the time, which moves its change time and nothing else. What
      // was read is an answer then, and the old stamp has whoever relies on it look again.
      const sameTimes =
        after.ino === stats.ino && after.size === stats.size && after.mtimeNs === stats.mtimeNs;
      if (tries === mostReads && sameTimes) return { digest, stats, unsettled: true };
      if (tries === mostReads) throw changedWhileRead(path);
      stats = after;
    }
  }

  async function localFile(
    { path, name, stats }: { readonly path: string; readonly name: string; readonly stats: BigIntStats },
    policy: IdentityPolicy,
    ask: Ask,
  ): Promise<Identity> {
    const factsOf = (of: BigIntStats) => ({ sizeBytes: Number(of.size), stamp: stampOf(of) });
    const program = isProgram(stats);
    if (policy === "lenient")
      return { text: withBit(named("lenient", name, stats.size), program), ...factsOf(stats) };
    if (policy === "mtime")
      return { text: withBit(named("mtime", name, stats.size, stats.mtimeNs), program), ...factsOf(stats) };
    const { digest, unsettled, stats: read } = await contentOf(path, stats, ask);
    return {
      text: fileIdentity(digest, isProgram(read)),
      sha256: digest,
      ...factsOf(read),
      ...defined({ unsettled }),
    };
  }

  async function localTree(root: string, policy: IdentityPolicy, ask: Ask): Promise<Identity> {
    const folders = await survey(root);
    let sizeBytes = 0;
    let unsettled = false;
    const trees: (readonly (readonly [string, string])[])[] = [];
    for (const members of folders)
      trees.push(
        await mapBounded(members, treeLanes, async ({ path, words, file }) => {
          checkAsk(ask, `fingerprinting ${root}`);
          if (file === undefined) return [path, words] as const;
          const identity = await localFile(
            { path: file.location, name: basename(path), stats: file.facts },
            policy,
            ask,
          );
          sizeBytes += identity.sizeBytes ?? 0;
          if (identity.unsettled === true) unsettled = true;
          return [path, `${words}${identity.text}`] as const;
        }),
      );
    return {
      text: treesText(trees),
      stamp: stampOfFolders(folders),
      sizeBytes,
      ...(unsettled ? { unsettled } : {}),
    };
  }

  async function remoteTree(
    { location }: FileValue,
    remote: RemoteFiles,
    policy: IdentityPolicy,
    ask: Ask,
  ): Promise<Identity> {
    const members: RemoteMember[] = [];
    let sizeBytes = 0;
    for await (const member of remote.list(location, ask)) {
      members.push(member);
      sizeBytes += member.sizeBytes ?? 0;
    }
    members.sort((a, b) => byCodeUnit(a.name, b.name));
    return treeOfObjects({ location, members, sizeBytes }, policy);
  }

  async function treeOfObjects(
    tree: {
      readonly location: string;
      readonly members: readonly RemoteMember[];
      readonly sizeBytes: number;
    },
    policy: IdentityPolicy,
  ): Promise<Identity> {
    const { location, members, sizeBytes } = tree;
    const known: Known[] = [];
    for (const member of members)
      known.push(await knownObject({ location, name: basename(member.name), facts: member }, policy));
    const texts = (of: (each: Known) => string) =>
      treeText(known.map((each, i): [string, string] => [members[i]?.name ?? "", of(each)]));
    return {
      text: texts((each) => each.text),
      sizeBytes,
      members,
      ...(known.some((each) => each.alternative !== undefined)
        ? { alternative: texts((each) => each.alternative ?? each.text) }
        : {}),
      ...(known.some((each) => each.unread === true) ? { unread: true } : {}),
    };
  }

  type Known = Pick<Identity, "text" | "alternative" | "unread">;

  /** By content where that is known: the store holds its checksum, or it was read at some time before. */
  async function knownObject(object: NamedObject, policy: IdentityPolicy): Promise<Known> {
    const { facts } = object;
    const text = objectText(object, policy);
    if (policy !== "content") return { text };
    const alternative = facts.etag === undefined ? {} : { alternative: etagText(facts, facts.etag) };
    if (text.startsWith("sha256:")) return { text, ...alternative };
    const digest = facts.contentStamp === undefined ? undefined : await parts.memo.get(facts.contentStamp);
    if (digest !== undefined) return { text: `sha256:${digest}`, ...alternative };
    return facts.contentStamp === undefined ? { text } : { text, unread: true };
  }

  /** S3 always has an ETag; a server without validators gives nothing to go by, which is reported by undefined. */
  function remoteText(object: NamedObject, policy: IdentityPolicy): string | undefined {
    const { location } = object;
    const { sizeBytes, etag, modifiedAt } = object.facts;
    if (isObjectUri(location) || policy === "lenient") return objectText(object, policy);
    // A validator of http means something only together with its URL.
    const validator = etag ?? modifiedAt?.toISOString();
    if (validator === undefined) return undefined;
    return `http:${sha256(location).slice(0, 32)}:${validator}:${sizeBytes ?? "?"}`;
  }

  function objectText({ location, name, facts }: NamedObject, policy: IdentityPolicy): string {
    const { sizeBytes, etag, modifiedAt } = facts;
    if (policy === "lenient" && sizeBytes !== undefined) return named("lenient", name, BigInt(sizeBytes));
    if (policy === "mtime" && sizeBytes !== undefined && modifiedAt !== undefined)
      return named("mtime", name, BigInt(sizeBytes), BigInt(modifiedAt.getTime()) * 1_000_000n);
    if (facts.sha256 !== undefined && policy !== "etag") return `sha256:${facts.sha256}`;
    if (etag !== undefined) return etagText(facts, etag);
    throw new AppError(
      "FILE_NOT_READABLE",
      `fingerprinting ${location}: the store gave neither checksum nor ETag`,
    );
  }

  async function remoteFile(file: FileValue, ask: Ask, options: IdentifyOptions): Promise<Identity> {
    const { remote } = parts;
    const { policy = parts.policy } = options;
    if (remote === undefined)
      throw new AppError(
        "FILE_NOT_READABLE",
        `fingerprinting ${file.location}: remote files cannot be read here`,
      );
    if (file.kind === "directory") return remoteTree(file, remote, policy, ask);
    const facts = await remote.head(file.location, ask);
    if (facts === undefined)
      throw new AppError("FILE_NOT_FOUND", `fingerprinting ${file.location}: there is no such object`);
    const text = remoteText({ location: file.location, name: file.basename, facts }, policy);
    if (text === undefined) return downloaded(file, remote, ask, options);
    if (isObjectUri(file.location)) return objectIdentity(file, facts, policy);
    return { text, facts, ...defined({ sizeBytes: facts.sizeBytes }) };
  }

  async function objectIdentity(
    { location, basename: name }: FileValue,
    facts: RemoteFacts,
    policy: IdentityPolicy,
  ): Promise<Identity> {
    const known = await knownObject({ location, name, facts }, policy);
    return {
      ...known,
      facts,
      ...defined({ sizeBytes: facts.sizeBytes }),
      ...(known.text.startsWith("sha256:") ? { sha256: known.text.slice(7) as Digest } : {}),
    };
  }

  async function downloaded(
    file: FileValue,
    remote: RemoteFiles,
    ask: Ask,
    { keepAt }: IdentifyOptions,
  ): Promise<Identity> {
    if (keepAt !== undefined) return downloadedTo(keepAt, file, remote, ask);
    const { mkdtemp, rm } = await import("node:fs/promises");
    const { tmpdir } = await import("node:os");
    const folder = await mkdtemp(join(tmpdir(), "memoir-fingerprint-"));
    try {
      return await downloadedTo(join(folder, "content"), file, remote, ask);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async function downloadedTo(
    path: string,
    file: FileValue,
    remote: RemoteFiles,
    ask: Ask,
  ): Promise<Identity> {
    const { sha256: digest, sizeBytes } = await remote.fetch(file.location, path, {}, ask);
    return { text: `sha256:${digest}`, sha256: digest, sizeBytes };
  }

  async function identify(file: FileValue, ask: Ask, options: IdentifyOptions = {}): Promise<Identity> {
    if (isRemote(file.location)) return remoteFile(file, ask, options);
    const { policy = parts.policy } = options;
    const stats = await statOf(file.location);
    if (stats.isDirectory()) return localTree(file.location, policy, ask);
    if (!stats.isFile()) throw notRegular(`fingerprinting ${file.basename}`, file.location, stats);
    return localFile({ path: file.location, name: file.basename, stats }, policy, ask);
  }

  /** Stamps alone; `false` is certain. */
  async function seemsUnchanged(file: FileValue, identity: Identity): Promise<boolean> {
    if (identity.stamp === undefined || isRemote(file.location)) return true;
    try {
      const stats = await statOf(file.location);
      const stamp = stats.isDirectory() ? await treeStamp(file.location) : stampOf(stats);
      return stamp === identity.stamp;
    } catch {
      return false;
    }
  }

  return {
    identify,
    seemsUnchanged,

    async unchanged(file, identity, ask) {
      if (!(await seemsUnchanged(file, identity))) return false;
      if (identity.unsettled !== true) return true;
      try {
        // Only what was known by content can be unsettled.
        return (await identify(file, ask, { policy: "content" })).text === identity.text;
      } catch (error) {
        checkAsk(ask, `reading ${file.location}`);
        if (!(error instanceof AppError)) throw error;
        return false;
      }
    },

    async contentOf(path, ask) {
      const stats = await statOf(path);
      if (!stats.isFile()) throw notRegular("reading a recorded file", path, stats);
      const { digest, stats: read } = await contentOf(path, stats, ask);
      return { sha256: digest, sizeBytes: Number(read.size), stamp: stampOf(read) };
    },

    stampAt(path) {
      try {
        const stats = statSync(onDisk(path), { bigint: true, throwIfNoEntry: false });
        return stats === undefined ? undefined : stampOf(stats);
      } catch (error) {
        throw unreadable(path, error);
      }
    },

    async remember(path, digest) {
      const stats = statSync(onDisk(path), { bigint: true, throwIfNoEntry: false });
      if (stats !== undefined && (await changeTimes.reliable(path, stats)))
        parts.memo.put(stampOf(stats), digest);
    },

    rememberContent({ contentStamp }, digest) {
      if (contentStamp !== undefined) parts.memo.put(contentStamp, digest);
    },

    async withContent(file, identity) {
      if (identity.unread !== true) return identity;
      if (identity.members !== undefined)
        return treeOfObjects(
          { location: file.location, members: identity.members, sizeBytes: identity.sizeBytes ?? 0 },
          "content",
        );
      return identity.facts === undefined ? identity : objectIdentity(file, identity.facts, "content");
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
    return await stat(onDisk(path), { bigint: true });
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): AppError {
  const code = systemErrorCode(error);
  if (code === "ENOENT" || code === "ENOTDIR")
    return new AppError("FILE_NOT_FOUND", `fingerprinting ${path}: no such file or folder`, { cause: error });
  return new AppError("FILE_NOT_READABLE", `fingerprinting ${path}: ${messageOf(error)}`, { cause: error });
}

/** A new hard link moves the change time, too: whoever makes one has to expect that the file is read again. */
function stampOf(stats: BigIntStats): Stamp {
  return `${stats.dev}-${stats.ino}-${stats.size}-${stats.mtimeNs}-${stats.ctimeNs}`;
}

/**
 * An MD5, or one of MD5s of parts, says the same of every object that has it. Other stores' ETags may be anything, and
 * say something only of that object of that server.
 */
function etagText({ sizeBytes, contentStamp }: RemoteFacts, etag: string): string {
  const ofContent = /^[0-9a-f]{32}(-\d+)?$/i.test(etag) || contentStamp === undefined;
  return `etag:${etag}:${sizeBytes ?? "?"}${ofContent ? "" : `:${contentStamp}`}`;
}

function named(policy: string, name: string, ...facts: readonly bigint[]): string {
  return `${policy}:${[...facts.map(String), name].join(":")}`;
}

/** Of a file's content and of whether its owner may execute it. */
export function fileIdentity(digest: Digest, executable: boolean): string {
  return withBit(`sha256:${digest}`, executable);
}

function withBit(text: string, executable: boolean): string {
  return executable ? `${text} executable` : text;
}

/** Of a link in a folder whose text alone says where it leads, or that leads nowhere. */
export function linkIdentity(target: string): string {
  return `link to ${target}`;
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

function treesText(trees: readonly (readonly (readonly [string, string])[])[]): string {
  const [own, ...others] = trees;
  return others.length === 0 ? treeText(own ?? []) : `tree:${digestOf(trees)}`;
}

async function treeStamp(root: string): Promise<Stamp> {
  return stampOfFolders(await survey(root));
}

function stampOfFolders(folders: readonly (readonly Surveyed[])[]): Stamp {
  return digestOf(
    folders.map((members) =>
      members.map(({ path, words, file }) => [path, words, file === undefined ? "" : stampOf(file.facts)]),
    ),
  );
}

interface Surveyed {
  readonly path: string;
  /** What is known without reading content; goes before the identity of `file`. */
  readonly words: string;
  readonly file?: { readonly location: string; readonly facts: BigIntStats };
}

/** Folders that links lead out to, each once. */
const mostFolders = 1_000;

/**
 * The members of a folder, and after them those of every folder that its links lead out to: each once, whatever the
 * links between them are.
 */
async function survey(root: string): Promise<readonly (readonly Surveyed[])[]> {
  const doing = `fingerprinting ${root}`;
  const roots = [await realPathOf(root)];
  const surveyed: Surveyed[][] = [];
  let members = 0;
  for (let i = 0; i < roots.length; i++) {
    const folder = roots[i] ?? root;
    const found: Surveyed[] = [];
    for (const member of await readTree(folder, { doing })) {
      const { path } = member;
      if (member.kind === "empty") found.push({ path, words: "empty" });
      else if (member.kind === "file")
        found.push({ path, words: "", file: { location: join(folder, path), facts: member.facts } });
      else {
        const words = linkIdentity(member.target);
        const { end } = member;
        const plain = member.own || member.target === "/dev/null";
        if (end.kind === "nowhere") found.push({ path, words: plain ? words : `${words}, to nothing` });
        else if (end.kind === "inside")
          found.push({ path, words: member.own ? words : `${words}, which is ${end.path}` });
        else if (end.what === "file")
          found.push({
            path,
            words: `${words}, which is `,
            file: { location: end.location, facts: await statOf(end.location) },
          });
        else found.push({ path, words: `${words}, which is folder ${folderNumber(roots, end.location)}` });
      }
    }
    surveyed.push(found);
    members += i === 0 ? 0 : found.length;
    if (roots.length > mostFolders || members > mostLinked)
      throw new AppError(
        "DIRECTORY_TOO_LARGE",
        `${doing}: its links lead to ${roots.length - 1} other folders with ${members} members and more, at most ${mostFolders} and ${mostLinked} are followed`,
      );
  }
  return surveyed;
}

/** Members of folders that links lead out to. */
const mostLinked = 100_000;

/** A folder's place among the known ones, or in one of them; a new one is added. */
function folderNumber(roots: string[], location: string): string {
  const known = roots.findIndex((root) => location === root || location.startsWith(`${root}/`));
  if (known >= 0) return `${known}${location.slice(roots[known]?.length)}`;
  roots.push(location);
  return String(roots.length - 1);
}

function changedWhileRead(path: string): AppError {
  return new AppError("FILE_NOT_READABLE", `fingerprinting ${path}: it changed while it was read`);
}
