/** A running model server as a model: what it says about itself. */
import { AppError, type Ask, checkAsk } from "../../kernel/index.ts";
import type { Column, ColumnType } from "../../task/index.ts";
import type { Model } from "../model.ts";
import { describeMetadata } from "../package/read-package.ts";
import { askServer } from "../runners/http-client.ts";
import { serverUrl, waitForServer } from "../runners/http-runner.ts";
import { parseLenientJson } from "../runners/lenient-json.ts";

const readyTimeoutMs = 10_000;
const answerTimeoutMs = 10_000;
const answerLimitBytes = 16 << 20;

/**
 * Asks a server for its card, columns and examples (`GET /card`, `/run/columns/output`, `/run/example/input|output`).
 * @throws AppError MODEL_SERVER_UNREACHABLE, MODEL_SERVER_ANSWER.
 */
export async function describeServer(url: string, ask: Ask): Promise<Model> {
  const served = await waitForServer({ url, timeoutMs: readyTimeoutMs }, ask);
  const card = await getJson(url, "card", ask);
  const metadata = isRecord(card) ? card : { Identifier: served };
  const names = await getJson(url, "run/columns/output", ask);
  if (!Array.isArray(names) || names.length === 0 || !names.every((name) => typeof name === "string"))
    throw new AppError(
      "MODEL_SERVER_ANSWER",
      `asking ${serverUrl(url, "run/columns/output").href}: expected a list of column names, got ${JSON.stringify(names)?.slice(0, 80)}`,
    );
  const exampleOutput = await getJson(url, "run/example/output", ask);
  const exampleInput = await getJson(url, "run/example/input", ask);
  const types = columnTypes(names, metadata["Output Type"], exampleOutput);
  return {
    ...describeMetadata(metadata, url),
    columns: names.map((name, i): Column => ({ name, type: types[i] ?? "float" })),
    exampleInputs: Array.isArray(exampleInput)
      ? exampleInput.filter((input): input is string => typeof input === "string")
      : [],
    source: { kind: "http", url },
  };
}

/** The server names its columns but not their types: the card or else the example's values show them. */
function columnTypes(names: readonly string[], declared: unknown, example: unknown): readonly ColumnType[] {
  const declaredTypes = (Array.isArray(declared) ? declared : [declared]).filter(
    (type) => type !== undefined,
  );
  const [only] = declaredTypes;
  if (declaredTypes.length === 1 && typeof only === "string") {
    const type = only.toLowerCase();
    if (type === "float" || type === "integer" || type === "string") return names.map(() => type);
  }
  const rows: readonly unknown[] = Array.isArray(example) ? example : [];
  return names.map((name) => {
    const values = rows
      .map((row) => (isRecord(row) ? row[name] : undefined))
      .filter((value) => value != null);
    const isNumber = (value: unknown) => value !== "" && Number.isFinite(Number(value));
    return values.length > 0 && !values.every(isNumber) ? "string" : "float";
  });
}

/** undefined for anything but 200: old servers lack some of the routes. */
async function getJson(base: string, path: string, ask: Ask): Promise<unknown> {
  const url = serverUrl(base, path);
  const answer = await askServer(
    { method: "GET", url, timeoutMs: answerTimeoutMs, limitBytes: answerLimitBytes },
    ask,
  );
  checkAsk(ask, `asking ${url.href}`);
  if (answer.kind !== "answered")
    throw new AppError(
      "MODEL_SERVER_UNREACHABLE",
      `asking ${url.href}: ${answer.kind === "unreachable" ? answer.why : answer.kind}`,
    );
  if (answer.status !== 200) return undefined;
  try {
    return parseLenientJson(answer.text);
  } catch (error) {
    throw new AppError("MODEL_SERVER_ANSWER", `asking ${url.href}: not JSON: ${answer.text.slice(0, 80)}`, {
      cause: error,
    });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
