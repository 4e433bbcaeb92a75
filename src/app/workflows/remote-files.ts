/** Files on S3 and http(s): facts without content, and downloads. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { digestOf } from "../../hash/index.ts";
import { AppError, defined, isAppError } from "../../kernel/index.ts";
import type { RemoteFacts, RemoteFiles } from "../../keys/index.ts";
import {
  isS3Uri,
  type ObjectInfo,
  type ObjectStore,
  openObjectStore,
  parseS3Uri,
  type S3Access,
} from "../../store/objects/index.ts";
import { memberOf, nameProblem } from "../../task/index.ts";
import { WebFiles } from "./web-files.ts";

export interface OpenRemoteFiles extends RemoteFiles {
  close(): Promise<void>;
}

export function createRemoteFiles(s3: S3Access): OpenRemoteFiles {
  const buckets = new Map<string, ObjectStore>();
  const web = new WebFiles();
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
      if (isHttp(location)) return web.head(location, ask);
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
      if (isHttp(location)) return web.fetch(location, path, expected, ask);
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
      web.close();
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
