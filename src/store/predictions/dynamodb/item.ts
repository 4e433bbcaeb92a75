/**
 * One row as a DynamoDB item. The partition key is the molecule, the sort key the model: the keys of one model are
 * spread evenly over the table, and all that is known of one molecule is one Query.
 *
 *   k  binary  MD5 of the input in UTF-8 (partition key)
 *   m  text    model#release#digest of the columns (sort key)
 *   i  text    the input itself, compared on reading: MD5 has collisions
 *   v  binary  packed values        n  binary  which of them are null (optional)
 *   t  text    computed at, r  text  runner, w  text  toolkit (each optional)
 *   x  number  seconds since 1970 after which the row no longer counts (optional; the table's TTL attribute)
 */
import { createHash } from "node:crypto";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { PredictionRow, PredictionScope, Provenance } from "../../../task/index.ts";
import { columnsDigest } from "../scope.ts";
import { packValues, unpackValues } from "./packed-values.ts";

export type Item = Record<string, AttributeValue>;

/** DynamoDB refuses larger items. */
export const mostItemBytes = 400 * 1024;

export function keyOf(input: string): Uint8Array {
  return createHash("md5").update(input, "utf8").digest();
}

/** `#` does not occur in a percent-encoded part. */
export function sortKeyOf(scope: PredictionScope): string {
  return releasePrefix(scope) + columnsDigest(scope.columns);
}

/** What the sort keys of a model's release start with, whatever the columns. */
export function releasePrefix({ modelId, release }: { readonly modelId: string; readonly release: string }) {
  return `${encodeURIComponent(modelId)}#${encodeURIComponent(release)}#`;
}

/** `at`: the keys, where the caller has them. */
export function itemOf(
  scope: PredictionScope,
  row: PredictionRow,
  expiresAtSeconds: number | undefined,
  at = { k: keyOf(row.input), m: sortKeyOf(scope) },
): Item {
  const { values, nulls } = packValues(scope.columns, row.values);
  const item: Item = { k: { B: at.k }, m: { S: at.m }, i: { S: row.input }, v: { B: values } };
  if (nulls !== undefined) item["n"] = { B: nulls };
  const { provenance } = row;
  if (provenance !== undefined) {
    const { computedAt, runner, toolkit } = provenance;
    if (computedAt !== undefined) item["t"] = { S: computedAt };
    if (runner !== undefined) item["r"] = { S: runner };
    if (toolkit !== undefined) item["w"] = { S: toolkit };
  }
  if (expiresAtSeconds !== undefined) item["x"] = { N: String(expiresAtSeconds) };
  return item;
}

/** `unusable`: not a row of this scope as Memoir writes it. Rows after their time are `expired`, still stored or not. */
export type ReadItem =
  | { readonly kind: "row"; readonly row: PredictionRow }
  | { readonly kind: "expired" }
  | { readonly kind: "unusable" };

export function readItem(
  scope: PredictionScope,
  item: Item,
  nowSeconds: number,
  m = sortKeyOf(scope),
): ReadItem {
  const input = item["i"]?.S;
  const values = item["v"]?.B;
  if (input === undefined || values === undefined || item["m"]?.S !== m) return unusable;
  const key = item["k"]?.B;
  if (key === undefined || Buffer.compare(key, keyOf(input)) !== 0) return unusable;
  const expiry = item["x"];
  if (expiry !== undefined) {
    const at = Number(expiry.N);
    if (!Number.isFinite(at)) return unusable;
    if (at <= nowSeconds) return { kind: "expired" };
  }
  const cells = unpackValues(scope.columns, { values, nulls: item["n"]?.B });
  if (cells === undefined) return unusable;
  const provenance = provenanceOf(item);
  const row = { input, values: cells, ...(provenance === undefined ? {} : { provenance }) };
  return { kind: "row", row };
}

const unusable: ReadItem = { kind: "unusable" };

function provenanceOf(item: Item): Provenance | undefined {
  const [computedAt, runner, toolkit] = [item["t"]?.S, item["r"]?.S, item["w"]?.S];
  if (computedAt === undefined && runner === undefined && toolkit === undefined) return undefined;
  return {
    ...(computedAt === undefined ? {} : { computedAt }),
    ...(runner === undefined ? {} : { runner }),
    ...(toolkit === undefined ? {} : { toolkit }),
  };
}

/** As DynamoDB counts: names and values, in UTF-8. A number takes half a byte a digit and one more. */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, { S, B, N }] of Object.entries(item))
    bytes +=
      name.length +
      (S === undefined ? 0 : Buffer.byteLength(S)) +
      (B?.length ?? 0) +
      (N === undefined ? 0 : Math.ceil(N.length / 2) + 1);
  return bytes;
}
