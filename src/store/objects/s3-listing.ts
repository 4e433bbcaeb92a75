/** Listing and removing objects. */
import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { byCodeUnit } from "../../hash/index.ts";
import { AppError, type Ask, defined, mapBounded } from "../../kernel/index.ts";
import { checkKey, checkPrefix } from "./object-name.ts";
import type { ObjectInfo } from "./object-store.ts";
import { infoOf } from "./s3-answers.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { s3Failure } from "./s3-errors.ts";

/** Left behind by earlier versions, which tried conditional writes with it. */
const formerProbe = ".memoir-probe";

export async function* listObjects(bucket: S3Bucket, start: string, ask: Ask): AsyncGenerator<ObjectInfo> {
  const own = bucket.names === "portable";
  if (own) checkPrefix(start);
  const { lead } = bucket;
  for await (const page of pagesOf(bucket, { start }, ask))
    for (const item of page.objects) {
      const name = item.key.slice(lead.length);
      // Consoles make empty objects whose names end with a slash to show folders.
      if (name === "" || (name.endsWith("/") && (own || item.size === 0))) continue;
      if (own && name === formerProbe) continue;
      yield infoOf(name, { ...item, sha256: undefined });
    }
}

/** Names of what lies between `start` and the next slash. */
export async function listFolders(bucket: S3Bucket, start: string, ask: Ask): Promise<readonly string[]> {
  if (bucket.names === "portable") checkPrefix(start);
  const below = bucket.lead + start;
  const names: string[] = [];
  for await (const page of pagesOf(bucket, { start, delimiter: "/" }, ask))
    for (const folder of page.folders) names.push(folder.slice(below.length, -1));
  return names.sort(byCodeUnit);
}

interface Page {
  readonly objects: readonly {
    readonly key: string;
    readonly size: number | undefined;
    readonly etag: string | undefined;
    readonly modified: Date | undefined;
  }[];
  readonly folders: readonly string[];
}

async function* pagesOf(
  bucket: S3Bucket,
  { start, delimiter }: { readonly start: string; readonly delimiter?: string },
  ask: Ask,
): AsyncGenerator<Page> {
  const Prefix = bucket.lead + start;
  if (Prefix !== "") checkKey(Prefix);
  let token: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await bucket.request(
      `listing ${bucket.where(start)}`,
      ask,
      ({ sdk, client }, abort) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket: bucket.bucket,
            Prefix,
            // Keys may hold characters that no XML can.
            EncodingType: "url",
            ...defined({ Delimiter: delimiter, ContinuationToken: token }),
          }),
          abort,
        ),
    );
    const plain = (text = "") => {
      const key = page.EncodingType === "url" ? decodeKey(text) : text;
      if (key.startsWith(Prefix)) return key;
      throw new AppError("STORE_REQUEST_FAILED", `listing ${bucket.where(start)}: the server listed ${key}`);
    };
    yield {
      objects: (page.Contents ?? []).map(({ Key, Size, ETag, LastModified }) => ({
        key: plain(Key),
        size: Size,
        etag: ETag,
        modified: LastModified,
      })),
      folders: (page.CommonPrefixes ?? []).map((each) => plain(each.Prefix)),
    };
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

/** As forms are encoded: a space is a plus. */
export function decodeKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch {
    return encoded;
  }
}

export async function removeObjects(bucket: S3Bucket, names: readonly string[], ask: Ask): Promise<void> {
  const keys = names.map((name) => bucket.keyOf(name));
  for (let at = 0; at < keys.length; at += 1000) await removePage(bucket, keys.slice(at, at + 1000), ask);
}

async function removePage(bucket: S3Bucket, keys: readonly string[], ask: Ask): Promise<void> {
  const doing = `removing ${keys.length} objects of ${bucket.uri}`;
  const one = (key: string) =>
    bucket.request(`removing s3://${bucket.bucket}/${key}`, ask, ({ sdk, client }, abort) =>
      client.send(new sdk.DeleteObjectCommand({ Bucket: bucket.bucket, Key: key }), abort),
    );
  // Keys with control characters cannot be named in XML.
  const plain = keys.every((key) => !hasControls(key));
  if (keys.length <= 2 || !plain) return void (await mapBounded(keys, 16, one));
  try {
    const answer = await bucket.request(doing, ask, ({ sdk, client }, abort) =>
      client.send(
        new sdk.DeleteObjectsCommand({
          Bucket: bucket.bucket,
          Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true },
        }),
        abort,
      ),
    );
    const refused = answer.Errors?.find((each) => each.Code !== "NoSuchKey");
    if (refused !== undefined)
      throw new AppError(
        refused.Code === "AccessDenied" ? "STORE_ACCESS_DENIED" : "STORE_REQUEST_FAILED",
        `${doing}: ${refused.Key} was refused with ${refused.Code}`,
      );
  } catch (error) {
    // Some servers insist on a checksum for this request that the SDK no longer sends: remove one by one.
    const status = error instanceof AppError ? s3Failure(error.cause).status : undefined;
    if (status !== 400 && status !== 501) throw error;
    await mapBounded(keys, 16, one);
  }
}

function hasControls(key: string): boolean {
  for (let at = 0; at < key.length; at++) if (key.charCodeAt(at) < 0x20) return true;
  return false;
}
