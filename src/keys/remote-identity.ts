/** Identity of objects and folders on S3 and http(s): from what the server says of them, where that is enough. */
import { basename, join } from "node:path";
import { byCodeUnit, sha256 } from "../hash/index.ts";
import { AppError, type Ask, type Digest, defined } from "../kernel/index.ts";
import { type FileValue, isObjectUri } from "../task/index.ts";
import type { FingerprintMemo } from "./fingerprint-memo.ts";
import type {
  IdentifyOptions,
  Identity,
  IdentityPolicy,
  RemoteFacts,
  RemoteFiles,
  RemoteMember,
} from "./identity.ts";
import { etagText, named, treeText } from "./identity-text.ts";

interface NamedObject {
  readonly location: string;
  readonly name: string;
  readonly facts: RemoteFacts;
}

type Known = Pick<Identity, "text" | "alternative" | "unread">;

export class RemoteIdentities {
  readonly #memo: FingerprintMemo;
  readonly #remote: RemoteFiles | undefined;
  readonly #policy: IdentityPolicy;

  constructor(parts: {
    readonly memo: FingerprintMemo;
    readonly remote?: RemoteFiles;
    readonly policy: IdentityPolicy;
  }) {
    this.#memo = parts.memo;
    this.#remote = parts.remote;
    this.#policy = parts.policy;
  }

  async #tree(
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
    return this.treeOfObjects({ location, members, sizeBytes }, policy);
  }

  async treeOfObjects(
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
      known.push(await this.#known({ location, name: basename(member.name), facts: member }, policy));
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

  /** By content where that is known: the store holds its checksum, or it was read at some time before. */
  async #known(object: NamedObject, policy: IdentityPolicy): Promise<Known> {
    const { facts } = object;
    const text = objectText(object, policy);
    if (policy !== "content") return { text };
    const alternative = facts.etag === undefined ? {} : { alternative: etagText(facts, facts.etag) };
    if (text.startsWith("sha256:")) return { text, ...alternative };
    const digest = facts.contentStamp === undefined ? undefined : await this.#memo.get(facts.contentStamp);
    if (digest !== undefined) return { text: `sha256:${digest}`, ...alternative };
    return facts.contentStamp === undefined ? { text } : { text, unread: true };
  }

  async identify(file: FileValue, ask: Ask, options: IdentifyOptions): Promise<Identity> {
    const remote = this.#remote;
    const { policy = this.#policy } = options;
    if (remote === undefined)
      throw new AppError(
        "FILE_NOT_READABLE",
        `fingerprinting ${file.location}: remote files cannot be read here`,
      );
    if (file.kind === "directory") return this.#tree(file, remote, policy, ask);
    const facts = await remote.head(file.location, ask);
    if (facts === undefined)
      throw new AppError("FILE_NOT_FOUND", `fingerprinting ${file.location}: there is no such object`);
    const text = remoteText({ location: file.location, name: file.basename, facts }, policy);
    if (text === undefined) return downloaded(file, remote, ask, options);
    if (isObjectUri(file.location)) return this.object(file, facts, policy);
    return { text, facts, ...defined({ sizeBytes: facts.sizeBytes }) };
  }

  async object(
    { location, basename: name }: FileValue,
    facts: RemoteFacts,
    policy: IdentityPolicy,
  ): Promise<Identity> {
    const known = await this.#known({ location, name, facts }, policy);
    return {
      ...known,
      facts,
      ...defined({ sizeBytes: facts.sizeBytes }),
      ...(known.text.startsWith("sha256:") ? { sha256: known.text.slice(7) as Digest } : {}),
    };
  }
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

async function downloadedTo(path: string, file: FileValue, remote: RemoteFiles, ask: Ask): Promise<Identity> {
  const { sha256: digest, sizeBytes } = await remote.fetch(file.location, path, {}, ask);
  return { text: `sha256:${digest}`, sha256: digest, sizeBytes };
}
