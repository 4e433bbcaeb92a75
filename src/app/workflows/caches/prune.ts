/** `memoir cache prune` */
import type { Ask } from "../../../kernel/index.ts";
import {
  type Pruned,
  type PrunePlan,
  type PruneRules,
  planPrune,
  prune as prunePlanned,
  storeTime,
} from "../../../store/entries/index.ts";
import type { Environment } from "../../environment.ts";
import { type CacheChoice, withCache } from "./use-cache.ts";

export interface PruneOptions {
  readonly cache?: CacheChoice;
  readonly rules: PruneRules;
  /** false: a dry run. */
  readonly sure: boolean;
}

export interface PruneResult {
  readonly plan: PrunePlan;
  /** Absent after a dry run. */
  readonly removed?: Pruned;
}

export async function pruneCache(
  options: PruneOptions,
  environment: Environment,
  ask: Ask,
): Promise<PruneResult> {
  return withCache(options.cache, environment, ask, async (cache) => {
    const plan = await planPrune(cache, options.rules, await storeTime(cache, ask), ask);
    if (!options.sure) return { plan };
    return { plan, removed: await prunePlanned(cache, plan, ask) };
  });
}
