/** Results that an earlier run has computed and not recorded. */
import type { Ask } from "../kernel/index.ts";
import type { RunCacheParts } from "./run-parts.ts";
import { ChangedError, checkUnchanged, storeMessage, storeResult } from "./store-result.ts";
import { troubleWith } from "./store-trouble.ts";
import { WaitingResults } from "./waiting-results.ts";

/** Records what an earlier run had left waiting. What the store's trouble prevents is left for the next one. */
export async function recordLeftovers(
  directory: string,
  cache: Pick<RunCacheParts, "store" | "claim" | "newUuid" | "remote">,
  ask: Ask,
): Promise<{ readonly recorded: number; readonly refused: readonly string[]; readonly waiting: number }> {
  const waiting = new WaitingResults(directory);
  try {
    return await recordAll(waiting, cache, ask);
  } finally {
    waiting.close();
  }
}

async function recordAll(
  waiting: WaitingResults,
  cache: Parameters<typeof recordLeftovers>[1],
  ask: Ask,
): ReturnType<typeof recordLeftovers> {
  const torn = await waiting.load();
  // The last line of a killed run may be torn: that result was not finished.
  const refused: string[] = torn > 1 ? [`${torn} results in its list cannot be read`] : [];
  let recorded = 0;
  for (const result of waiting.list()) {
    try {
      if ((await cache.store.find(result.entry.key, ask, cache.claim)) === undefined) {
        await checkUnchanged(result);
        await storeResult(result, waiting, cache, ask);
      } else waiting.done(result, "recorded");
      recorded++;
    } catch (error) {
      const whose = troubleWith(error);
      if (ask.signal.aborted) throw error;
      if (!(error instanceof ChangedError) && whose === "store")
        return { recorded, refused, waiting: waiting.size };
      if (!(error instanceof ChangedError) && whose === "moment") continue;
      waiting.done(result, "refused");
      refused.push(`${result.entry.callPath}: ${storeMessage(error)}`);
    }
  }
  if (waiting.size === 0) await (torn > 1 ? waiting.setAside() : waiting.clear());
  return { recorded, refused, waiting: waiting.size };
}
