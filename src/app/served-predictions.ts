/** Stored predictions as the server serves them: one cache, the models that are known here, and a folder for jobs. */
import { join } from "node:path";
import type { Ask } from "../kernel/index.ts";
import { listModels } from "../models/index.ts";
import type { PredictionTier } from "../store/predictions/index.ts";
import type { Column } from "../task/index.ts";
import type { Environment } from "./environment.ts";
import { createCloudTier, createLocalTier, placesOf } from "./tiers.ts";

export interface ServedPredictions {
  readonly tier: PredictionTier;
  models(ask: Ask): Promise<readonly ServedModel[]>;
  readonly jobsFolder: string;
  close(): Promise<void>;
}

interface ServedModel {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  readonly release: string;
  readonly columns: readonly Column[];
}

/** Nothing is opened before the first request. */
export function servedPredictions(which: "local" | "cloud", environment: Environment): ServedPredictions {
  const places = placesOf({}, environment);
  const tier =
    which === "local"
      ? createLocalTier(places.local, {}, () => {})
      : createCloudTier(places.cloud, environment, () => {});
  return {
    tier,
    models: async (ask) => (await listModels(environment.home, ask)).models,
    jobsFolder: join(environment.home, "server", "jobs"),
    close: () => tier.close(),
  };
}
