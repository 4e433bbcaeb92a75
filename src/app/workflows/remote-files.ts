/** Files on S3 and http(s): facts without content, and downloads. */
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { digestOf } from "../../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  type Digest,
  defined,
  isAppError,
  messageOf,
  systemErrorCode,
} from "../../kernel/index.ts";
import type { Fetched, RemoteFacts, RemoteFiles } from "../../keys/index.ts";
import {
  isS3Uri,
  type ObjectInfo,
  type ObjectStore,
  openObjectStore,
  parseS3Uri,
  type S3Access,
} from "../../store/objects/index.ts";
import { memberOf, nameProblem } from "../../task/index.ts";

export interface OpenRemoteFiles extends RemoteFiles {
  close(): Promise<void>;
}

export function createRemoteFiles(s3: S3Access): OpenRemoteFiles {
  const buckets = new Map<string, ObjectStore>();
  /** Not opened: who may read an object need not be allowed to list its bucket. Nothing is ever written there. */
  const objectAt = (location: string): { readonly name: string; readonly store: ObjectStore } => {
    if (!isS3Uri(location))
      throw new AppError(
        "FILE_UNREACHABLE",
        `reading ${location}: only paths, file://, http(s):// and s3:// can be read`,
      );
    const { bucket, key } = parseS3Uri(location);
    let store = buckets.get(bucket);
    if (store === undefined) {
      store = openObjectStore(`s3://${bucket}`, { s3, names: "any" });
      buckets.set(bucket, store);
    }
    return { name: key, store };
  };
  const factsOf = (location: string, info: ObjectInfo) => objectFacts(s3.endpoint ?? "aws", location, info);
  return {
    async head(location, ask) {
      if (isHttp(location)) return httpHead(location, ask);
      const { name, store } = objectAt(location);
      if (name === "") return undefined;
      const info = await store.head(name, ask);
      return info === undefined ? undefined : factsOf(location, info);
    },
    async *list(location, ask) {
      if (isHttp(location))
        throw new AppError("FILE_NOT_READABLE", `listing ${location}: http folders cannot be listed`);
      const { name, store } = objectAt(location);
      const folder = memberOf(location, "");
      const prefix = name === "" ? "" : memberOf(name, "");
      const seen = new Set<string>();
      for await (const info of store.list(prefix, ask)) {
        const relative = info.name.slice(prefix.length);
        checkMember(folder, relative, seen);
        yield { name: relative, ...factsOf(folder + relative, info) };
      }
    },
    async fetch(location, path, { expected = {} }, ask) {
      await mkdir(dirname(path), { recursive: true });
      if (isHttp(location)) return httpFetch(location, path, expected, ask);
      const { name, store } = objectAt(location);
      const { sha256, ...info } = await store.fetchFile(name, path, expected, ask).catch((error) => {
        if (!isAppError(error, "STORE_OBJECT_NOT_FOUND")) throw error;
        throw new AppError("FILE_NOT_FOUND", `fetching ${location}: there is no such object`, {
          cause: error,
        });
      });
      return { ...factsOf(location, info), sizeBytes: info.sizeBytes, sha256 };
    },
    async close() {
      await Promise.all([...buckets.values()].map((store) => store.close().catch(() => {})));
    },
  };
}

/** Throws when a folder cannot hold what a store of objects can. `seen`: the names before it, in their order. */
function checkMember(folder: string, name: string, seen: Set<string>): void {
  const parts = name.split("/");
  const problem = parts.map(nameProblem).find((each) => each !== undefined);
  const wrong = problem === undefined ? undefined : `a part of its name cannot be a file name: ${problem}`;
  const above = parts.map((_, i) => parts.slice(0, i).join("/")).find((each) => seen.has(each));
  seen.add(name);
  const why = above === undefined ? wrong : `${folder}${above} is an object, too, and cannot be a folder`;
  if (why !== undefined)
    throw new AppError("FILE_NAME_UNUSABLE", `listing ${folder}: the object ${folder}${name}: ${why}`);
}

function isHttp(location: string): boolean {
  return /^https?:\/\//i.test(location);
}

function objectFacts(server: string, location: string, info: ObjectInfo): RemoteFacts {
  const { sizeBytes, etag, sha256, modifiedAt } = info;
  return {
    sizeBytes,
    modifiedAt,
    ...(etag === undefined
      ? {}
      : { etag, contentStamp: `object-${digestOf([server, location, etag, sizeBytes])}` }),
    ...defined({ sha256 }),
  };
}

async function httpHead(url: string, ask: Ask): Promise<RemoteFacts | undefined> {
  const response = await request(url, "HEAD", ask);
  await response.body?.cancel();
  if (response.status === 404 || response.status === 410) return undefined;
  if (!response.ok) {
    // Some servers refuse HEAD; then the content itself decides.
    if (response.status === 405 || response.status === 501 || response.status === 403) return {};
    throw new AppError("FILE_UNREACHABLE", `asking about ${url}: the server answered ${response.status}`);
  }
  return httpFacts(response);
}

function httpFacts({ headers }: Response): RemoteFacts {
  const etag = headers.get("etag");
  const length = headers.get("content-length");
  const modified = headers.get("last-modified");
  return {
    ...(length === null || headers.has("content-encoding") ? {} : { sizeBytes: Number(length) }),
    ...(etag === null || etag.startsWith("W/") ? {} : { etag: etag.replace(/^"|"$/g, "") }),
    ...(modified === null || Number.isNaN(Date.parse(modified)) ? {} : { modifiedAt: new Date(modified) }),
  };
}

async function httpFetch(url: string, path: string, expected: RemoteFacts, ask: Ask): Promise<Fetched> {
  const response = await request(url, "GET", ask);
  if (response.status === 404 || response.status === 410)
    throw new AppError("FILE_NOT_FOUND", `fetching ${url}: the server answered ${response.status}`);
  if (!response.ok || response.body === null)
    throw new AppError("FILE_UNREACHABLE", `fetching ${url}: the server answered ${response.status}`);
  const facts = httpFacts(response);
  const other = differenceOf(expected, facts);
  if (other !== undefined) {
    await response.body.cancel();
    throw new AppError("FILE_CHANGED", `fetching ${url}: ${other}`);
  }
  // Next to the file under a different, short name: the file's may be as long as names can be.
  const temp = join(dirname(path), `.${randomUUID()}.part`);
  try {
    const body = Readable.fromWeb(response.body as import("node:stream/web").ReadableStream);
    const hasher = createHash("sha256");
    let sizeBytes = 0;
    await pipeline(
      body,
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          hasher.update(chunk);
          sizeBytes += chunk.byteLength;
          yield chunk;
        }
      },
      createWriteStream(temp),
      { signal: ask.signal },
    );
    if (expected.sizeBytes !== undefined && sizeBytes !== expected.sizeBytes)
      throw new AppError(
        "FILE_CHANGED",
        `fetching ${url}: got ${sizeBytes} bytes, expected ${expected.sizeBytes}`,
      );
    await rename(temp, path);
    return { ...facts, sizeBytes, sha256: hasher.digest("hex") as Digest };
  } catch (error) {
    checkAsk(ask, `fetching ${url}`);
    if (error instanceof AppError) throw error;
    const code = ["ENOSPC", "EDQUOT"].includes(systemErrorCode(error) ?? "")
      ? "DISK_FULL"
      : "FILE_UNREACHABLE";
    throw new AppError(code, `fetching ${url} to ${basename(path)}: ${messageOf(error)}`, { cause: error });
  } finally {
    await rm(temp, { force: true });
  }
}

/** In words, when an answer is not for certain about the expected state of a file. */
function differenceOf(expected: RemoteFacts, got: RemoteFacts): string | undefined {
  if (expected.etag !== undefined)
    return got.etag === expected.etag
      ? undefined
      : `it has the ETag ${got.etag ?? "(none)"} now, expected ${expected.etag}`;
  if (expected.modifiedAt !== undefined && got.modifiedAt?.getTime() !== expected.modifiedAt.getTime())
    return `it was modified at ${got.modifiedAt?.toISOString() ?? "(unknown)"}, expected ${expected.modifiedAt.toISOString()}`;
  return undefined;
}

async function request(url: string, method: "GET" | "HEAD", ask: Ask): Promise<Response> {
  try {
    // As it is, so that lengths and ETags are those of the file in every answer.
    const headers = { "accept-encoding": "identity" };
    return await fetch(url, { method, headers, signal: ask.signal, redirect: "follow" });
  } catch (error) {
    checkAsk(ask, `asking ${url}`);
    const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : "";
    throw new AppError("FILE_UNREACHABLE", `asking ${url}: ${messageOf(error)}${cause}`, { cause: error });
  }
}
