/** The model's metadata as ersilia-pack publishes them, and what it says about the server. */
import type { ModelServerParts } from "../app/index.ts";
import type { Model } from "../models/index.ts";

/** Fields that can be asked for one by one. */
export const cardFields = ["Identifier", "Slug", "Title", "Description", "Input", "Task", "Subtask"] as const;

export type Card = Readonly<Record<string, unknown>>;

export function cardOf({ id, slug, title, description, columns, metadata }: Model): Card {
  const types = new Set(columns.map(({ type }) => type));
  const type = types.has("string") ? "String" : types.has("float") ? "Float" : "Integer";
  return {
    ...{
      Identifier: id,
      Slug: slug,
      Title: title,
      Description: description,
      Input: ["Compound"],
      "Input Shape": "Single",
    },
    ...{ "Output Shape": columns.length === 1 ? "Single" : "List", "Output Type": [type] },
    ...metadata,
  };
}

/** What Ersilia's command line reads of a server when it fetches a model from one. */
export function informationOf(model: Model): Card {
  const meta = model.columns.map(({ name }) => name);
  const isText = model.columns.some(({ type }) => type === "string");
  const outcome = { type: isText ? "string_array" : "numeric_array", shape: [meta.length], meta };
  const text = { type: "string" };
  return {
    ...{ card: cardOf(model), model_id: model.id, Slug: model.slug, api_list: ["run"] },
    api_schema: { run: { input: { key: text, input: text, text }, output: { outcome } } },
  };
}

export function statusOf(
  { model, workers }: Pick<ModelServerParts, "model" | "workers">,
  server: { readonly id: string; readonly startedAt: Date; readonly hasAnswered: boolean },
): unknown {
  const worker = {
    id: server.id,
    startTime: server.startedAt.toISOString(),
    status: server.hasAnswered ? "READY" : "NOT_READY",
    memoryUsage: process.memoryUsage().rss / (1024 * 1024),
    pid: process.pid,
  };
  return [
    {
      ...{ modelName: model.id, modelVersion: model.release, runtime: "memoir" },
      ...{ minWorkers: 1, maxWorkers: workers, maxBatchSize: 10_000, maxBatchDelay: 0 },
      ...{ loadedAtStartup: false, workers: [worker] },
    },
  ];
}
