/**
 * What is known of bytes that are in an object store: whoever has this need not read them to know what they are. Of
 * outputs the job itself has computed the digests; of inputs a manifest or the store says them.
 */
export type StoredContent =
  | StoredFile
  | { readonly kind: "directory"; readonly members: readonly StoredMember[] };

export interface StoredFile {
  readonly kind: "file";
  /** Absent: only size and ETag are known. */
  readonly sha256?: string;
  readonly sizeBytes?: number;
  readonly executable: boolean;
  /** Without quotes. */
  readonly etag?: string;
}

/** `path` is relative to the directory. */
export type StoredMember =
  | (StoredFile & { readonly path: string; readonly location: string })
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "empty"; readonly path: string };
