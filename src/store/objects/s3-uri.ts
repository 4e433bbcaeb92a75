/**
 * `s3://bucket/key`: everything after the first slash behind the bucket is the key, byte for byte. It is not a URL: `#`,
 * `?`, `%`, `+`, a second slash and a space are ordinary characters of keys, and nothing is decoded.
 */
import { AppError } from "../../kernel/index.ts";

export interface S3Uri {
  readonly bucket: string;
  /** May be empty, begin or end with a slash, and hold empty parts. */
  readonly key: string;
}

/** Throws STORE_URI_INVALID when no bucket is named. */
export function parseS3Uri(uri: string): S3Uri {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(uri) ?? [];
  if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]{1,62}$/.test(bucket))
    throw new AppError(
      "STORE_URI_INVALID",
      `reading the address ${uri}: ${bucket === "" ? "it names no bucket" : `${bucket} is not a bucket name`}`,
    );
  return { bucket, key };
}

export function isS3Uri(uri: string): boolean {
  return /^s3:\/\//i.test(uri);
}
