/** `memoir cache pin` */
import type { Ask } from "../../../kernel/index.ts";
import { pinEntry, unpinEntry } from "../../../store/entries/index.ts";
import type { Environment } from "../../environment.ts";
import {
  type EntriesTouched,
  type EntryChoice,
  entriesNamed,
  requireName,
  touched,
} from "./choose-entries.ts";
import { withCache } from "./use-cache.ts";

/** Entries that `prune` must leave; `--remove` takes the pin away. */
export async function pinEntries(
  options: EntryChoice & { readonly pinned: boolean },
  environment: Environment,
  ask: Ask,
): Promise<EntriesTouched> {
  requireName("pinning", options);
  return withCache(options.cache, environment, ask, async (cache) => {
    const found = await entriesNamed(cache, options, ask);
    for (const entry of found)
      await (options.pinned ? pinEntry(cache, entry.uuid, ask) : unpinEntry(cache, entry.uuid, ask));
    return touched(found);
  });
}
