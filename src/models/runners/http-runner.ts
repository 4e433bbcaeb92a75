/**
 * Runs a model behind an ersilia-pack server: `GET /` until it answers, then `POST /run?orient=records`. Answers of
 * the older BentoML servers are understood too. The server's own cache is switched off: Memoir decides what is reused.
 *
 * Whoever listens at an address may change while a run is at work. A connection belongs to one server, so an answer is
 * used when it came over a connection over which the server has identified itself, or when it does so right afterwards.
 */
import { HttpConnections } from "../../http-client/index.ts";
import { AppError, type Ask, checkAsk, pause, unreachable } from "../../kernel/index.ts";
import type { Prediction } from "../../task/index.ts";
import { checkRowCount, placesOf, predictionOf } from "../answer-table.ts";
import type { Model, Runner } from "../model.ts";
import { askServer, type ModelAnswer } from "./http-client.ts";
import { parseLenientJson } from "./lenient-json.ts";
import { inParallel } from "./split.ts";

export interface HttpRunnerOptions {
  readonly model: Model;
  /** Base URL; credentials in it are sent as basic authentication. */
  readonly url: string;
  /** Requests at the same time. */
  readonly workers: number;
  /** Milliseconds one request may take. */
  readonly timeoutMs: number;
  /** Milliseconds to wait for a server that is starting. Default 30000. */
  readonly readyTimeoutMs?: number;
  /** Milliseconds before the first retry; doubled for each further one. Default 250. */
  readonly backoffMs?: number;
}

const smallestPart = 100;
const attempts = 4;
/** Answers with status 200 that cannot be read (a page of a proxy) are asked for again so often; then the rows are tried. */
const unreadableAttempts = 2;
const probeTimeoutMs = 5_000;
const probeEveryMs = 250;
const answerLimitBytes = 512 << 20;

export class HttpRunner implements Runner {
  readonly kind = "http";
  readonly toolkit = undefined;
  readonly #options: HttpRunnerOptions;
  readonly #connections = new HttpConnections();
  /** What the server says of itself in addition to its id, as it was said first. */
  #described: string | undefined;

  constructor(options: HttpRunnerOptions) {
    this.#options = options;
  }

  async open(ask: Ask): Promise<void> {
    const { url, readyTimeoutMs } = this.#options;
    this.#checkId(await waitForServer({ url, timeoutMs: readyTimeoutMs ?? 30_000 }, ask), "opening");
    await this.#describe(ask);
  }

  async predict(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    return inParallel({ inputs, workers: this.#options.workers, smallestPart }, (part) =>
      this.#runBatch(part, ask),
    );
  }

  async close(): Promise<void> {
    this.#connections.close();
  }

  async #runBatch(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    const { model, url } = this.#options;
    const target = serverUrl(url, "run");
    target.search = "orient=records&fetch_cache=false&save_cache=false&cache_only=false";
    const answer = await this.#post(target, inputs, ask);
    const from = `the answer of ${url} for model ${model.id}`;
    const rows = rowsOf(answer, from);
    checkRowCount(inputs.length, rows.length, from);
    return rows.map((row): Prediction => {
      if (row === null) return { kind: "failed", reason: "the server answered no row for this input" };
      if ("reason" in row) return { kind: "failed", reason: row.reason };
      const places = placesOf(model.columns, row.names, from);
      return predictionOf(
        model.columns,
        places.map((place) => row.values[place]),
      );
    });
  }

  /** Repeats what may go better the next time: a connection that broke, a server that is busy or restarting. */
  async #post(target: URL, inputs: readonly string[], ask: Ask): Promise<unknown> {
    const { model, url, timeoutMs, backoffMs } = this.#options;
    const doing = `asking ${url} for ${inputs.length} rows of model ${model.id}`;
    let why = "";
    let unreadable = 0;
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await pause((backoffMs ?? 250) * 2 ** (attempt - 1), ask);
      checkAsk(ask, doing);
      const connections = this.#connections;
      const answer = await askServer(
        { method: "POST", url: target, body: inputs, timeoutMs, limitBytes: answerLimitBytes, connections },
        ask,
      );
      const verdict = verdictOf(answer);
      // Errors, too, are used only when this model's server gave them: they make rows fail.
      if (answer.kind === "answered" && verdict.kind !== "again" && !(await this.#isStillItself(ask))) {
        why = "it went away right after its answer";
        continue;
      }
      if (verdict.kind === "ok") return verdict.json;
      if (verdict.kind === "rows") throw new AppError("MODEL_RUN_FAILED", `${doing}: ${verdict.why}`);
      if (verdict.kind === "unreadable" && ++unreadable >= unreadableAttempts)
        throw new AppError("MODEL_OUTPUT_MISMATCH", `${doing}: ${verdict.why}`);
      if (verdict.kind === "late")
        throw new AppError("MODEL_RUN_TIMEOUT", `${doing}: no answer within ${timeoutMs} ms`);
      why = verdict.why;
    }
    checkAsk(ask, doing);
    throw new AppError("MODEL_SERVER_UNREACHABLE", `${doing}: ${why}, ${attempts} times`);
  }

  /**
   * Whether this model's server gave the answer; false = it is no longer known. Asked after every answer: behind a
   * proxy another server can come without any connection being broken.
   * @throws AppError MODEL_SERVER_ANSWER when another model answers at this address.
   */
  async #isStillItself(ask: Ask): Promise<boolean> {
    const said = await this.#get("", ask);
    if (said.kind !== "answered" || said.status !== 200) return false;
    this.#checkId(servedModel(said.text), "asking");
    await this.#describe(ask);
    return true;
  }

  /** @throws AppError MODEL_SERVER_ANSWER when the server describes itself in another way than before. */
  async #describe(ask: Ask): Promise<void> {
    const { model, url } = this.#options;
    const said: unknown[] = [];
    for (const path of ["card", "run/columns/output"]) {
      const answer = await this.#get(path, ask);
      // Older servers have no such routes; one that has gone again is asked again after its next answer.
      if (answer.kind !== "answered") return;
      said.push(answer.status === 200 ? identityOf(answer.text) : null);
    }
    const described = JSON.stringify(said);
    if (this.#described !== undefined && this.#described !== described)
      throw new AppError(
        "MODEL_SERVER_ANSWER",
        `asking the server ${url}: it describes model ${model.id} in another way than before: ${described.slice(0, 300)}, before ${this.#described.slice(0, 300)}`,
      );
    this.#described = described;
  }

  #get(path: string, ask: Ask): Promise<ModelAnswer> {
    const { url, timeoutMs } = this.#options;
    // A server that does one thing at a time answers when it is done with Memoir's other requests.
    const request = { method: "GET", url: serverUrl(url, path), timeoutMs, limitBytes: 1 << 20 } as const;
    return askServer({ ...request, connections: this.#connections }, ask);
  }

  #checkId(served: string | undefined, doing: string): void {
    const { model, url } = this.#options;
    if (served === undefined || served === model.id) return;
    throw new AppError(
      "MODEL_SERVER_ANSWER",
      `${doing} the server ${url}: it serves ${served}, expected ${model.id}`,
    );
  }
}

/** What decides a model's answers, of its card or its list of columns. */
function identityOf(text: string): unknown {
  try {
    const said = parseLenientJson(text);
    return isRecord(said) ? [said["Identifier"] ?? null, said["Release"] ?? null] : said;
  } catch {
    return null;
  }
}

type Verdict =
  | { readonly kind: "ok"; readonly json: unknown }
  /** The status says that all is well, and the text is something else than an answer. */
  | { readonly kind: "unreadable"; readonly why: string }
  | { readonly kind: "again"; readonly why: string }
  | { readonly kind: "rows"; readonly why: string }
  | { readonly kind: "late" };

/** Statuses that speak of the server's state; every other failure may be caused by the rows. */
const busy = new Set([408, 429, 502, 503, 504]);

function verdictOf(answer: ModelAnswer): Verdict {
  switch (answer.kind) {
    case "answered":
      if (answer.status === 200) return readable(answer.text);
      return {
        kind: busy.has(answer.status) ? "again" : "rows",
        why: `HTTP ${answer.status} ${detailOf(answer.text)}`.trim(),
      };
    case "unreachable":
      return { kind: "again", why: answer.why };
    case "cancelled":
      return { kind: "again", why: "cancelled" };
    case "timed-out":
      return { kind: "late" };
    case "too-long":
      return { kind: "rows", why: `the answer is longer than ${answer.limitBytes} bytes` };
    default:
      return unreachable(answer);
  }
}

function readable(text: string): Verdict {
  let json: unknown;
  try {
    json = parseLenientJson(text);
  } catch {
    return { kind: "unreadable", why: `its answer is not JSON: ${text.slice(0, 80)}` };
  }
  if (Array.isArray(json) || (isRecord(json) && Array.isArray(json["result"]))) return { kind: "ok", json };
  return { kind: "unreadable", why: `expected a list of records, got ${kindOf(json)}` };
}

/** The server's words without its traceback. */
function detailOf(text: string): string {
  try {
    const answer: unknown = JSON.parse(text);
    const detail = isRecord(answer) ? answer["detail"] : undefined;
    return typeof detail === "string" ? detail : "";
  } catch {
    return "";
  }
}

/** `path` below the server's base URL, whether or not that ends with a slash. */
export function serverUrl(base: string, path: string): URL {
  const url = new URL(base);
  url.search = "";
  url.hash = "";
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`;
  return url;
}

/**
 * Waits until `GET /` answers 200.
 * @returns the id of the model it serves, undefined where the answer does not say.
 * @throws AppError MODEL_SERVER_UNREACHABLE after `timeoutMs`.
 */
export async function waitForServer(
  server: { readonly url: string; readonly timeoutMs: number },
  ask: Ask,
): Promise<string | undefined> {
  const until = Date.now() + server.timeoutMs;
  for (;;) {
    const left = until - Date.now();
    const answer = await askServer(
      {
        method: "GET",
        url: serverUrl(server.url, ""),
        timeoutMs: Math.max(1, Math.min(left, probeTimeoutMs)),
        limitBytes: 1 << 20,
      },
      ask,
    );
    checkAsk(ask, `waiting for the model server ${server.url}`);
    if (answer.kind === "answered" && answer.status === 200) return servedModel(answer.text);
    if (Date.now() + probeEveryMs >= until) {
      const what = answer.kind === "answered" ? `HTTP ${answer.status}` : failureText(answer);
      throw new AppError(
        "MODEL_SERVER_UNREACHABLE",
        `waiting for the model server ${server.url}: not ready within ${server.timeoutMs} ms, last: ${what}`,
      );
    }
    await pause(probeEveryMs, ask);
  }
}

function failureText(answer: Exclude<ModelAnswer, { kind: "answered" }>): string {
  return answer.kind === "unreachable" ? answer.why : answer.kind;
}

/** ersilia-pack answers `{"eos3b5e":"molecular-weight"}`; older servers answer a web page. */
function servedModel(text: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    const names = isRecord(answer) ? Object.keys(answer) : [];
    return names.length === 1 ? names[0] : undefined;
  } catch {
    return undefined;
  }
}

type Row =
  | { readonly names: readonly string[]; readonly values: readonly unknown[] }
  /** Something that is not a row. */
  | { readonly reason: string }
  | null;

/** Rows of either format, each with its column names. */
function rowsOf(answer: unknown, from: string): readonly Row[] {
  if (isRecord(answer) && Array.isArray(answer["result"])) return legacyRows(answer, answer["result"], from);
  return Array.isArray(answer) ? answer.map(recordRow) : [];
}

function recordRow(row: unknown): Row {
  if (row === null) return null;
  if (!isRecord(row)) return { reason: `expected a record for this input, got ${kindOf(row)}` };
  return { names: Object.keys(row), values: Object.values(row) };
}

/** `{"result":[{"outcome":[1,2]}],"meta":{"outcome":["a","b"]}}`; a single value may stand without its list. */
function legacyRows(
  answer: Record<string, unknown>,
  result: readonly unknown[],
  from: string,
): readonly Row[] {
  const meta = isRecord(answer["meta"]) ? answer["meta"]["outcome"] : undefined;
  if (!Array.isArray(meta))
    throw new AppError(
      "MODEL_OUTPUT_MISMATCH",
      `reading ${from}: it does not name its columns (meta.outcome)`,
    );
  const names = meta.map(String);
  return result.map((row): Row => {
    const outcome = isRecord(row) ? row["outcome"] : row;
    if (outcome === null || outcome === undefined) return null;
    const values: unknown[] = Array.isArray(outcome) ? outcome : [outcome];
    if (values.length === names.length) return { names, values };
    return { reason: `the row has ${values.length} values, expected ${names.length}` };
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
}
