/** `memoir cache invalidate` */
import type { Ask } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import {
  type EntriesTouched,
  type EntryChoice,
  entriesNamed,
  requireName,
  touched,
} from "./choose-entries.ts";
import { withCache } from "./use-cache.ts";

/** Deletes entries so that their calls are computed again. */
export async function invalidateEntries(
  options: EntryChoice,
  environment: Environment,
  ask: Ask,
): Promise<EntriesTouched> {
  requireName("invalidating", options);
  return withCache(options.cache, environment, ask, async (cache) => {
    const found = await entriesNamed(cache, options, ask);
    await cache.entries.remove(found, ask);
    return touched(found);
  });
}
