/**
 * Objects of an S3 bucket (AWS or compatible). Single PUTs are atomic and carry their MD5; files above one part go up
 * in parallel parts and their length is checked afterwards. Bodies that break off are read again.
 */
import { createHash, hash, randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { createReadStream } from "node:fs";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import type { ListMultipartUploadsCommandOutput } from "@aws-sdk/client-s3";
import { byCodeUnit, digestsOfFile, sha256 } from "../../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  freshAsk,
  isAppError,
  mapBounded,
  onDisk,
  pause,
  withPatience,
} from "../../kernel/index.ts";
import { folderError } from "./folder-errors.ts";
import { checkName, checkPrefix } from "./object-name.ts";
import type {
  ByteRange,
  ExpectedObject,
  FetchedObject,
  ObjectInfo,
  ObjectStore,
  ObjectStoreAbilities,
  UnfinishedUpload,
} from "./object-store.ts";
import { bare, bodyOf, changed, checkBody, infoOf, isMd5, otherThan } from "./s3-answers.ts";
import { connectS3, type S3Connection, type S3StoreOptions } from "./s3-client.ts";
import { s3Error, s3Failure } from "./s3-errors.ts";
import type { RangeGetter } from "./s3-range.ts";
import { Silence } from "./s3-silence.ts";

/** Files above this go up in parts of this size. */
const partBytes = 16 << 20;
const partsAtOnce = 4;
const rangesAtOnce = 128;
const bodyTries = 3;
/** Long enough for a slow link, short enough for someone who waits. */
const openTimeoutMs = 10_000;
/** Somebody waits for the process to end. */
const giveUpMs = 3_000;
const probeName = ".memoir-probe";
const writerTag = "memoir-writer";
const shaTag = "memoir-sha256";

export function createS3Store(options: S3StoreOptions): ObjectStore {
  const prefix = (options.prefix ?? "").replace(/^\/+|\/+$/g, "");
  if (prefix !== "") checkName(prefix);
  const uri = `s3://${options.bucket}${prefix === "" ? "" : `/${prefix}`}`;
  const bucket = options.bucket;
  let connection: Promise<S3Connection> | undefined;
  let opened: Promise<ObjectStoreAbilities> | undefined;
  let ranges: Promise<RangeGetter | undefined> | undefined;
  const silence = new Silence(options.restMs ?? 30_000);

  const connect = () => {
    connection ??= connectS3(options).catch((error) => {
      connection = undefined;
      throw error;
    });
    return connection;
  };
  const keyOf = (name: string) => {
    checkName(name);
    return prefix === "" ? name : `${prefix}/${name}`;
  };
  const where = (name: string) => `${uri}/${name}`;

  /** One request: abort signal in, errors of ours out. */
  async function request<T>(
    doing: string,
    ask: Ask,
    send: (connection: S3Connection, abort: { abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    checkAsk(ask, doing);
    const pending = silence.enter(doing);
    // One listener per request in flight is meant here, not a leak.
    setMaxListeners(0, ask.signal);
    try {
      const answer = await send(await connect(), { abortSignal: ask.signal });
      pending.came();
      return answer;
    } catch (error) {
      if (ask.signal.aborted) pending.dropped();
      checkAsk(ask, doing);
      pending.failed(s3Failure(error));
      throw s3Error(error, doing);
    }
  }

  /** The SDK tries again until headers arrive; a body that breaks off is ours to ask for again. */
  async function getBody(
    name: string,
    range: ByteRange | undefined,
    ask: Ask,
  ): Promise<{ bytes: Uint8Array; etag: string | undefined }> {
    const doing = `reading ${range === undefined ? "" : `bytes ${range.start} to ${range.end} of `}${where(name)}`;
    for (let attempt = 1; ; attempt++) {
      try {
        return await request(doing, ask, async ({ sdk, client }, abort) => {
          const answer = await client.send(
            new sdk.GetObjectCommand({
              Bucket: bucket,
              Key: keyOf(name),
              ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` }),
            }),
            abort,
          );
          const bytes = await bodyOf(answer);
          checkBody(doing, bytes, answer, range);
          return { bytes, etag: bare(answer.ETag) };
        });
      } catch (error) {
        if (!isAppError(error, "STORE_UNREACHABLE") || attempt === bodyTries) throw error;
        await pause(50 * 2 ** attempt, ask);
      }
    }
  }

  /** Loaded when needed: Node takes milliseconds to load its HTTPS client, which most commands never use. */
  async function connectRanges(): Promise<RangeGetter | undefined> {
    const [connection, { createRangeGetter }] = await Promise.all([connect(), import("./s3-range.ts")]);
    return createRangeGetter(connection, options);
  }

  async function quickly(name: string, range: ByteRange, ask: Ask) {
    if (!silence.isUnbroken()) return undefined;
    ranges ??= connectRanges();
    const getter = await ranges.catch(() => undefined);
    checkAsk(ask, `reading ${where(name)}`);
    const got = await getter?.get(keyOf(name), range, ask);
    checkAsk(ask, `reading ${where(name)}`);
    return got;
  }

  async function putBytes(
    name: string,
    bytes: Uint8Array,
    onlyNew: boolean,
    ask: Ask,
  ): Promise<"stored" | "there"> {
    const doing = `writing ${where(name)}`;
    const writer = randomUUID();
    for (let attempt = 1; ; attempt++) {
      try {
        await request(doing, ask, async ({ sdk, client }, abort) => {
          try {
            await client.send(
              new sdk.PutObjectCommand({
                Bucket: bucket,
                Key: keyOf(name),
                Body: bytes,
                ContentLength: bytes.byteLength,
                ContentMD5: hash("md5", bytes, "base64"),
                Metadata: { [writerTag]: writer, [shaTag]: sha256(bytes) },
                ...(onlyNew ? { IfNoneMatch: "*" } : {}),
              }),
              abort,
            );
          } catch (error) {
            const { status, attempts } = s3Failure(error);
            if (onlyNew && status === 412) throw new Taken(attempts > 1);
            throw error;
          }
        });
        return "stored";
      } catch (error) {
        const cause = error instanceof AppError ? error.cause : error;
        if (cause instanceof Taken) {
          // The answer to our own first try may have been lost: then the writer's tag says so.
          const ours = cause.wasRetried || attempt > 1;
          return ours && (await writerOf(name, ask)) === writer ? "stored" : "there";
        }
        // 409: another conditional write was under way; S3 asks to try again.
        if (!(onlyNew && s3Failure(cause).status === 409) || attempt === 6) throw error;
        await pause(20 * 2 ** attempt, ask);
      }
    }
  }

  const writerOf = (name: string, ask: Ask) =>
    request(`looking at ${where(name)}`, ask, async ({ sdk, client }, abort) => {
      const head = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: keyOf(name) }), abort);
      return head.Metadata?.[writerTag];
    });

  async function honoursConditions(ask: Ask): Promise<boolean> {
    if (options.endpoint === undefined) return true; // AWS does, in every region, since 2024.
    for (let write = 0; write < 2; write++) {
      try {
        if ((await putBytes(probeName, Buffer.from("memoir"), true, ask)) === "there") return true;
      } catch (error) {
        // Not implemented, or not allowed to write at all: both mean that nobody can rely on it.
        if (isAppError(error, "STORE_ACCESS_DENIED")) return false;
        if (error instanceof AppError && s3Failure(error.cause).status === 501) return false;
        throw error;
      }
    }
    return false;
  }

  const store: ObjectStore = {
    uri,
    gapBytes: 8 * 1024,
    open: (ask) => {
      opened ??= (async () => {
        const limited = withPatience(ask, openTimeoutMs);
        try {
          await request(`opening ${uri}`, limited.ask, ({ sdk, client }, abort) =>
            client.send(
              new sdk.ListObjectsV2Command({
                Bucket: bucket,
                Prefix: prefix === "" ? "" : `${prefix}/`,
                MaxKeys: 1,
              }),
              abort,
            ),
          );
          return { conditionalPut: await honoursConditions(limited.ask), localFiles: false };
        } catch (error) {
          checkAsk(ask, `opening ${uri}`);
          if (limited.ask.signal.aborted)
            throw new AppError("STORE_UNREACHABLE", `opening ${uri}: no answer within ${openTimeoutMs} ms`, {
              cause: error,
            });
          throw error;
        } finally {
          limited.done();
        }
      })().catch((error) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    head: async (name, ask) => {
      try {
        return (await look(name, ask)).info;
      } catch (error) {
        if (isAppError(error, "STORE_OBJECT_NOT_FOUND")) return undefined;
        throw error;
      }
    },
    read: async (name, ask) => {
      try {
        return (await getBody(name, undefined, ask)).bytes;
      } catch (error) {
        if (isAppError(error, "STORE_OBJECT_NOT_FOUND")) return undefined;
        throw error;
      }
    },
    readRange: async (name, range, ask) =>
      range.end <= range.start ? new Uint8Array() : (await getBody(name, range, ask)).bytes,
    openReader: async (name, sizeBytes) => {
      let etag: string | undefined;
      return {
        sizeBytes,
        readRanges: (ranges, ask) =>
          mapBounded(ranges, rangesAtOnce, async (range) => {
            if (range.end <= range.start) return new Uint8Array();
            const got = (await quickly(name, range, ask)) ?? (await getBody(name, range, ask));
            const found = bare(got.etag);
            etag ??= found;
            if (found !== etag) throw changed(where(name), etag, found);
            return got.bytes;
          }),
        close: async () => undefined,
      };
    },
    put: async (name, bytes, ask) => {
      await putBytes(name, bytes, false, ask);
      const info = await store.head(name, ask);
      if (info === undefined)
        throw new AppError("STORE_OBJECT_NOT_FOUND", `writing ${where(name)}: it is gone again`);
      return info;
    },
    putNew: async (name, bytes, ask) => {
      const { conditionalPut } = await store.open(ask);
      if (conditionalPut)
        return (await putBytes(name, bytes, true, ask)) === "stored" ? "stored" : "already-there";
      if ((await store.head(name, ask)) !== undefined) return "already-there";
      await putBytes(name, bytes, false, ask);
      return "stored";
    },
    putFile: async (name, path, ask) => {
      const size = await stat(onDisk(path)).then(
        (found) => found.size,
        (error) => {
          throw folderError(error, `reading ${path}`, "reading");
        },
      );
      if (size <= partBytes) return store.put(name, await readFile(onDisk(path)), ask);
      const digest = await upload(name, path, ask);
      const info = await store.head(name, ask);
      if (info?.sizeBytes !== size)
        throw new AppError(
          "STORE_OBJECT_DAMAGED",
          `uploading ${path} to ${where(name)}: ${info?.sizeBytes ?? 0} bytes arrived, expected ${size}`,
        );
      return { ...info, sha256: digest };
    },
    fetchFile: async (name, path, expected, ask) => {
      // Beside the file under a short name of its own: the file's may be as long as names can be.
      const near = join(dirname(path), `.${randomUUID()}.tmp`);
      try {
        const fetched = await verified(name, near, expected, ask);
        await rename(onDisk(near), onDisk(path));
        return fetched;
      } catch (error) {
        throw folderError(error, `writing ${path}`, "writing");
      } finally {
        await rm(onDisk(near), { force: true });
      }
    },
    list: (start, ask) => list(start, ask),
    folders: async (start, ask) => {
      if (start !== "") checkName(start.slice(0, -1));
      const below = (prefix === "" ? "" : `${prefix}/`) + start;
      const names: string[] = [];
      let token: string | undefined;
      do {
        const page = await request(`listing ${where(start)}`, ask, ({ sdk, client }, abort) =>
          client.send(
            new sdk.ListObjectsV2Command({
              Bucket: bucket,
              Prefix: below,
              Delimiter: "/",
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
            abort,
          ),
        );
        for (const { Prefix } of page.CommonPrefixes ?? [])
          if (Prefix !== undefined) names.push(Prefix.slice(below.length, -1));
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
      return names.sort(byCodeUnit);
    },
    unfinished: {
      list: (start, ask) => listUploads(start, ask),
      abort: async (upload, ask) => {
        await request(`giving up the upload of ${where(upload.name)}`, ask, ({ sdk, client }, abort) =>
          client.send(
            new sdk.AbortMultipartUploadCommand({
              Bucket: bucket,
              Key: keyOf(upload.name),
              UploadId: upload.id,
            }),
            abort,
          ),
        ).catch((error) => {
          // Finished or given up meanwhile.
          if (!isAppError(error, "STORE_OBJECT_NOT_FOUND") && !isAppError(error, "STORE_REQUEST_FAILED"))
            throw error;
          if (error.facts["s3Code"] !== "NoSuchUpload" && error.facts["status"] !== 404) throw error;
        });
      },
    },
    remove: async (names, ask) => {
      const keys = names.map(keyOf);
      for (let at = 0; at < keys.length; at += 1000) await removePage(keys.slice(at, at + 1000), ask);
    },
    pathOf: () => undefined,
    close: async () => {
      const open = connection;
      connection = undefined;
      opened = undefined;
      const getter = await ranges?.catch(() => undefined);
      ranges = undefined;
      getter?.close();
      if (open !== undefined) (await open).client.destroy();
    },
  };
  return store;

  function look(name: string, ask: Ask): Promise<{ readonly info: ObjectInfo; readonly etagIsMd5: boolean }> {
    return request(`looking at ${where(name)}`, ask, async ({ sdk, client }, abort) => {
      const head = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: keyOf(name) }), abort);
      const info = infoOf(name, {
        size: head.ContentLength,
        etag: head.ETag,
        sha256: head.Metadata?.[shaTag],
        modified: head.LastModified,
      });
      return { info, etagIsMd5: isMd5(info.etag, head) };
    });
  }

  async function upload(name: string, path: string, ask: Ask): Promise<string> {
    const { Upload } = await import("@aws-sdk/lib-storage");
    const hasher = createHash("sha256");
    const file = createReadStream(onDisk(path), { highWaterMark: 1 << 20 });
    // Hashed where the uploader takes the bytes: a listener of its own would make them flow before it is ready.
    const body = Readable.from(
      (async function* () {
        for await (const chunk of file) {
          hasher.update(chunk as Buffer);
          yield chunk;
        }
      })(),
      { objectMode: false },
    );
    await request(`uploading ${path} to ${where(name)}`, ask, async ({ client }) => {
      const size = (await stat(onDisk(path))).size;
      const task = new Upload({
        client,
        params: { Bucket: bucket, Key: keyOf(name), Body: body },
        // S3 allows 10,000 parts.
        partSize: Math.max(partBytes, Math.ceil(size / 9_000)),
        queueSize: partsAtOnce,
      });
      const onAbort = () => void task.abort();
      ask.signal.addEventListener("abort", onAbort, { once: true });
      try {
        await task.done();
      } catch (error) {
        // The parts that are there already take room until somebody gives the upload up.
        if (task.uploadId !== undefined) await giveUp({ name, id: task.uploadId });
        throw error;
      } finally {
        ask.signal.removeEventListener("abort", onAbort);
        file.destroy();
      }
    });
    return hasher.digest("hex");
  }

  /** Twice at most: bytes that were changed on the way the first time may arrive well the second time. */
  async function verified(
    name: string,
    near: string,
    expected: ExpectedObject,
    ask: Ask,
  ): Promise<FetchedObject> {
    for (let attempt = 1; ; attempt++) {
      const { info, etagIsMd5 } = await download(name, near, expected, ask);
      const digests = await digestsOfFile(near, ask.signal);
      const wrong =
        (info.sha256 !== undefined && info.sha256 !== digests.sha256) ||
        (etagIsMd5 && info.etag !== digests.md5);
      if (!wrong) return { ...info, sha256: digests.sha256 };
      if (attempt === 2)
        throw new AppError(
          "STORE_OBJECT_DAMAGED",
          `reading ${where(name)}: the bytes that arrive do not have the checksum of the object`,
        );
    }
  }

  async function download(
    name: string,
    near: string,
    expected: ExpectedObject,
    ask: Ask,
  ): Promise<{ readonly info: ObjectInfo; readonly etagIsMd5: boolean }> {
    const looked = await look(name, ask);
    const { info } = looked;
    const other = otherThan(expected, info);
    if (other !== undefined) throw new AppError("FILE_CHANGED", `reading ${where(name)}: ${other}`);
    const ranges: ByteRange[] = [];
    for (let start = 0; start < info.sizeBytes; start += partBytes)
      ranges.push({ start, end: Math.min(start + partBytes, info.sizeBytes) });
    const handle = await open(near, "w");
    try {
      await mapBounded(ranges, partsAtOnce, async (range) => {
        const { bytes, etag } = await getBody(name, range, ask);
        if (etag !== info.etag)
          throw new AppError(
            "FILE_CHANGED",
            `reading ${where(name)}: it was replaced meanwhile (ETag ${info.etag}, then ${etag})`,
          );
        const { bytesWritten } = await handle.write(bytes, 0, bytes.byteLength, range.start);
        if (bytesWritten !== bytes.byteLength)
          throw new AppError(
            "DISK_FULL",
            `writing ${bytes.byteLength} bytes of ${where(name)}: ${bytesWritten} fitted`,
          );
      });
    } finally {
      await handle.close();
    }
    return looked;
  }

  async function* list(start: string, ask: Ask): AsyncGenerator<ObjectInfo> {
    checkPrefix(start);
    const strip = prefix === "" ? 0 : prefix.length + 1;
    let token: string | undefined;
    do {
      const page = await request(`listing ${where(start)}`, ask, ({ sdk, client }, abort) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket: bucket,
            Prefix: (prefix === "" ? "" : `${prefix}/`) + start,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          abort,
        ),
      );
      for (const item of page.Contents ?? []) {
        const name = item.Key?.slice(strip) ?? "";
        // Consoles make empty objects whose names end with a slash to show folders.
        if (name === "" || name === probeName || name.endsWith("/")) continue;
        yield infoOf(name, {
          size: item.Size,
          etag: item.ETag,
          sha256: undefined,
          modified: item.LastModified,
        });
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** After a failed or interrupted upload. What cannot be done now is done by `memoir cache prune --orphans`. */
  async function giveUp({ name, id }: { readonly name: string; readonly id: string }): Promise<void> {
    const limited = withPatience(freshAsk(), giveUpMs);
    try {
      const { sdk, client } = await connect();
      const command = new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key: keyOf(name), UploadId: id });
      await client.send(command, { abortSignal: limited.ask.signal });
    } catch {
      // The failure of the upload itself is what is reported.
    } finally {
      limited.done();
    }
  }

  async function* listUploads(start: string, ask: Ask): AsyncGenerator<UnfinishedUpload> {
    checkPrefix(start);
    const strip = prefix === "" ? 0 : prefix.length + 1;
    const below = (prefix === "" ? "" : `${prefix}/`) + start;
    let after: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const page: ListMultipartUploadsCommandOutput = await request(
        `listing uploads of ${where(start)}`,
        ask,
        ({ sdk, client }, abort) =>
          client.send(
            new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: below, ...after }),
            abort,
          ),
      );
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Key === undefined || UploadId === undefined || Initiated === undefined) continue;
        // Some servers list more than was asked for: nothing of others is ever touched.
        if (Key.startsWith(below)) yield { name: Key.slice(strip), id: UploadId, startedAt: Initiated };
      }
      if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
      after = { KeyMarker: page.NextKeyMarker };
      if (page.NextUploadIdMarker !== undefined) after.UploadIdMarker = page.NextUploadIdMarker;
    }
  }

  async function removePage(keys: readonly string[], ask: Ask): Promise<void> {
    const doing = `removing ${keys.length} objects of ${uri}`;
    const one = (key: string) =>
      request(`removing s3://${bucket}/${key}`, ask, ({ sdk, client }, abort) =>
        client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }), abort),
      );
    if (keys.length <= 2) return void (await Promise.all(keys.map(one)));
    try {
      const answer = await request(doing, ask, ({ sdk, client }, abort) =>
        client.send(
          new sdk.DeleteObjectsCommand({
            Bucket: bucket,
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
}

/** The name is taken; travels through the request wrapper. */
class Taken extends Error {
  readonly wasRetried: boolean;
  constructor(wasRetried: boolean) {
    super("the name is taken");
    this.wasRetried = wasRetried;
  }
}
