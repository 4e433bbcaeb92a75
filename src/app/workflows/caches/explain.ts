/** `memoir cache explain` */
import { explainRun, type RunExplanation } from "../../../engine/index.ts";
import { type Ask, defined } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { locationOf, type OneRunOptions, oneRun } from "../runs/one-run.ts";
import { withCache } from "./use-cache.ts";

export interface ExplainOptions extends OneRunOptions {
  readonly call?: string;
}

/** Why the computed calls of a run were not reused. The cache is the run's own. */
export async function explainComputed(
  options: ExplainOptions,
  environment: Environment,
  ask: Ask,
): Promise<RunExplanation> {
  const found = await oneRun(options, environment, ask);
  const about = {
    directory: found.directory,
    id: found.record.id,
    ...defined({ call: options.call }),
  };
  if (found.record.cache === undefined) return explainRun(about, undefined, ask);
  const place = found.record.cache.name ?? locationOf(found.record);
  return withCache(place, environment, ask, (cache) => explainRun(about, cache.entries, ask));
}
