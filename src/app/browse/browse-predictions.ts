/** Stored predictions of the configured caches for a page or a program; of operators only. */
import type { Ask } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import type { LookUpResult } from "../look-up.ts";
import type { StatsResult } from "../stored-inventory.ts";
import type { NearestOptions, Nearest as Neighbours } from "./nearest.ts";
import { PredictionJobs } from "./prediction-jobs.ts";
import type { ColumnSpreads } from "./prediction-pages.ts";

export class BrowsePredictions {
  readonly #environment: Environment;
  readonly jobs: PredictionJobs;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.jobs = new PredictionJobs(environment);
  }

  /** Statistics of the configured tiers, for operators. */
  async stats(model: string | undefined, ask: Ask): Promise<StatsResult> {
    const { stats } = await import("../stored-inventory.ts");
    return stats(model === undefined ? {} : { model }, this.#environment, ask);
  }

  /** What both caches hold for a molecule, for operators. */
  async lookUp(molecule: string, match: "exact" | "canonical", ask: Ask): Promise<LookUpResult> {
    const { lookUp } = await import("../look-up.ts");
    return lookUp({ molecule, match }, this.#environment, ask);
  }

  async columns(
    options: { readonly model: string; readonly cache: "local" | "cloud"; readonly rows: number },
    ask: Ask,
  ): Promise<ColumnSpreads> {
    const { columnSpreads } = await import("./prediction-pages.ts");
    return columnSpreads(options, this.#environment, ask);
  }

  async nearest(options: NearestOptions, ask: Ask): Promise<Neighbours> {
    const { nearest } = await import("./nearest.ts");
    return nearest(options, this.#environment, ask);
  }

  async drawing(molecule: string, ask: Ask): Promise<{ readonly svg?: string }> {
    const { drawing } = await import("./prediction-pages.ts");
    return drawing(molecule, ask);
  }
}
