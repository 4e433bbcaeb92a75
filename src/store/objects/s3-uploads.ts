/** Uploads in parts that nobody has finished: found, and given up. */
import type { ListMultipartUploadsCommandOutput } from "@aws-sdk/client-s3";
import { type Ask, freshAsk, isAppError, withPatience } from "../../kernel/index.ts";
import { checkPrefix } from "./object-name.ts";
import type { UnfinishedUpload } from "./object-store.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { decodeKey } from "./s3-listing.ts";

/** Somebody waits for the process to end. */
const giveUpMs = 3_000;

export async function* listUploads(
  bucket: S3Bucket,
  start: string,
  ask: Ask,
): AsyncGenerator<UnfinishedUpload> {
  if (bucket.names === "portable") checkPrefix(start);
  const below = bucket.lead + start;
  let after: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const page: ListMultipartUploadsCommandOutput = await bucket.request(
      `listing uploads of ${bucket.where(start)}`,
      ask,
      ({ sdk, client }, abort) =>
        client.send(
          new sdk.ListMultipartUploadsCommand({
            Bucket: bucket.bucket,
            Prefix: below,
            EncodingType: "url",
            ...after,
          }),
          abort,
        ),
    );
    const plain = (key: string) => (page.EncodingType === "url" ? decodeKey(key) : key);
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || Initiated === undefined) continue;
      const key = plain(Key);
      // Some servers list more than was asked for: nothing of others is ever touched.
      if (key.startsWith(below))
        yield { name: key.slice(bucket.lead.length), id: UploadId, startedAt: Initiated };
    }
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
    after = { KeyMarker: plain(page.NextKeyMarker) };
    if (page.NextUploadIdMarker !== undefined) after.UploadIdMarker = page.NextUploadIdMarker;
  }
}

export async function abortUpload(bucket: S3Bucket, upload: UnfinishedUpload, ask: Ask): Promise<void> {
  const Key = bucket.keyOf(upload.name);
  const doing = `giving up the upload of ${bucket.where(upload.name)}`;
  try {
    await bucket.request(doing, ask, ({ sdk, client }, abort) =>
      client.send(
        new sdk.AbortMultipartUploadCommand({ Bucket: bucket.bucket, Key, UploadId: upload.id }),
        abort,
      ),
    );
  } catch (error) {
    // Finished or given up meanwhile.
    if (!isAppError(error, "STORE_OBJECT_NOT_FOUND") && !isAppError(error, "STORE_REQUEST_FAILED"))
      throw error;
    if (error.facts["s3Code"] !== "NoSuchUpload" && error.facts["status"] !== 404) throw error;
  }
}

/** After a failed or interrupted upload. What cannot be done now is done by `memoir cache prune --orphans`. */
export async function giveUpUpload(
  bucket: S3Bucket,
  upload: Omit<UnfinishedUpload, "startedAt">,
): Promise<void> {
  const limited = withPatience(freshAsk(), giveUpMs);
  try {
    await abortUpload(bucket, { ...upload, startedAt: new Date(0) }, limited.ask);
  } catch {
    // The failure of the upload itself is what is reported.
  } finally {
    limited.done();
  }
}
