/** `memoir cache update` */

import type { CacheBehavior } from "../../../engine/index.ts";
import { type Ask, checkAsk, defined } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { type CachePolicies, createCacheRegistry, type NamedCache } from "../cache-registry.ts";
import { namedCache } from "./use-cache.ts";

export interface UpdateCacheOptions {
  readonly name: string;
  readonly behavior?: CacheBehavior;
  readonly description?: string;
  readonly policies?: Partial<CachePolicies>;
  /** 0 = no limit any more. */
  readonly budgetBytes?: number;
}

export async function updateCache(
  options: UpdateCacheOptions,
  environment: Environment,
  ask: Ask,
): Promise<NamedCache> {
  const registry = createCacheRegistry(environment.home);
  const { budgetBytes: earlier, ...known } = await namedCache(options.name, environment);
  const budgetBytes = options.budgetBytes ?? earlier;
  const record: NamedCache = {
    ...known,
    behavior: options.behavior ?? known.behavior,
    policies: { ...known.policies, ...options.policies },
    ...defined({ description: options.description }),
    ...(budgetBytes === undefined || budgetBytes === 0 ? {} : { budgetBytes }),
  };
  checkAsk(ask, `changing the cache ${known.name}`);
  await registry.replace(record);
  return record;
}
