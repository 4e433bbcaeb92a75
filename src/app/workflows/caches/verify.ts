/** `memoir cache verify` */
import type { Ask } from "../../../kernel/index.ts";
import { type VerifyReport, verifyCache } from "../../../store/entries/index.ts";
import type { Environment } from "../../environment.ts";
import { type CacheChoice, withCache } from "./use-cache.ts";

export async function verifyEntries(
  asked: CacheChoice,
  environment: Environment,
  ask: Ask,
): Promise<VerifyReport> {
  return withCache(asked, environment, ask, (cache) => verifyCache(cache, ask));
}
