/** `memoir cache list` */
import { type Ask, checkAsk } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { type CacheRecord, createCacheRegistry } from "../cache-registry.ts";

export type CacheRow = CacheRecord & {
  /** `home`: named on this machine. `server`: a run cache of the HealthOmics server. */
  readonly origin: "home" | "server";
  /** What `/api/v1/caches/…` calls it. */
  readonly ref: string;
};

export interface CacheList {
  readonly caches: readonly CacheRow[];
}

export async function listCaches(environment: Environment, ask: Ask): Promise<CacheList> {
  checkAsk(ask, "listing caches");
  const records = await createCacheRegistry(environment.home).list();
  return { caches: records.map((record) => ({ ...record, origin: "home", ref: record.name })) };
}
