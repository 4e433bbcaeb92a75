/**
 * Keys in Redis. Ersilia's two are read and written as Ersilia does:
 *
 *   HASH    cache:<model>              raw input -> JSON array of CSV cells (texts), with our mark behind it
 *   STRING  <model>:header             JSON array of column names
 *
 * Memoir's own, next to them:
 *
 *   HASH    memoir:<model>             shown -> the scope whose rows are in Ersilia's hash
 *                                      columns <digest> -> JSON of the columns' names and types
 *   HASH    memoir:<model>:origins     origin tag -> JSON of where values came from
 *   HASH    memoir:<scope>:rows        rows of the other scopes, and of all while the header is somebody else's
 *   HASH    memoir:<scope>:canonical   canonical form -> raw input
 *
 * where <scope> is <model>/<release>/<digest of the columns>. One hash per model is Ersilia's, so it can show one
 * release: the first that Memoir stored. Rows of two releases are never mixed in it.
 */
import type { PredictionScope } from "../../../task/index.ts";
import { scopeIdentity } from "../scope.ts";
import { scopeTag } from "./mark.ts";

/** What the identity of a scope alone decides. */
export interface ScopeKeys {
  readonly identity: string;
  readonly tag: string;
  readonly shared: string;
  readonly header: string;
  readonly state: string;
  readonly origins: string;
  readonly own: string;
  readonly canonical: string;
}

export interface Keys extends ScopeKeys {
  /** JSON of the column names, as it is written to `header`. */
  readonly headerText: string;
}

export function keysOf(scope: PredictionScope): Keys {
  const headerText = JSON.stringify(scope.columns.map((column) => column.name));
  return { ...scopeKeys(scope.modelId, scopeIdentity(scope)), headerText };
}

export function scopeKeys(model: string, identity: string): ScopeKeys {
  return {
    identity,
    tag: scopeTag(identity),
    shared: sharedKey(model),
    header: headerKey(model),
    state: stateKey(model),
    origins: `memoir:${model}:origins`,
    own: `memoir:${identity}:rows`,
    canonical: `memoir:${identity}:canonical`,
  };
}

export function sharedKey(model: string): string {
  return `cache:${model}`;
}

export function headerKey(model: string): string {
  return `${model}:header`;
}

/** In the hash of the state: names and types of the columns that the digest stands for. */
export function columnsField(digest: string): string {
  return `columns ${digest}`;
}

export function stateKey(model: string): string {
  return `memoir:${model}`;
}

/** The model of a `cache:<model>`; undefined for other keys. */
export function sharedModel(key: string): string | undefined {
  return /^cache:(.+)$/s.exec(key)?.[1];
}

/** The scope of a `memoir:<scope>:rows`; undefined for other keys. */
export function ownIdentity(key: string): string | undefined {
  return /^memoir:(.+):rows$/s.exec(key)?.[1];
}

/** The column names that a header's text lists; undefined when it is not a list of texts. */
export function readHeader(text: string): readonly string[] | undefined {
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) && names.every((name) => typeof name === "string") ? names : undefined;
  } catch {
    return undefined;
  }
}
