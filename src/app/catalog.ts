/** The list of models: apart from what else is done with models, so that it loads nothing of predictions. */
import type { Ask } from "../kernel/index.ts";
import { type CatalogRow, catalogRow, findModel, listModels } from "../models/index.ts";
import type { Wiring } from "./predictions.ts";

export interface CatalogResult {
  readonly models: readonly CatalogRow[];
  readonly broken: readonly { readonly id: string; readonly problem: string }[];
  /** All metadata of the one model that was asked for. */
  readonly card?: Readonly<Record<string, unknown>>;
}

export async function catalog(
  options: { readonly model?: string },
  { environment }: Wiring,
  ask: Ask,
): Promise<CatalogResult> {
  const { home, cwd } = environment;
  if (options.model !== undefined) {
    const model = await findModel({ name: options.model, home, cwd }, ask);
    return { models: [catalogRow(model)], broken: [], card: model.metadata };
  }
  const { models, broken } = await listModels(home, ask);
  return {
    models: models.map(catalogRow),
    broken: broken.map(({ id, problem }) => ({ id, problem: problem.message })),
  };
}
