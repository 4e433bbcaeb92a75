/** `memoir cache du` */
import type { Ask } from "../../../kernel/index.ts";
import { type CacheSize, measureCache } from "../../../store/entries/index.ts";
import type { Environment } from "../../environment.ts";
import { type CacheChoice, withCache } from "./use-cache.ts";

export async function cacheSize(asked: CacheChoice, environment: Environment, ask: Ask): Promise<CacheSize> {
  return withCache(asked, environment, ask, (cache) => measureCache(cache, ask));
}
