/**
 * Run caches by name: one small file each, `<home>/caches/<name>.json`. A cache has a location, which many caches may
 * share, and a default behaviour.
 */
import { link, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CacheBehavior } from "../../engine/index.ts";
import { makeFolders } from "../../files/index.ts";
import { AppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import type { IdentityPolicy } from "../../keys/index.ts";

export interface CachePolicies {
  /** How input files are identified. Default `content`. */
  readonly identity: IdentityPolicy;
  /** `strict`: cpu, memory and gpu enter the key. Default `ignored`. */
  readonly resources: "ignored" | "strict";
  /** Whether tasks without a container are recorded and reused. Default `false`. */
  readonly hostTasks: boolean;
  /**
   * Whether `always` records each result as its task completes, or all when the run has ended. Default `true`. What
   * `on-failure` records waits for the end of the run either way.
   */
  readonly writeThrough: boolean;
  /** Tasks whose results differed in a recheck are computed each time. Default `false`. */
  readonly excludeUnstable?: boolean;
}

interface CacheSettings {
  readonly description?: string;
  /** Absolute folder, or `s3://bucket/prefix`. */
  readonly location: string;
  /** Absolute folder that no link of a cache in a folder leads out of; never written down. */
  readonly within?: string;
  readonly behavior: CacheBehavior;
  readonly policies: CachePolicies;
  /** Kept by every run that uses the cache, when it ends. Absent = no limit. */
  readonly budgetBytes?: number;
  readonly createdAt?: string;
}

/** A cache that people gave a name. */
export interface NamedCache extends CacheSettings {
  readonly kind: "named";
  readonly name: string;
  readonly uuid: string;
  readonly createdAt: string;
}

/** A cache that is only a place. */
export interface UnnamedCache extends CacheSettings {
  readonly kind: "unnamed";
  /** Absent: the location says it when it is opened. */
  readonly uuid?: string;
}

export type CacheRecord = NamedCache | UnnamedCache;

export const defaultPolicies: CachePolicies = {
  identity: "content",
  resources: "ignored",
  hostTasks: false,
  writeThrough: true,
};

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

export interface CacheRegistry {
  /** Throws CACHE_EXISTS. */
  add(record: NamedCache): Promise<void>;
  /** undefined when there is no cache of this name. */
  find(name: string): Promise<NamedCache | undefined>;
  list(): Promise<readonly NamedCache[]>;
  replace(record: NamedCache): Promise<void>;
  remove(name: string): Promise<void>;
}

export function isCacheName(text: string): boolean {
  return namePattern.test(text);
}

export function createCacheRegistry(home: string): CacheRegistry {
  const folder = join(home, "caches");
  const pathOf = (name: string) => join(folder, `${name}.json`);
  const write = async ({ kind: _, ...record }: NamedCache) => {
    await makeFolders(folder);
    const temp = `${pathOf(record.name)}.${process.pid}.tmp`;
    await writeFile(temp, `${JSON.stringify(record, null, 2)}\n`);
    return temp;
  };
  const find = async (name: string) => {
    if (!isCacheName(name)) return undefined;
    try {
      return parse(await readFile(pathOf(name), "utf8"), pathOf(name));
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  };
  return {
    async add(record) {
      if (!isCacheName(record.name))
        throw new AppError(
          "CLI_USAGE",
          `creating the cache ${JSON.stringify(record.name)}: a name is letters, digits, dots, dashes and underscores`,
        );
      const temp = await write(record);
      try {
        await link(temp, pathOf(record.name));
      } catch (error) {
        if (systemErrorCode(error) !== "EEXIST") throw error;
        throw new AppError("CACHE_EXISTS", `creating the cache ${record.name}: there is one of this name`);
      } finally {
        await rm(temp, { force: true });
      }
    },
    find,
    async list() {
      const names = (await namesIn(folder)).filter((name) => name.endsWith(".json")).toSorted();
      const records = await Promise.all(names.map((name) => find(name.slice(0, -".json".length))));
      // One that was deleted meanwhile is not listed.
      return records.filter((record) => record !== undefined);
    },
    async replace(record) {
      await rename(await write(record), pathOf(record.name));
    },
    remove: (name) => rm(pathOf(name), { force: true }),
  };
}

function parse(text: string, path: string): NamedCache {
  try {
    const record = JSON.parse(text) as Partial<NamedCache>;
    const whole =
      typeof record.name === "string" &&
      typeof record.uuid === "string" &&
      typeof record.location === "string";
    if (!whole) throw new Error("members are missing");
    return { ...record, kind: "named", policies: parsePolicies(record.policies ?? {}) } as NamedCache;
  } catch (error) {
    throw new AppError("CACHE_DAMAGED", `reading ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Files of older versions say "yes" and "no". */
function parsePolicies(policies: object): CachePolicies {
  const yesOrNo = (value: unknown) => (value === "yes" ? true : value === "no" ? false : value);
  const current = Object.entries(policies).map(([name, value]) => [name, yesOrNo(value)] as const);
  return { ...defaultPolicies, ...Object.fromEntries(current) };
}

/** A folder that cannot be listed is not one without caches. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}
