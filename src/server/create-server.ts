/**
 * The HealthOmics workflows API as a function from request to response: who asks, which operation, is the input right,
 * was it answered before, do it, answer. Answers are always JSON, errors as the service's clients parse them.
 */
import { randomUUID } from "node:crypto";
import { type Ask, isAppError, messageOf } from "../kernel/index.ts";
import { type Operation, operations, routeRequest, ServiceException } from "../protocol/index.ts";
import { authenticate, type Caller } from "./authenticate.ts";
import { type DecodedRequest, decodeRequest } from "./decode.ts";
import { extras } from "./extras.ts";
import { type HttpRequest, type HttpResponse, jsonResponse, parseTarget, type Target } from "./http.ts";
import { neighbours } from "./neighbours/index.ts";
import { Input, type OperationContext } from "./operation-context.ts";
import { handlers } from "./operations/index.ts";
import type { ServerParts } from "./parts.ts";

export interface OmicsServer {
  /** Never throws. */
  fetch(request: HttpRequest, ask: Ask): Promise<HttpResponse>;
}

interface Seen {
  operation?: string;
  caller?: Caller;
}

export function createServer(parts: ServerParts): OmicsServer {
  return {
    fetch: async (request, ask) => {
      const started = performance.now();
      const requestId = randomUUID();
      const seen: Seen = {};
      const response = await answer(parts, request, seen, ask).catch((error) => refusal(error, parts));
      parts.onRequest?.({
        requestId,
        method: request.method,
        path: parseTarget(request.target)?.rawPath ?? "",
        operation: seen.operation,
        account: seen.caller?.account,
        status: response.status,
        durationMs: performance.now() - started,
      });
      return { ...response, headers: { ...response.headers, "x-amzn-requestid": requestId } };
    },
  };
}

async function answer(parts: ServerParts, request: HttpRequest, seen: Seen, ask: Ask): Promise<HttpResponse> {
  const target = parseTarget(request.target);
  if (target === undefined)
    throw new ServiceException("ValidationException", "the request target is not a path");
  const caller = authenticate({ ...request, ...target }, parts);
  seen.caller = caller;
  const neighbour = await neighbours({ request, target, caller, parts, ask });
  if (neighbour !== undefined) return neighbour;
  const extra = await extras({ request, target, caller, parts, ask });
  if (extra !== undefined) return extra;
  const route = routeRequest(request.method, target.rawPath);
  if (route.kind === "other-family")
    throw new ServiceException(
      "NotSupportedOperationException",
      "Memoir serves workflows, runs, caches, groups, batches and configurations; stores and shares are not supported",
    );
  if (route.kind === "unknown")
    throw new ServiceException(
      "ResourceNotFoundException",
      `no operation answers ${request.method} ${target.rawPath}`,
    );
  seen.operation = route.operation;
  const operation: Operation = operations[route.operation];
  const decoded = decodeRequest(operation, {
    labels: route.labels,
    rawQuery: target.rawQuery,
    body: request.body,
  });
  const context: OperationContext = { caller, parts, input: new Input(decoded.input), raw: decoded.raw, ask };
  const handle = () => handlers[route.operation](context);
  const body = operation.idempotent
    ? await answerOnce({ parts, caller, operation: route.operation, target, decoded }, handle)
    : await handle();
  return jsonResponse(operation.success, operation.success === 204 ? undefined : body);
}

/**
 * Clients repeat a request with the same `requestId` when an answer is lost. The second asker of a request that is
 * still being answered is told to try again, which the SDKs do by themselves.
 */
async function answerOnce(
  at: {
    readonly parts: ServerParts;
    readonly caller: Caller;
    readonly operation: string;
    readonly target: Target;
    readonly decoded: DecodedRequest;
  },
  handle: () => Promise<unknown>,
): Promise<unknown> {
  const requestId = String(at.decoded.input["requestId"]);
  const place = { account: at.caller.account, operation: at.operation, requestId };
  const request = `${at.target.rawPath}\n${at.decoded.bodyText}`;
  const { ledger } = at.parts;
  const known = ledger.recall(place, request);
  if (known.kind === "answered") return JSON.parse(known.answer);
  if (known.kind === "conflict")
    throw new ServiceException(
      "ConflictException",
      `The requestId ${requestId} was used for a different request.`,
    );
  const body = await handle();
  ledger.remember(place, request, JSON.stringify(body));
  return body;
}

function refusal(error: unknown, parts: ServerParts): HttpResponse {
  const exception = asException(error, parts);
  return jsonResponse(
    exception.status,
    { message: exception.message },
    { "x-amzn-errortype": exception.name },
  );
}

/** What a client may know of our own trouble: that there was some, and for places it named, which. */
function asException(error: unknown, parts: ServerParts): ServiceException {
  if (error instanceof ServiceException) return error;
  if (isAppError(error) && (error.row.kind === "input" || error.row.kind === "usage"))
    return new ServiceException("ValidationException", messageOf(error));
  parts.onBug?.(error);
  return new ServiceException(
    "InternalServerException",
    "Memoir could not carry out the request; its log says why.",
  );
}
