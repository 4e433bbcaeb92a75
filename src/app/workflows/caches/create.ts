/** `memoir cache create` */
import { randomUUID } from "node:crypto";
import { access, constants } from "node:fs/promises";
import type { CacheBehavior } from "../../../engine/index.ts";
import { makeFolders } from "../../../files/index.ts";
import { AppError, type Ask, defined, messageOf } from "../../../kernel/index.ts";
import { openObjectStore } from "../../../store/objects/index.ts";
import type { Environment } from "../../environment.ts";
import { sharedUuid } from "../cache-mark.ts";
import { absoluteLocation } from "../cache-place.ts";
import {
  type CachePolicies,
  createCacheRegistry,
  defaultPolicies,
  type NamedCache,
} from "../cache-registry.ts";

export interface CreateCacheOptions {
  readonly name: string;
  /** A folder or `s3://bucket/prefix`. Default: a folder of this name below `<home>/cache-data`. */
  readonly location?: string;
  readonly behavior?: CacheBehavior;
  readonly description?: string;
  readonly policies?: Partial<CachePolicies>;
}

/** The location is tried before the name is taken, so that a wrong bucket is reported now and not in a run. */
export async function createCache(
  options: CreateCacheOptions,
  environment: Environment,
  ask: Ask,
): Promise<NamedCache> {
  const registry = createCacheRegistry(environment.home);
  if ((await registry.find(options.name)) !== undefined)
    throw new AppError("CACHE_EXISTS", `creating the cache ${options.name}: there is one of this name`);
  const location = absoluteLocation(
    options.location ?? `${environment.home}/cache-data/${options.name}`,
    environment,
  );
  if (!location.startsWith("s3://")) await makeFolder(location);
  const objects = openObjectStore(location, { s3: environment.s3 });
  let uuid: string = randomUUID();
  try {
    await objects.open(ask);
    uuid = (await sharedUuid(objects, "refuse", ask)).uuid;
  } finally {
    await objects.close();
  }
  const record: NamedCache = {
    kind: "named",
    name: options.name,
    uuid,
    location,
    behavior: options.behavior ?? "always",
    policies: { ...defaultPolicies, ...options.policies },
    createdAt: new Date().toISOString(),
    ...defined({ description: options.description }),
  };
  await registry.add(record);
  return record;
}

async function makeFolder(location: string): Promise<void> {
  try {
    await makeFolders(location);
    await access(location, constants.W_OK);
  } catch (error) {
    throw new AppError("STORE_NOT_WRITABLE", `creating a cache in ${location}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
