/**
 * The HealthOmics workflows API as a function from request to response: who asks, which operation, is the input right,
 * was it answered before, do it, answer. Answers are always JSON, errors as the service's clients parse them.
 */
import { randomBytes } from "node:crypto";
import { sha256 } from "../hash/index.ts";
import {
  type Authenticator,
  type Caller,
  foreignPage,
  type HttpRequest,
  type HttpResponse,
  jsonResponse,
  type Mount,
  matchRoute,
  parseTarget,
  type RequestHead,
} from "../http/index.ts";
import { type Ask, isAppError, messageOf } from "../kernel/index.ts";
import {
  bodyLimitOf,
  type Operation,
  type OperationName,
  operations,
  routeRequest,
  ServiceException,
} from "../protocol/index.ts";
import { omicsAuthenticator, signedCaller } from "./authenticate.ts";
import { answerAwsService } from "./aws-services/index.ts";
import { type DecodedRequest, decodeRequest } from "./decode.ts";
import { type DefinitionUrls, definitionUrls } from "./definition-url.ts";
import { furtherRoutes } from "./further-routes.ts";
import { type AnsweredBodies, Input, type OperationContext } from "./operation-context.ts";
import { resumeBatches } from "./operations/batch-work.ts";
import { handlers } from "./operations/index.ts";
import type { ServerParts } from "./parts.ts";

export interface OmicsMount extends Mount {
  /** Continues with batches that a stopped server left half submitted; runs are resumed by the RunControl itself. */
  resume(): void;
}

/** Requests with a `requestId` that are being answered now. */
type UnderWay = Map<string, { readonly request: string; readonly answer: Promise<unknown> }>;

interface Seen {
  operation?: string;
  caller?: Caller;
}

export function createOmics(parts: ServerParts): OmicsMount {
  const context: ServerContext = {
    parts,
    underWay: new Map(),
    bodies: new WeakMap(),
    authenticator: omicsAuthenticator(parts),
    urls: definitionUrls(parts, randomBytes(32)),
  };
  return {
    name: "omics",
    prefix: "/",
    busy,
    resume: () => resumeBatches(parts),
    mostBodyBytes: (head) => mostBodyBytes(context, head),
    fetch: async (request) => {
      const seen: Seen = {};
      const { status, headers, body } = await answer(context, request, seen).catch((error) =>
        refusal(error, parts),
      );
      const response = { status, headers: { ...headers, "x-amzn-requestid": request.requestId }, body };
      return { response, operation: seen.operation, account: seen.caller?.account };
    },
  };
}

const busy: HttpResponse = jsonResponse(
  429,
  { message: "Too many requests are being sent; try again later." },
  { "x-amzn-errortype": "ThrottlingException" },
);

/** Requests are carried out even when their client goes away: it asks again under the same `requestId`. */
class LastingAsk implements Ask {
  #controller: AbortController | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }
}

interface ServerContext {
  readonly parts: ServerParts;
  readonly bodies: AnsweredBodies;
  readonly underWay: UnderWay;
  readonly urls: DefinitionUrls;
  readonly authenticator: Authenticator;
}

/** Of requests to other than operations: what is asked of logs, and forms. */
const otherBytes = 1024 * 1024;
/** Of callers whose key nobody knows: they are refused, whatever they send. */
const unauthenticatedBytes = 64 * 1024;

function mostBodyBytes({ authenticator }: ServerContext, { method, target, headers }: RequestHead): number {
  if (!authenticator.namesKey(headers["authorization"])) return unauthenticatedBytes;
  const path = parseTarget(target)?.rawPath;
  const route = path === undefined ? undefined : routeRequest(method, path);
  return route?.kind === "operation" ? bodyLimits[route.operation] : otherBytes;
}

const bodyLimits = Object.fromEntries(
  Object.entries(operations).map(([name, operation]) => [name, bodyLimitOf(operation).wholeBytes]),
) as Readonly<Record<OperationName, number>>;

/** The signature cannot be checked without the body; a request that names no known key is refused for that instead. */
function refuseLarge(
  { authenticator }: ServerContext,
  { headers, ...request }: HttpRequest,
  bytes: number,
): void {
  if (!authenticator.namesKey(headers["authorization"]))
    signedCaller(authenticator, { ...request, headers }, { rawPath: "/", rawQuery: "" });
  throw new ServiceException(
    "ValidationException",
    `The body is larger than ${bytes} bytes, which no request of this operation needs.`,
  );
}

async function answer(context: ServerContext, request: HttpRequest, seen: Seen): Promise<HttpResponse> {
  const { parts } = context;
  const ask = new LastingAsk();
  const target = parseTarget(request.target);
  if (target === undefined)
    throw new ServiceException("ValidationException", "the request target is not a path");
  const definition = request.method === "GET" ? context.urls.answer(target) : undefined;
  if (definition !== undefined) return definition;
  const foreign = parts.keys.length === 0 ? foreignPage(request) : undefined;
  if (foreign !== undefined) throw new ServiceException("AccessDeniedException", foreign);
  if (request.largerThanBytes !== undefined) refuseLarge(context, request, request.largerThanBytes);
  const caller = signedCaller(context.authenticator, request, target);
  seen.caller = caller;
  const asked = { request, target, caller, parts, ask };
  const service = answerAwsService(asked);
  if (service !== undefined) return service;
  const further = matchRoute(furtherRoutes, request.method, target.rawPath);
  if (further.kind === "route") {
    seen.operation = further.route.name;
    return jsonResponse(200, await further.route.answer(asked, further.labels));
  }
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
  const { raw } = decoded;
  const definitionUrl = (digest: string) => context.urls.urlOf(digest, originOf(request));
  const input = new Input(decoded.input);
  const plain = { caller, parts, input, raw, ask, definitionUrl, bodies: context.bodies };
  const handle = (create: OperationContext["create"]) => handlers[route.operation]({ ...plain, create });
  const place = {
    account: caller.account,
    operation: route.operation,
    requestId: input.textOr("requestId") ?? "",
  };
  const body = operation.idempotent
    ? await answerOnce(context, { place, request: identityOf(target.rawPath, decoded, request) }, handle)
    : await handle(onlyCreate);
  return jsonResponse(operation.success, operation.success === 204 ? undefined : body);
}

/** What makes a repeated request the same one: all of it. */
function identityOf(
  rawPath: string,
  { bodyText, isCut }: DecodedRequest,
  { body, bodySha256 }: HttpRequest,
): string {
  const text = `${rawPath}\n${bodyText}`;
  return isCut ? `${text}\n${bodySha256 ?? sha256(body)}` : text;
}

/** As the client reached us, a proxy in front included. */
function originOf({ headers }: HttpRequest): string {
  return `${headers["x-forwarded-proto"] === "https" ? "https" : "http"}://${headers["host"] ?? "localhost"}`;
}

/** For operations without a `requestId`. */
function onlyCreate<T>(write: () => void, answered: T): T {
  write();
  return answered;
}

/**
 * Clients repeat a request with the same `requestId` when an answer is lost: it is carried out once. Who repeats it
 * while it is being carried out waits for the same answer.
 */
async function answerOnce(
  { parts: { ledger }, underWay }: ServerContext,
  asked: {
    readonly place: { readonly account: string; readonly operation: string; readonly requestId: string };
    readonly request: string;
  },
  handle: (create: OperationContext["create"]) => Promise<unknown>,
): Promise<unknown> {
  const { place, request } = asked;
  const conflict = () =>
    new ServiceException(
      "ConflictException",
      `The requestId ${place.requestId} was used for a different request.`,
    );
  const known = ledger.recall(place, request);
  if (known.kind === "answered") return JSON.parse(known.answer);
  if (known.kind === "conflict") throw conflict();
  const key = `${place.account}\n${place.operation}\n${place.requestId}`;
  const first = underWay.get(key);
  if (first !== undefined) {
    if (first.request !== request) throw conflict();
    return first.answer;
  }
  const answered = handle((write, answer) =>
    ledger.transaction(() => {
      write();
      ledger.remember(place, request, JSON.stringify(answer));
      return answer;
    }),
  ).finally(() => underWay.delete(key));
  underWay.set(key, { request, answer: answered });
  return answered;
}

function refusal(error: unknown, parts: ServerParts): HttpResponse {
  const exception = asException(error, parts);
  return jsonResponse(
    exception.status,
    { message: exception.message },
    { "x-amzn-errortype": exception.name },
  );
}

/** What a client may know of a failure of the server: that there was one and, for locations it named, which. */
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
