/** Files on S3 and http(s): facts without content, and downloads. */
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError, type Ask, messageOf, systemErrorCode } from "../../kernel/index.ts";
import type { RemoteFacts, RemoteFiles } from "../../keys/index.ts";
import {
  type ObjectInfo,
  type ObjectStore,
  openObjectStore,
  type S3Access,
} from "../../store/objects/index.ts";

export interface OpenRemoteFiles extends RemoteFiles {
  close(): Promise<void>;
}

export function createRemoteFiles(s3: S3Access): OpenRemoteFiles {
  const buckets = new Map<string, Promise<ObjectStore>>();
  const bucketOf = (
    location: string,
    ask: Ask,
  ): { readonly name: string; readonly store: Promise<ObjectStore> } => {
    const [, bucket = "", name = ""] = /^s3:\/\/([^/]*)\/?(.*)$/s.exec(location) ?? [];
    if (bucket === "")
      throw new AppError(
        "FILE_UNREACHABLE",
        `reading ${location}: only paths, file://, http(s):// and s3:// can be read`,
      );
    let store = buckets.get(bucket);
    if (store === undefined) {
      const opened = openObjectStore(`s3://${bucket}`, { s3 });
      store = opened.open(ask).then(() => opened);
      buckets.set(bucket, store);
    }
    return { name, store };
  };
  return {
    async head(location, ask) {
      if (isHttp(location)) return httpHead(location, ask);
      const { name, store } = bucketOf(location, ask);
      const info = await (await store).head(name, ask);
      return info === undefined ? undefined : factsOf(info);
    },
    async *list(location, ask) {
      if (isHttp(location))
        throw new AppError("FILE_NOT_READABLE", `listing ${location}: http folders cannot be listed`);
      const { name, store } = bucketOf(location, ask);
      const prefix = name === "" || name.endsWith("/") ? name : `${name}/`;
      for await (const info of (await store).list(prefix, ask)) {
        const relative = info.name.slice(prefix.length);
        // Consoles make an empty object for the folder itself.
        if (relative !== "" && !relative.endsWith("/")) yield { name: relative, ...factsOf(info) };
      }
    },
    async fetch(location, path, ask) {
      await mkdir(dirname(path), { recursive: true });
      if (isHttp(location)) return httpFetch(location, path, ask);
      const { name, store } = bucketOf(location, ask);
      await (await store).fetchFile(name, path, ask);
    },
    async close() {
      await Promise.all([...buckets.values()].map(async (store) => (await store).close().catch(() => {})));
    },
  };
}

function isHttp(location: string): boolean {
  return /^https?:\/\//i.test(location);
}

function factsOf(info: ObjectInfo): RemoteFacts {
  const { sizeBytes, etag, sha256, modifiedAt } = info;
  return {
    sizeBytes,
    modifiedAt,
    ...(etag === undefined ? {} : { etag }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

async function httpHead(url: string, ask: Ask): Promise<RemoteFacts | undefined> {
  const response = await request(url, { method: "HEAD" }, ask);
  await response.body?.cancel();
  if (response.status === 404 || response.status === 410) return undefined;
  if (!response.ok) {
    // Some servers refuse HEAD; then the content itself decides.
    if (response.status === 405 || response.status === 501 || response.status === 403) return {};
    throw new AppError("FILE_UNREACHABLE", `asking about ${url}: the server answered ${response.status}`);
  }
  const { headers } = response;
  const etag = headers.get("etag");
  const length = headers.get("content-length");
  const modified = headers.get("last-modified");
  return {
    ...(length === null || headers.has("content-encoding") ? {} : { sizeBytes: Number(length) }),
    ...(etag === null || etag.startsWith("W/") ? {} : { etag: etag.replace(/^"|"$/g, "") }),
    ...(modified === null || Number.isNaN(Date.parse(modified)) ? {} : { modifiedAt: new Date(modified) }),
  };
}

async function httpFetch(url: string, path: string, ask: Ask): Promise<void> {
  const response = await request(url, {}, ask);
  if (response.status === 404 || response.status === 410)
    throw new AppError("FILE_NOT_FOUND", `fetching ${url}: the server answered ${response.status}`);
  if (!response.ok || response.body === null)
    throw new AppError("FILE_UNREACHABLE", `fetching ${url}: the server answered ${response.status}`);
  const temp = `${path}.${process.pid}.part`;
  try {
    const body = Readable.fromWeb(response.body as import("node:stream/web").ReadableStream);
    await pipeline(body, createWriteStream(temp), { signal: ask.signal });
    await rename(temp, path);
  } catch (error) {
    const code = ["ENOSPC", "EDQUOT"].includes(systemErrorCode(error) ?? "")
      ? "DISK_FULL"
      : "FILE_UNREACHABLE";
    throw new AppError(code, `fetching ${url} to ${basename(path)}: ${messageOf(error)}`, { cause: error });
  } finally {
    await rm(temp, { force: true });
  }
}

async function request(url: string, init: { readonly method?: string }, ask: Ask): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: ask.signal, redirect: "follow" });
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : "";
    throw new AppError("FILE_UNREACHABLE", `asking ${url}: ${messageOf(error)}${cause}`, { cause: error });
  }
}
