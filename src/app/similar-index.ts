/** Where the index of similar molecules of a cache is, and which similarities may be asked for. */
import { join } from "node:path";
import { md5Hex } from "../hash/index.ts";
import { AppError } from "../kernel/index.ts";
import type { Source } from "../predict/index.ts";
import { columnsDigest, type PredictionTier } from "../store/predictions/index.ts";
import type { PredictionScope } from "../task/index.ts";
import type { Environment } from "./environment.ts";
import { isRedisAddress } from "./tier-address.ts";
import { placesOf } from "./tiers.ts";

/** @throws CLI_USAGE */
export function checkSimilarity(value: number, flag: string): void {
  if (value > 0 && value <= 1) return;
  throw new AppError("CLI_USAGE", `${flag} must be more than 0 and at most 1, got ${value}`);
}

/** Next to the cache where that is a folder, else below the home. */
export function indexPath(
  {
    tier,
    scope,
    from,
  }: { readonly tier: PredictionTier; readonly scope: PredictionScope; readonly from: Source },
  options: { readonly local?: string; readonly cloud?: string },
  environment: Environment,
): string {
  const place = placesOf(options, environment)[from];
  const isFolder = !/^[a-z][a-z0-9+.-]+:/i.test(place) && !isRedisAddress(place);
  const folder = isFolder
    ? `${place.replace(/\/+$/, "")}.similar`
    : join(environment.home, "similar", md5Hex(tier.name));
  const release = scope.release.replaceAll(/[^A-Za-z0-9._-]/g, "_");
  return join(folder, scope.modelId, `${release}-${columnsDigest(scope.columns).slice(0, 12)}.index`);
}
