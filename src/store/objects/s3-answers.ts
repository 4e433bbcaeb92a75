/** What answers of S3 hold, checked for being whole. */
import type { GetObjectCommandOutput, HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { AppError, type Digest, defined } from "../../kernel/index.ts";
import type { ByteRange, ExpectedObject, ObjectInfo } from "./object-store.ts";

/** Metadata of objects that Memoir put: who wrote it, and digests of the bytes that were written. */
export const writerTag = "memoir-writer";
export const shaTag = "memoir-sha256";
export const md5Tag = "memoir-md5";

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

/** Of the object; undefined where the answer to a range does not state it. */
export function wholeLength({ ContentRange: range, ContentLength: length }: GetObjectCommandOutput) {
  if (range === undefined) return length;
  const found = /^bytes 0-\d+\/(\d+)$/.exec(range)?.[1];
  return found === undefined ? undefined : Number(found);
}

export function changed(name: string, before: string | undefined, after: string | undefined): AppError {
  return new AppError(
    "STORE_OBJECT_DAMAGED",
    `reading ${name}: it was replaced meanwhile (ETag ${before}, then ${after})`,
  );
}

export interface ObjectFacts {
  readonly info: ObjectInfo;
  /** MD5 of the content in hexadecimal digits, where the ETag is one. */
  readonly md5?: string;
  /** `own-key`: of the customer or of the key management service, and then the ETag is not a digest of the content. */
  readonly encryption: "none" | "own-key";
}

type Head = Pick<
  HeadObjectCommandOutput,
  | "ContentLength"
  | "ETag"
  | "LastModified"
  | "Metadata"
  | "ChecksumSHA256"
  | "ChecksumType"
  | "ServerSideEncryption"
  | "SSECustomerAlgorithm"
>;

export function objectFacts(name: string, head: Head): ObjectFacts {
  const etag = unquoted(head.ETag);
  const md5 = md5Of(etag, head);
  const info = infoOf(name, {
    size: head.ContentLength,
    etag: head.ETag,
    sha256: contentChecksum(head) ?? taggedDigest(md5, head),
    modified: head.LastModified,
  });
  return { info, encryption: encryptionOf(head), ...defined({ md5 }) };
}

/** The store's own sha-256, if it is one over the whole object: of several parts it is a digest of their digests. */
function contentChecksum({ ChecksumSHA256: checksum, ChecksumType: type }: Head): Digest | undefined {
  if (checksum === undefined || type === "COMPOSITE" || !/^[A-Za-z0-9+/]{43}=$/.test(checksum))
    return undefined;
  return Buffer.from(checksum, "base64").toString("hex") as Digest;
}

/**
 * What Memoir noted when it put the object. Metadata can outlive the bytes it was written for (tools that change an
 * object may keep it), so it counts only next to the MD5 of the same bytes, and only while that is the object's.
 */
function taggedDigest(md5: string | undefined, { Metadata: metadata = {} }: Head): Digest | undefined {
  const digest = metadata[shaTag];
  if (digest === undefined || md5 === undefined || metadata[md5Tag] !== md5) return undefined;
  return /^[0-9a-f]{64}$/.test(digest) ? (digest as Digest) : undefined;
}

/** The ETag of an object that was uploaded in one request is the MD5 of its content, unless a customer's key hides it. */
function md5Of(etag: string | undefined, head: Head): string | undefined {
  if (encryptionOf(head) === "own-key") return undefined;
  return etag !== undefined && /^[0-9a-f]{32}$/.test(etag) ? etag : undefined;
}

function encryptionOf({ ServerSideEncryption: server, SSECustomerAlgorithm: customer }: Head) {
  return customer !== undefined || (server !== undefined && server !== "AES256") ? "own-key" : "none";
}

/** In words, when an object is not the expected one. */
export function otherThan(expected: ExpectedObject, found: ObjectInfo): string | undefined {
  if (expected.etag !== undefined && found.etag !== expected.etag)
    return `it was replaced (ETag ${found.etag ?? "(none)"}, expected ${expected.etag})`;
  if (expected.sizeBytes !== undefined && found.sizeBytes !== expected.sizeBytes)
    return `it was replaced (${found.sizeBytes} bytes, expected ${expected.sizeBytes})`;
  return undefined;
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
  const etag = unquoted(from.etag);
  return {
    name,
    sizeBytes: from.size ?? 0,
    ...defined({ etag, sha256: from.sha256 }),
    modifiedAt: from.modified ?? new Date(0),
  };
}

/** An ETag without its quotes and mark of weakness. */
export function unquoted(etag: string | undefined): string | undefined {
  return etag?.replace(/^(W\/)?"|"$/g, "");
}
