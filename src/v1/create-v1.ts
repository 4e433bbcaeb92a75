/** `/api/v1`: runs, caches and predictions of this server, for its web page and other programs. Almost read-only. */
import type { Browse } from "../app/index.ts";
import {
  type AccessRules,
  type Answered,
  admit,
  admitPage,
  createAuthenticator,
  type HeldSession,
  type HttpResponse,
  type Mount,
  matchRoute,
  type NumberedRequest,
  type Problem,
  parseTarget,
  problemOf,
  problemResponse,
  RequestProblem,
} from "../http/index.ts";
import { type Ask, checkAsk, Semaphore, writeJson } from "../kernel/index.ts";
import { checkBody } from "./body.ts";
import { eventStream } from "./event-stream.ts";
import { openApi } from "./openapi.ts";
import { isUpload, mostUploadBytes } from "./prediction-job-routes.ts";
import { readQuery } from "./query.ts";
import { RawAnswer } from "./raw-answer.ts";
import { prefix, type Sent, type V1Request, type V1Route } from "./route.ts";
import { dataRoutes } from "./routes.ts";
import { answerSession, openSessionRoutes, type SessionAsked, sessionRoutes } from "./session.ts";

export interface V1Parts extends Omit<AccessRules, "services" | "tokens"> {
  readonly browse: Browse;
  readonly version: string;
  /** Called with unexpected errors. */
  readonly onBug?: (error: unknown) => void;
}

/** The whole table: the data, and their description. */
export function v1Routes(parts: Pick<V1Parts, "version" | "keys" | "sessions">): readonly V1Route[] {
  const routes: V1Route[] = [
    ...dataRoutes,
    ...sessionRoutes,
    ...openSessionRoutes(parts.sessions),
    {
      ...{ name: "getServer", method: "GET", path: `${prefix}/server`, schema: "ServerInfo" },
      ...{ for: "everybody", query: {} },
      summary: "What this server is and who is asking",
      answer: async ({ caller }) => ({
        version: parts.version,
        authentication: parts.keys.length === 0 ? "none" : "access-keys",
        account: caller.account,
        operator: caller.isOperator,
      }),
    },
    {
      ...{ name: "getOpenApi", method: "GET", path: `${prefix}/openapi.json`, schema: "OpenApi" },
      ...{ for: "everybody", query: {} },
      summary: "This description",
      answer: async () => openApi(routes, parts.version),
    },
  ];
  return routes;
}

/** Bodies name things: runs, entries. */
const mostBodyBytes = 64 * 1024;
/** Number of simultaneous walks through caches; the others wait for their turn. */
const heavyAtOnce = 4;
const mostStreams = 200;

export function createV1(parts: V1Parts): Mount {
  const authenticator = createAuthenticator({
    ...parts,
    services: ["omics", "execute-api"],
    tokens: "accepted",
  });
  const routes = v1Routes(parts);
  const heavy = new Semaphore(heavyAtOnce);
  let streams = 0;
  return {
    name: "v1",
    prefix,
    busy: problemResponse(busy),
    // Files only of those who show something that names them: everybody else gets a refusal.
    mostBodyBytes: ({ target, headers }) =>
      isUpload(target) &&
      (parts.keys.length === 0 ||
        authenticator.namesKey(headers["authorization"]) ||
        parts.sessions?.whoOf(headers) !== undefined)
        ? mostUploadBytes
        : mostBodyBytes,
    fetch: async (request, ask) => {
      const session = sessionOf(request);
      if (session !== undefined) return session;
      const admitted = admit(request, authenticator);
      if (admitted.kind === "refused") return { response: admitted.response };
      const { caller, target } = admitted;
      const found = matchRoute(routes, request.method, target.rawPath);
      const answered = (response: HttpResponse, operation?: string): Answered => ({
        response,
        operation,
        account: caller.account,
      });
      if (found.kind === "unknown")
        return answered(
          problemResponse({
            ...{ status: 404, code: "ROUTE_NOT_FOUND", detail: "there is nothing at this path" },
            hint: `${prefix}/openapi.json lists the routes.`,
          }),
        );
      if (found.kind === "other-method") {
        const allow = found.methods.join(", ");
        const detail = `this path answers ${allow} only`;
        return answered(problemResponse({ status: 405, code: "METHOD_NOT_ALLOWED", detail }, { allow }));
      }
      const { route, labels } = found;
      try {
        if (route.for === "operators" && !caller.isOperator) throw notOperator();
        const query = readQuery(route.query, target.rawQuery);
        const body = checkBody(route.body, request.body);
        const { headers } = request;
        const asked: V1Request = {
          browse: parts.browse,
          version: parts.version,
          caller,
          labels,
          query,
          body,
          headers,
          ask,
          bytes: request.body,
        };
        if (route.streams === true && wantsStream(request))
          return answered(await stream(route, request, asked), `${route.name}.stream`);
        const answer = () => {
          checkAsk(ask, "answering a request");
          return route.answer(asked);
        };
        const data = await (route.isHeavy === true ? heavy.use(answer) : answer());
        if (data instanceof RawAnswer) return answered(data.response, route.name);
        const said = { "content-type": "application/json", ...answerHeaders };
        return answered({ status: 200, headers: said, body: `${writeJson(data)}\n` }, route.name);
      } catch (error) {
        const problem = problemOf(error, caller.isOperator);
        if (problem.code === "BUG") parts.onBug?.(error);
        return answered(problemResponse(problem), route.name);
      }
    },
  };

  /** Signing in and out come before it is known who asks. undefined = another route. */
  function sessionOf(request: NumberedRequest): Answered | undefined {
    const path = parseTarget(request.target)?.rawPath;
    const route = sessionRoutes.find((each) => each.path === path && each.method === methodOf(request));
    if (route === undefined) return undefined;
    const page = admitPage(request, authenticator);
    if (page.kind === "refused") return { response: page.response, operation: route.name };
    const asked: SessionAsked = { ...parts, request, authenticator, target: page.target };
    try {
      return { response: answerSession(route, asked), operation: route.name };
    } catch (error) {
      const problem = problemOf(error, false);
      if (problem.code === "BUG") parts.onBug?.(error);
      return { response: problemResponse(problem), operation: route.name };
    }
  }

  async function stream(route: V1Route, request: NumberedRequest, from: V1Request): Promise<HttpResponse> {
    if (streams >= mostStreams) throw new RequestProblem(busy);
    // Who signs each request has no session, whatever the cookies say.
    const isSigned = request.headers["authorization"] !== undefined;
    const session = isSigned ? undefined : parts.sessions?.hold(request.headers);
    const asked = session === undefined ? from : { ...from, ask: either(from.ask, session.signal) };
    const after = request.headers["last-event-id"] ?? asked.query.text("cursor");
    const headers = { "content-type": "text/event-stream", ...answerHeaders };
    const run = asked.labels["run"];
    const events = route.stream?.(asked, after) ?? (await eventsOf(asked, run ?? "", after));
    // The client has seen all events: this status makes it stop reconnecting.
    if (events === "none-left") return { status: 204, headers: answerHeaders, body: "" };
    // An unknown run is a problem, and not a stream that breaks off.
    const first = route.stream === undefined ? undefined : await events.next();
    if (request.method === "HEAD") {
      await events.return(undefined);
      return { status: 200, headers, body: "" };
    }
    const counted = async function* () {
      streams++;
      try {
        const all = joined(first, events);
        yield* eventStream(session === undefined ? all : whileSignedIn(all, session));
      } finally {
        streams--;
      }
    };
    return { status: 200, headers, body: { chunks: counted() } };
  }
}

/** Cancelled with either. The listeners are removed when the request's Ask is cancelled, which happens to each. */
function either({ signal }: Ask, other: AbortSignal): Ask {
  const controller = new AbortController();
  for (const each of [signal, other]) {
    if (each.aborted) controller.abort(each.reason);
    const listening = { once: true, signal: controller.signal };
    each.addEventListener("abort", () => controller.abort(each.reason), listening);
  }
  return { signal: controller.signal };
}

/** Nothing is sent after the session: also where it expired, which is noticed when events are looked for. */
async function* whileSignedIn(
  events: AsyncIterable<Sent | undefined>,
  session: HeldSession,
): AsyncGenerator<Sent | "signed-out" | undefined> {
  try {
    for await (const sent of events) {
      if (session.isOver()) break;
      yield sent;
    }
  } catch (error) {
    // Following was cancelled with the session.
    if (!session.isOver()) throw error;
  }
  if (session.isOver()) yield "signed-out";
}

async function* joined(
  first: IteratorResult<Sent | undefined> | undefined,
  rest: AsyncGenerator<Sent | undefined>,
): AsyncGenerator<Sent | undefined> {
  if (first?.done === true) return;
  if (first !== undefined) yield first.value;
  yield* rest;
}

async function eventsOf(
  asked: V1Request,
  run: string,
  after: string | undefined,
): Promise<AsyncGenerator<Sent | undefined> | "none-left"> {
  const { hasEnded, events } = await asked.browse.follow(asked.caller, run, after, asked.ask);
  if (hasEnded && after !== undefined && (await isAtEnd(asked, run, after))) return "none-left";
  return (async function* () {
    for await (const followed of events)
      yield followed.kind === "idle"
        ? undefined
        : { id: followed.cursor, event: followed.event.kind, data: followed.event };
  })();
}

const answerHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

const busy: Problem = {
  ...{ status: 429, code: "SERVER_BUSY", detail: "too many requests; try again later" },
};

function methodOf({ method }: NumberedRequest): string {
  return method === "HEAD" ? "GET" : method;
}

function wantsStream({ headers }: NumberedRequest): boolean {
  return (headers["accept"] ?? "").includes("text/event-stream");
}

async function isAtEnd({ browse, caller }: V1Request, run: string, cursor: string): Promise<boolean> {
  const { events } = await browse.events(caller, run, { cursor, limit: 1 });
  return events.length === 0;
}

function notOperator(): RequestProblem {
  return new RequestProblem({
    ...{ status: 403, code: "CALLER_NOT_OPERATOR" },
    detail: "this belongs to the machine and not to an account",
    hint: 'Use an access key whose entry says "operator": true.',
  });
}
