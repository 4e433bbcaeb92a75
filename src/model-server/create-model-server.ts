/**
 * The server of one model. Requests and answers have the shapes of ersilia-pack, its refusals included. With access keys
 * each request says whose it is: signed, with a token, or with the token as the password of basic authentication, which
 * any client can be given in the URL.
 */
import { randomUUID } from "node:crypto";
import type { ModelServerParts } from "../app/index.ts";
import {
  type Authenticator,
  type Caller,
  createAuthenticator,
  foreignOrigin,
  foreignPage,
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  jsonResponse,
  matchRoute,
  parseTarget,
  type Target,
} from "../http/index.ts";
import { type Ask, messageOf } from "../kernel/index.ts";
import type { PredictingOptions } from "./predicting.ts";
import { type Rate, RateLimit } from "./rate-limit.ts";
import { packDetails, Refusal, refusal } from "./refusal.ts";
import { type ModelRoute, routes } from "./routes.ts";
import { ServedModel } from "./served-model.ts";

export interface ModelServerDeps extends PredictingOptions {
  readonly parts: ModelServerParts;
  readonly openAccount: string;
  readonly now: () => Date;
  readonly onBug: (error: unknown) => void;
  /** undefined = as many requests as come. */
  readonly rate?: Rate;
}

export interface ModelServer extends HttpHandler {
  /** Continues the jobs that a stopped server left behind. */
  resume(): void;
  /** Jobs under way continue with the next server. */
  close(): Promise<void>;
}

const mostBodyBytes = 64 << 20;
/** Of a request that names no known key: enough for a refusal. */
const mostUnknownBytes = 64 << 10;

export function createModelServer(deps: ModelServerDeps): ModelServer {
  const { parts, openAccount, now, onBug } = deps;
  const { keys } = parts;
  const rules = { keys, openAccount, region: "us-east-1", now, services: ["execute-api", "omics"] };
  const authenticator = createAuthenticator({ ...rules, tokens: "accepted" });
  const served = new ServedModel(deps);
  const limit = deps.rate === undefined ? undefined : new RateLimit(deps.rate, now);

  return {
    mostBodyBytes: ({ headers }) =>
      authenticator.namesKey(tokenHeader(headers["authorization"])) ? mostBodyBytes : mostUnknownBytes,
    busy: () => jsonResponse(429, { detail: "too many requests; try again later" }, { "retry-after": "1" }),
    fetch: async (request, ask) => {
      const startedAt = performance.now();
      const { response, operation } = await answer(request, ask);
      const durationMs = performance.now() - startedAt;
      served.metrics.count({ operation, status: response.status, durationMs });
      const headers = { "x-request-id": randomUUID(), ...response.headers };
      return { ...response, headers };
    },
    resume: () => void served.jobs.resume().catch(onBug),
    close: () => served.jobs.close(),
  };

  async function answer(
    request: HttpRequest,
    ask: Ask,
  ): Promise<{ readonly response: HttpResponse; readonly operation: string }> {
    let operation = "unknown";
    try {
      const target = parseTarget(request.target);
      if (target === undefined) throw refusal(400, "the request target is not a path");
      const found = routeOf(request, target);
      operation = found.route.name;
      const caller = callerOf(authenticator, request, { target, route: found.route, model: parts.model.id });
      const waitSeconds = limit?.take(caller.account);
      if (limit !== undefined && waitSeconds !== undefined)
        return { response: late(limit, waitSeconds), operation };
      const response = await found.route.answer({
        ...{ served, caller, ask, rawQuery: target.rawQuery, body: request.body },
        hidesReasons: keys.length > 0 && !caller.isOperator,
        label: (name) => found.labels[name] ?? "",
      });
      return { response, operation };
    } catch (error) {
      if (error instanceof Refusal) return { response: error.response, operation };
      // Nobody reads the answer, or the server stops.
      if (ask.signal.aborted)
        return { response: jsonResponse(503, { detail: "the request was ended" }), operation };
      onBug(error);
      const traceback = keys.length > 0 ? {} : { traceback: messageOf(error) };
      return { response: jsonResponse(500, { detail: packDetails.server, ...traceback }), operation };
    }
  }
}

interface Found {
  readonly route: ModelRoute;
  readonly labels: Readonly<Record<string, string>>;
}

/** Paths with a slash too many lead to the one without, as in FastAPI. */
function routeOf({ method }: HttpRequest, { rawPath, rawQuery }: Target): Found {
  const found = matchRoute(routes, method, rawPath);
  if (found.kind === "route") return found;
  if (found.kind === "other-method") {
    const headers = { allow: found.methods.join(", ") };
    throw refusal(405, "Method Not Allowed", { headers });
  }
  const other = rawPath.replace(/\/+$/, "");
  if (
    rawPath.endsWith("/") &&
    !rawPath.includes("//") &&
    matchRoute(routes, method, other).kind !== "unknown"
  ) {
    const location = rawQuery === "" ? other : `${other}?${rawQuery}`;
    throw new Refusal({ status: 307, headers: { location }, body: "" }, "another path");
  }
  throw refusal(404, "Not Found");
}

/** @throws Refusal 401, 403, 413 */
function callerOf(
  authenticator: Authenticator,
  request: HttpRequest,
  asked: { readonly target: Target; readonly route: ModelRoute; readonly model: string },
): Caller {
  const { target, route, model } = asked;
  const authorization = tokenHeader(request.headers["authorization"]);
  const foreign = authenticator.checksCallers ? foreignOrigin(request) : foreignPage(request);
  if (foreign !== undefined) throw refusal(403, foreign);
  if (route.method === "POST" && request.headers["sec-fetch-site"] === "cross-site")
    throw refusal(403, "Web pages of other origins may not use this server.");
  if (route.for === "anybody" && authenticator.checksCallers)
    return { account: "anybody", accessKeyId: "anybody", region: "", isOperator: false };
  if (request.largerThanBytes !== undefined && authenticator.namesKey(authorization))
    throw refusal(413, `the body exceeds the limit of ${request.largerThanBytes} bytes`);
  const headers = { ...request.headers, authorization };
  const asking = authenticator.callerOf({ ...request, headers }, target);
  if (asking.kind !== "known") {
    const challenge = { "www-authenticate": 'Bearer, Basic realm="memoir"' };
    const detail =
      asking.kind === "missing"
        ? "this server needs an access key: sign the request, or send a token"
        : "the access key, the token or the signature is not valid";
    throw refusal(401, detail, { headers: challenge });
  }
  const { caller } = asking;
  if (route.for === "operators" && !caller.isOperator)
    throw refusal(403, 'metrics are shown to operators only: their access key says "operator": true');
  const { predictions } = caller;
  const maySee =
    caller.isOperator || (predictions !== undefined && (predictions.models?.includes(model) ?? true));
  if (!maySee) throw refusal(403, `this access key may not use the model ${model}`);
  return caller;
}

/** `Basic user:token` is read as `Bearer token`. */
function tokenHeader(authorization: string | undefined): string | undefined {
  const [, coded] = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "") ?? [];
  if (coded === undefined) return authorization;
  const text = Buffer.from(coded, "base64").toString("utf8");
  return `Bearer ${text.slice(text.indexOf(":") + 1)}`;
}

function late(limit: RateLimit, seconds: number): HttpResponse {
  const body = { error: `Rate limit exceeded: ${limit.text}` };
  return jsonResponse(429, body, { "retry-after": String(seconds) });
}
