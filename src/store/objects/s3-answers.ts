/** What answers of S3 hold, checked for being whole. */
import type { GetObjectCommandOutput, HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { AppError } from "../../kernel/index.ts";
import type { ByteRange, ExpectedObject, ObjectInfo } from "./object-store.ts";

export async function bodyOf(answer: GetObjectCommandOutput): Promise<Uint8Array> {
  return answer.Body === undefined ? new Uint8Array() : await answer.Body.transformToByteArray();
}

/** Throws when the answer is shorter than it announced, or than the range that was asked for. */
export function checkBody(
  doing: string,
  bytes: Uint8Array,
  answer: GetObjectCommandOutput,
  range: ByteRange | undefined,
): void {
  const announced = answer.ContentLength;
  if (announced !== undefined && bytes.byteLength !== announced)
    throw new AppError(
      "STORE_UNREACHABLE",
      `${doing}: the answer broke off at ${bytes.byteLength} of ${announced} bytes`,
    );
  if (range !== undefined && bytes.byteLength !== range.end - range.start)
    throw new AppError(
      "STORE_OBJECT_DAMAGED",
      `${doing}: got ${bytes.byteLength} bytes, the object is shorter`,
    );
}

export function changed(name: string, before: string | undefined, after: string | undefined): AppError {
  return new AppError(
    "STORE_OBJECT_DAMAGED",
    `reading ${name}: it was replaced meanwhile (ETag ${before}, then ${after})`,
  );
}

export function infoOf(
  name: string,
  from: {
    size: number | undefined;
    etag: string | undefined;
    sha256: string | undefined;
    modified: Date | undefined;
  },
): ObjectInfo {
  const etag = bare(from.etag);
  return {
    name,
    sizeBytes: from.size ?? 0,
    ...(etag === undefined ? {} : { etag }),
    ...(from.sha256 === undefined ? {} : { sha256: from.sha256 }),
    modifiedAt: from.modified ?? new Date(0),
  };
}

/** An ETag without its quotes and mark of weakness. */
export function bare(etag: string | undefined): string | undefined {
  return etag?.replace(/^(W\/)?"|"$/g, "");
}

/**
 * Whether an ETag is the MD5 of the content: of objects that went up in one piece, unless a key of the customer or of the
 * key management service encrypts them.
 */
export function isMd5(
  etag: string | undefined,
  head: Pick<HeadObjectCommandOutput, "ServerSideEncryption" | "SSECustomerAlgorithm">,
): boolean {
  const { ServerSideEncryption: encryption, SSECustomerAlgorithm: customer } = head;
  if (customer !== undefined || (encryption !== undefined && encryption !== "AES256")) return false;
  return etag !== undefined && /^[0-9a-f]{32}$/.test(etag);
}

/** In words, when an object is not the expected one. */
export function otherThan(expected: ExpectedObject, found: ObjectInfo): string | undefined {
  if (expected.etag !== undefined && found.etag !== expected.etag)
    return `it was replaced (ETag ${found.etag ?? "(none)"}, expected ${expected.etag})`;
  if (expected.sizeBytes !== undefined && found.sizeBytes !== expected.sizeBytes)
    return `it was replaced (${found.sizeBytes} bytes, expected ${expected.sizeBytes})`;
  return undefined;
}
