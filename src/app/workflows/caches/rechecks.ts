/** `memoir cache rechecks` */
import { type Ask, checkAsk } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { rechecksOf, type TaskRechecks } from "../../history/recheck-history.ts";
import { defaultCacheLocation, findCache } from "../cache-place.ts";
import type { CacheChoice } from "./use-cache.ts";

export interface RechecksResult {
  readonly location: string;
  readonly tasks: readonly TaskRechecks[];
}

/** What `--recheck` found about results of this cache, by runs of this home. */
export async function cacheRechecks(
  asked: CacheChoice,
  environment: Environment,
  ask: Ask,
): Promise<RechecksResult> {
  checkAsk(ask, "reading what was found");
  const { location } =
    typeof asked === "object"
      ? asked
      : await findCache(asked ?? defaultCacheLocation(environment), environment);
  return { location, tasks: await rechecksOf(location, environment) };
}
