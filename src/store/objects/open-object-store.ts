/** The store behind a URI, as users write it. */
import { fileURLToPath } from "node:url";
import { AppError, messageOf } from "../../kernel/index.ts";
import { createFolderStore } from "./folder-store.ts";
import type { ObjectNames } from "./object-name.ts";
import type { ObjectStore } from "./object-store.ts";
import type { S3StoreOptions } from "./s3-client.ts";
import { createS3Store } from "./s3-store.ts";
import { isS3Uri, parseS3Uri } from "./s3-uri.ts";

/** How to reach S3 where a URI names a bucket; read from the AWS environment and configuration by the app. */
export type S3Access = Omit<S3StoreOptions, "bucket" | "prefix" | "names">;

export interface OpenObjectStoreOptions {
  readonly s3?: S3Access;
  /** Which names are used in it. Default `portable`; `any` for what others have put there or will read. */
  readonly names?: ObjectNames;
  /** Folders have to be below this one, wherever links lead. */
  readonly within?: string;
}

/**
 * `s3://bucket/prefix` → S3; `file:///folder` or a path → a folder. Nothing is touched before `open()`.
 * Throws STORE_URI_INVALID for anything else.
 */
export function openObjectStore(uri: string, options: OpenObjectStoreOptions = {}): ObjectStore {
  const { names = "portable", s3, within } = options;
  const confined = within === undefined ? {} : { within };
  if (isS3Uri(uri)) {
    const { bucket, key } = parseS3Uri(uri);
    // One slash at the end is the usual way to write a prefix; a second one is a part of it.
    return createS3Store({ ...s3, bucket, prefix: key.replace(/\/$/, ""), names });
  }
  if (uri.startsWith("file:")) {
    try {
      return createFolderStore({ path: fileURLToPath(uri), names, ...confined });
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
  return createFolderStore({ path: uri, names, ...confined });
}

/** A single object: the store of everything next to it, and its name there. */
export function openObject(
  uri: string,
  options: Omit<OpenObjectStoreOptions, "names"> = {},
): { readonly store: ObjectStore; readonly name: string } {
  if (isS3Uri(uri)) {
    const { bucket, key } = parseS3Uri(uri);
    return { store: createS3Store({ ...options.s3, bucket, names: "any" }), name: key };
  }
  const at = uri.lastIndexOf("/");
  const name = uri.slice(at + 1);
  return {
    store: openObjectStore(uri.slice(0, at), { ...options, names: "any" }),
    name: uri.startsWith("file:") ? decodedName(name, uri) : name,
  };
}

function decodedName(name: string, uri: string): string {
  try {
    return decodeURIComponent(name);
  } catch (error) {
    throw new AppError("STORE_URI_INVALID", `reading the store address ${uri}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
