/** What is served, to whom, and which rows a request is about. */
import { type Caller, RequestProblem } from "../http/index.ts";
import type { Ask, ModelId } from "../kernel/index.ts";
import { type PredictionTier, scopeFromWire } from "../store/predictions/index.ts";
import type { Column, PredictionScope } from "../task/index.ts";

export interface Served {
  readonly tier: PredictionTier;
  /** Those whose release and columns are known without being said. */
  models(ask: Ask): Promise<readonly ServedModel[]>;
  /** Where jobs are kept: a folder of the server alone. */
  readonly jobsFolder: string;
}

export interface ServedModel {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  readonly release: string;
  readonly columns: readonly Column[];
}

/** Nothing else in a request names a model. */
export const modelName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** @throws RequestProblem for a caller who may not do this with any model. */
export function requireUse(caller: Caller, use: "read" | "write"): void {
  const rights = caller.predictions?.use;
  if (caller.isOperator || rights === "write" || rights === use) return;
  throw new RequestProblem({
    ...{ status: 403, code: "CALLER_WITHOUT_PREDICTIONS" },
    detail: `this access key may not ${use} stored predictions`,
    hint: `Use an access key whose entry says "predictions": "${use}".`,
  });
}

/** What an answer says about its caller. Jobs belong to the account, and are seen by its keys that may see their model. */
export interface Access {
  readonly account: string;
  readonly use: "none" | "read" | "write";
  readonly models: "all" | readonly string[];
}

export function accessOf({ account, isOperator, predictions }: Caller): Access {
  if (isOperator) return { account, use: "write", models: "all" };
  if (predictions === undefined) return { account, use: "none", models: [] };
  return { account, use: predictions.use, models: predictions.models ?? "all" };
}

export function maySee({ isOperator, predictions }: Caller, modelId: string): boolean {
  return isOperator || (predictions !== undefined && (predictions.models?.includes(modelId) ?? true));
}

/**
 * The rows that a request is about: those of the release and the columns in its body, or of a model that is known here.
 * A model that the caller may not see is one that does not exist.
 */
export async function scopeOf(
  request: { readonly model: string; readonly body: Readonly<Record<string, unknown>> },
  { served, caller }: { readonly served: Served; readonly caller: Caller },
  ask: Ask,
): Promise<PredictionScope> {
  const { model, body } = request;
  const unknown = new RequestProblem({
    ...{ status: 404, code: "MODEL_NOT_FOUND" },
    detail: `no model ${JSON.stringify(model.slice(0, 64))} is served to this account`,
    hint: "GET /v1/models lists the models; for others, send release and columns.",
  });
  if (!modelName.test(model)) throw unknown;
  if (body["columns"] !== undefined) {
    const scope = scopeFromWire(body);
    if (scope === undefined)
      throw invalid("columns is a list of {name, type: float, integer or string}, and release goes with it");
    if (!maySee(caller, model)) throw unknown;
    return { modelId: model as ModelId, ...scope };
  }
  const models = await served.models(ask);
  const found = models.find(({ id }) => id === model) ?? only(models.filter(({ slug }) => slug === model));
  if (found === undefined || !maySee(caller, found.id)) throw unknown;
  const { release = found.release } = body;
  if (release !== found.release)
    throw invalid(
      `this server has release ${found.release} of ${found.id}; for another one, send its columns`,
    );
  return { modelId: found.id as ModelId, release: found.release, columns: found.columns };
}

function only<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

export function invalid(detail: string): RequestProblem {
  return new RequestProblem({ status: 400, code: "REQUEST_INVALID", detail });
}
