/** Synchronous look-ups: some inputs of one model, or one input of all models. Nothing is ever computed. */
import { defined, type ModelId, mapBounded } from "../kernel/index.ts";
import { columnsAnswer, columnsToWire, type StoredScope } from "../store/predictions/index.ts";
import { answerOf, mostInputs, mostInputsByColumns } from "./answers.ts";
import { readBody, textOf, textsOf } from "./body.ts";
import type { JobsRequest } from "./request.ts";
import { invalid, maySee, requireUse, scopeOf } from "./served.ts";

/** Models asked at the same time about one molecule. */
const modelsAtOnce = 4;

/** Answers in the order of the inputs. */
export async function lookUp(request: JobsRequest): Promise<unknown> {
  const { caller, served, ask } = request;
  requireUse(caller, "read");
  const body = readBody(request.body, ["inputs", "release", "columns", "answer"]);
  const { answer = "rows" } = body;
  if (answer !== "rows" && answer !== columnsAnswer) throw invalid("answer must be rows or columns");
  const inputs = textsOf(body, "inputs", answer === columnsAnswer ? mostInputsByColumns : mostInputs);
  const scope = await scopeOf({ model: request.label("model"), body }, request, ask);
  const rows = await served.tier.getMany(scope, inputs, ask);
  const about = { account: caller.account, model: scope.modelId, release: scope.release };
  if (answer === columnsAnswer)
    return { ...about, columns: scope.columns, ...columnsToWire(scope, inputs, rows) };
  return {
    ...about,
    columns: scope.columns,
    rows: inputs.map((input, at) => answerOf(input, rows[at])),
  };
}

/** What every model that this account may see has stored for one molecule. */
export async function lookUpMolecule(request: JobsRequest): Promise<unknown> {
  const { caller, served, ask } = request;
  requireUse(caller, "read");
  const body = readBody(request.body, ["input"]);
  const input = textOf(body, "input", /^[\s\S]{1,100000}$/);
  const models = (await served.models(ask)).filter(({ id }) => maySee(caller, id));
  const answers = await mapBounded(models, modelsAtOnce, async ({ id, release, columns }) => {
    const [row] = await served.tier.getMany({ modelId: id as ModelId, release, columns }, [input], ask);
    return { model: id, release, columns, ...answerOf(input, row) };
  });
  return { account: caller.account, input, models: answers };
}

export async function listModels({ caller, served, ask }: JobsRequest): Promise<unknown> {
  requireUse(caller, "read");
  const models = (await served.models(ask)).filter(({ id }) => maySee(caller, id));
  return {
    account: caller.account,
    models: models.map(({ id, slug, title, release, columns }) => ({ id, slug, title, release, columns })),
  };
}

/** What is stored, also of models and releases that are not known here. */
export async function listStored({ caller, served, ask }: JobsRequest): Promise<unknown> {
  requireUse(caller, "read");
  const isSeen = ({ modelId }: StoredScope) => maySee(caller, modelId);
  const stored = (await served.tier.listScopes(ask)).filter(isSeen);
  return {
    account: caller.account,
    stored: await mapBounded(stored, modelsAtOnce, async (scope) => {
      const columnNames = await served.tier.columnsOf?.(scope, ask);
      const { modelId: model, release, columns: columnsDigest, rows } = scope;
      return {
        model,
        release,
        columnsDigest,
        rows,
        ...defined({ columns: columnNames }),
      };
    }),
  };
}
