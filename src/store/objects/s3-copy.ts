/** Copying objects inside S3: no byte of them comes here. */
import { AppError, type Ask, mapBounded } from "../../kernel/index.ts";
import type { ObjectInfo } from "./object-store.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { giveUpUpload } from "./s3-uploads.ts";
import { parseS3Uri } from "./s3-uri.ts";

/** S3 copies objects up to 5 GiB in one request. */
const wholeBytes = 5 * 2 ** 30;
const partBytes = 512 << 20;
const partsAtOnce = 8;

/** `etag`: of the source, where it is known: no other object is copied. */
export interface CopyOrder {
  readonly name: string;
  readonly source: string;
  readonly sizeBytes: number;
  readonly etag?: string;
}

export async function copyObject(bucket: S3Bucket, order: CopyOrder, ask: Ask): Promise<ObjectInfo> {
  const { name, source, sizeBytes } = order;
  const { bucket: from, key } = parseS3Uri(source);
  const CopySource = `${from}/${key.split("/").map(encodeURIComponent).join("/")}`;
  const doing = `copying ${source} to ${bucket.where(name)}`;
  if (sizeBytes <= wholeBytes)
    await bucket.request(doing, ask, ({ sdk, client }, abort) =>
      client.send(
        new sdk.CopyObjectCommand({ Bucket: bucket.bucket, Key: bucket.keyOf(name), CopySource }),
        abort,
      ),
    );
  else await copyParts(bucket, { ...order, CopySource, doing }, ask);
  const { info } = await bucket.look(name, ask);
  const isMd5 = (etag: string | undefined) => etag !== undefined && /^[0-9a-f]{32}$/.test(etag);
  const isOther = isMd5(order.etag) && isMd5(info.etag) && info.etag !== order.etag;
  if (info.sizeBytes === sizeBytes && !isOther) return info;
  throw new AppError(
    "STORE_OBJECT_DAMAGED",
    `${doing}: ${info.sizeBytes} bytes with the ETag ${info.etag} arrived, expected ${sizeBytes} bytes${order.etag === undefined ? "" : ` with ${order.etag}`}`,
  );
}

async function copyParts(
  bucket: S3Bucket,
  { name, sizeBytes, CopySource, doing }: CopyOrder & { readonly CopySource: string; readonly doing: string },
  ask: Ask,
): Promise<void> {
  const place = { Bucket: bucket.bucket, Key: bucket.keyOf(name) };
  const id = await bucket.request(
    doing,
    ask,
    async ({ sdk, client }, abort) =>
      (await client.send(new sdk.CreateMultipartUploadCommand(place), abort)).UploadId ?? "",
  );
  try {
    const size = Math.max(partBytes, Math.ceil(sizeBytes / 9_000));
    const starts = Array.from({ length: Math.ceil(sizeBytes / size) }, (_, i) => i * size);
    const parts = await mapBounded(starts, partsAtOnce, (start, i) =>
      bucket.request(doing, ask, async ({ sdk, client }, abort) => {
        const CopySourceRange = `bytes=${start}-${Math.min(start + size, sizeBytes) - 1}`;
        const PartNumber = i + 1;
        const copied = await client.send(
          new sdk.UploadPartCopyCommand({ ...place, UploadId: id, PartNumber, CopySource, CopySourceRange }),
          abort,
        );
        return { PartNumber, ETag: copied.CopyPartResult?.ETag };
      }),
    );
    await bucket.request(doing, ask, ({ sdk, client }, abort) =>
      client.send(
        new sdk.CompleteMultipartUploadCommand({ ...place, UploadId: id, MultipartUpload: { Parts: parts } }),
        abort,
      ),
    );
  } catch (error) {
    await giveUpUpload(bucket, { name, id });
    throw error;
  }
}
