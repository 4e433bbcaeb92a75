/** The store behind a URI, as users write it. */
import { fileURLToPath } from "node:url";
import { AppError, messageOf, redact } from "../../kernel/index.ts";
import { createFolderStore } from "./folder-store.ts";
import type { ObjectStore } from "./object-store.ts";
import type { S3StoreOptions } from "./s3-client.ts";
import { createS3Store } from "./s3-store.ts";

/** How to reach S3 where a URI names a bucket; read from the AWS environment and configuration by the app. */
export type S3Access = Omit<S3StoreOptions, "bucket" | "prefix">;

/**
 * `s3://bucket/prefix` → S3; `file:///folder` or a path → a folder. Nothing is touched before `open()`.
 * Throws STORE_URI_INVALID for anything else.
 */
export function openObjectStore(uri: string, options: { readonly s3?: S3Access } = {}): ObjectStore {
  if (uri.startsWith("s3://")) {
    const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]*)\/?(.*)$/s.exec(uri) ?? [];
    if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]{1,62}$/.test(bucket))
      throw new AppError(
        "STORE_URI_INVALID",
        `reading the store address ${redact(uri)}: it names no valid bucket`,
      );
    return createS3Store({ ...options.s3, bucket, prefix });
  }
  if (uri.startsWith("file:")) {
    try {
      return createFolderStore({ path: fileURLToPath(uri) });
    } catch (error) {
      throw new AppError("STORE_URI_INVALID", `reading the store address ${uri}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
  if (uri === "" || /^[a-z][a-z0-9+.-]+:\/\//i.test(uri))
    throw new AppError(
      "STORE_URI_INVALID",
      `reading the store address ${JSON.stringify(uri)}: no store of this kind is known`,
    );
  return createFolderStore({ path: uri });
}
