/** `memoir cache verify` */
import type { Ask } from "../../../kernel/index.ts";
import { type VerifyReport, verifyCache } from "../../../store/entries/index.ts";
import type { Environment } from "../../environment.ts";
import { keepLine } from "../../history/kept-lines.ts";
import { type CacheChoice, withCache } from "./use-cache.ts";

/** The last reports are shown on the page of the cache. */
export interface KeptVerification {
  /** ISO 8601 */
  readonly at: string;
  readonly location: string;
  readonly report: VerifyReport;
}

export async function verifyEntries(
  asked: CacheChoice,
  environment: Environment,
  ask: Ask,
): Promise<VerifyReport> {
  return withCache(asked, environment, ask, async (cache) => {
    const report = await verifyCache(cache, ask);
    const { location } = cache.record;
    const kept: KeptVerification = { at: new Date().toISOString(), location, report };
    await keepLine("verifications", kept, environment);
    return report;
  });
}
