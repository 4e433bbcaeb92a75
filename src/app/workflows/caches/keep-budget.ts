/** A budget that a cache keeps by itself: every run that used the cache prunes it when it has ended. */
import { type Ask, isAppError, messageOf, sizeText } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import type { CacheRecord } from "../cache-registry.ts";
import { pruneCache } from "./prune.ts";

/** What cannot be removed costs room, and not the run. */
export async function keepBudget(
  record: CacheRecord,
  environment: Environment,
  say: (words: string) => void,
  ask: Ask,
): Promise<void> {
  const { budgetBytes } = record;
  if (budgetBytes === undefined) return;
  try {
    const rules = { budgetBytes, policy: "cost" } as const;
    const { removed } = await pruneCache({ cache: record, rules, sure: true }, environment, ask);
    if (removed !== undefined && removed.entries > 0)
      say(
        `removed ${removed.entries} entries (${sizeText(removed.bytes)}) from the cache to keep its budget of ${sizeText(budgetBytes)}`,
      );
  } catch (error) {
    if (!isAppError(error)) throw error;
    say(`the cache could not be kept within its budget: ${messageOf(error)}`);
  }
}
