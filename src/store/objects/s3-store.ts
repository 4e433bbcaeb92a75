/**
 * Objects of an S3 bucket (AWS or compatible). Single PUTs are atomic and carry their MD5; files above one part go up
 * in parallel parts, and what arrived is compared with what was sent. Bodies that break off are read again.
 */
import { readFile, stat } from "node:fs/promises";
import { AppError, type Ask, isAppError, mapBounded, onDisk } from "../../kernel/index.ts";
import { folderError } from "./folder-errors.ts";
import type {
  ByteRange,
  ExpectedObject,
  FetchedObject,
  ObjectInfo,
  ObjectReader,
  ObjectStore,
  WrittenObject,
} from "./object-store.ts";
import { changed, unquoted } from "./s3-answers.ts";
import { lookIfThere, S3Bucket } from "./s3-bucket.ts";
import type { S3StoreOptions } from "./s3-client.ts";
import { copyObject } from "./s3-copy.ts";
import { downloadTo } from "./s3-download.ts";
import { listFolders, listObjects, removeObjects } from "./s3-listing.ts";
import { abortUpload, listUploads } from "./s3-uploads.ts";
import { partBytes, S3Writes } from "./s3-writes.ts";

const rangesAtOnce = 128;

class S3Store implements ObjectStore {
  readonly gapBytes = 8 * 1024;
  readonly #bucket: S3Bucket;
  readonly #writes: S3Writes;

  constructor(options: S3StoreOptions) {
    this.#bucket = new S3Bucket(options);
    this.#writes = new S3Writes(this.#bucket);
  }

  get uri(): string {
    return this.#bucket.uri;
  }

  async open(ask: Ask): Promise<void> {
    await this.#bucket.open(ask);
  }

  head(name: string, ask: Ask): Promise<ObjectInfo | undefined> {
    return lookIfThere(this.#bucket, name, ask);
  }

  async read(name: string, ask: Ask): Promise<Uint8Array | undefined> {
    try {
      return (await this.#bucket.getBody(name, undefined, ask)).bytes;
    } catch (error) {
      if (isAppError(error, "STORE_OBJECT_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  async readRange(name: string, range: ByteRange, ask: Ask): Promise<Uint8Array> {
    if (range.end <= range.start) return new Uint8Array();
    return (await this.#bucket.getBody(name, range, ask)).bytes;
  }

  async openReader(name: string, sizeBytes: number): Promise<ObjectReader> {
    const bucket = this.#bucket;
    let etag: string | undefined;
    return {
      sizeBytes,
      readRanges: (ranges, ask) =>
        mapBounded(ranges, rangesAtOnce, async (range) => {
          if (range.end <= range.start) return new Uint8Array();
          const got = (await bucket.quickRange(name, range, ask)) ?? (await bucket.getBody(name, range, ask));
          const found = unquoted(got.etag);
          etag ??= found;
          if (found !== etag) throw changed(bucket.where(name), etag, found);
          return got.bytes;
        }),
      close: async () => undefined,
    };
  }

  /** The answer to the write is enough where it names the content; otherwise the object is looked at. */
  async put(name: string, bytes: Uint8Array, ask: Ask): Promise<WrittenObject> {
    const proof = await this.#writes.put(name, bytes, ask);
    return proof === undefined
      ? this.#written(name, ask)
      : { name, sizeBytes: bytes.byteLength, etag: proof.etag, sha256: proof.sha256 };
  }

  putNew(name: string, bytes: Uint8Array, ask: Ask): Promise<"stored" | "already-there"> {
    return this.#writes.putNew(name, bytes, ask);
  }

  async putFile(name: string, path: string, ask: Ask): Promise<WrittenObject> {
    const size = await stat(onDisk(path)).then(
      (found) => found.size,
      (error) => {
        throw folderError(error, `reading ${path}`, "reading");
      },
    );
    if (size <= partBytes) return this.put(name, await readFile(onDisk(path)), ask);
    const sha256 = await this.#writes.upload(name, path, ask);
    return { ...(await this.#written(name, ask)), sha256 };
  }

  fetchFile(name: string, path: string, expected: ExpectedObject, ask: Ask): Promise<FetchedObject> {
    return downloadTo(path, { bucket: this.#bucket, name, expected }, ask);
  }

  copyFrom(
    name: string,
    { uri: source, ...facts }: { readonly uri: string; readonly sizeBytes: number; readonly etag?: string },
    ask: Ask,
  ): Promise<ObjectInfo> {
    return copyObject(this.#bucket, { name, source, ...facts }, ask);
  }

  list(prefix: string, ask: Ask): AsyncIterable<ObjectInfo> {
    return listObjects(this.#bucket, prefix, ask);
  }

  folders(prefix: string, ask: Ask): Promise<readonly string[]> {
    return listFolders(this.#bucket, prefix, ask);
  }

  get unfinished(): NonNullable<ObjectStore["unfinished"]> {
    return {
      list: (prefix, ask) => listUploads(this.#bucket, prefix, ask),
      abort: (upload, ask) => abortUpload(this.#bucket, upload, ask),
    };
  }

  remove(names: readonly string[], ask: Ask): Promise<void> {
    return removeObjects(this.#bucket, names, ask);
  }

  pathOf(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    return this.#bucket.close();
  }

  async #written(name: string, ask: Ask): Promise<ObjectInfo> {
    const info = await this.head(name, ask);
    if (info !== undefined) return info;
    throw new AppError(
      "STORE_OBJECT_NOT_FOUND",
      `writing ${this.#bucket.where(name)}: it disappeared after the write`,
    );
  }
}

export function createS3Store(options: S3StoreOptions): ObjectStore {
  return new S3Store(options);
}
