/** How identities are written. */
import { byCodeUnit, digestOf } from "../hash/index.ts";
import type { Digest } from "../kernel/index.ts";
import type { Identity, RemoteFacts } from "./identity.ts";

/**
 * An MD5, or one of MD5s of parts, says the same of every object that has it. Other stores' ETags may be anything, and
 * say something only of that object of that server.
 */
export function etagText({ sizeBytes, contentStamp }: RemoteFacts, etag: string): string {
  const ofContent = /^[0-9a-f]{32}(-\d+)?$/i.test(etag) || contentStamp === undefined;
  return `etag:${etag}:${sizeBytes ?? "?"}${ofContent ? "" : `:${contentStamp}`}`;
}

export function named(policy: string, name: string, ...facts: readonly bigint[]): string {
  return `${policy}:${[...facts.map(String), name].join(":")}`;
}

/** Of a file's content and of whether its owner may execute it. */
export function fileIdentity(digest: Digest, executable: boolean): string {
  return withBit(`sha256:${digest}`, executable);
}

export function withBit(text: string, executable: boolean): string {
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

export function treeText(members: readonly (readonly [string, string])[]): string {
  return `tree:${digestOf(members)}`;
}

export function treesText(trees: readonly (readonly (readonly [string, string])[])[]): string {
  const [own, ...others] = trees;
  return others.length === 0 ? treeText(own ?? []) : `tree:${digestOf(trees)}`;
}
