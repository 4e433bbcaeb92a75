/** Signing in and out of the web page. A session is a cookie; what it may see is what its account's key may see. */
import {
  type AccessRules,
  type Authenticator,
  type Caller,
  callerOf,
  type HttpRequest,
  type HttpResponse,
  isEqual,
  jsonResponse,
  problemResponse,
  RequestProblem,
  type Sessions,
  type Target,
} from "../http/index.ts";
import { defined } from "../kernel/index.ts";
import { checkBody } from "./body.ts";
import { prefix, type V1Request, type V1Route } from "./route.ts";

export interface SessionAsked extends Pick<AccessRules, "keys" | "region" | "sessions"> {
  readonly request: HttpRequest;
  readonly authenticator: Authenticator;
  readonly target: Target;
}

const never = async () => {
  throw new RequestProblem({ status: 500, code: "BUG", detail: "answered before the table of routes" });
};

export const sessionRoutes: readonly V1Route[] = [
  {
    ...{ name: "getSession", method: "GET", path: `${prefix}/session`, schema: "Session", for: "anybody" },
    ...{ summary: "Whether somebody is signed in, and how that is done here", query: {}, answer: never },
  },
  {
    ...{ name: "signIn", method: "POST", path: `${prefix}/session`, schema: "Session", for: "anybody" },
    summary: "Begins a session with an access key; five wrong tries a minute are answered",
    query: {},
    body: {
      accessKeyId: { kind: "text", about: "of an entry of the access-keys file" },
      secretAccessKey: { kind: "text", about: "its secret" },
    },
    answer: never,
  },
  {
    ...{ name: "signOut", method: "POST", path: `${prefix}/session/end`, schema: "Session", for: "anybody" },
    ...{ summary: "Ends the session", query: {}, answer: never },
  },
];

/** Sessions of the account that asks; administrators see and end those of all accounts. */
export function openSessionRoutes(sessions: Sessions<Caller> | undefined): readonly V1Route[] {
  const visible = ({ caller, headers }: Pick<V1Request, "caller" | "headers">) =>
    (sessions?.open(headers) ?? []).filter(({ who }) => caller.isOperator || who.account === caller.account);
  const listed = async (request: V1Request) => ({
    sessions: visible(request).map(({ id, who, begunAt, usedAt, endsAt, from, isCurrent }) => ({
      ...{ id, account: who.account, begunAt: begunAt.toISOString() },
      ...{ usedAt: usedAt.toISOString(), endsAt: endsAt.toISOString() },
      ...defined({ from }),
      current: isCurrent,
    })),
  });
  return [
    {
      ...{ name: "listSessions", method: "GET", path: `${prefix}/sessions`, schema: "SessionList" },
      ...{ for: "everybody", query: {} },
      summary: "Who is signed in to the page; accounts see their own sessions",
      answer: listed,
    },
    {
      ...{ name: "endSessions", method: "POST", path: `${prefix}/sessions/end`, schema: "SessionList" },
      ...{ for: "everybody", query: {} },
      summary: "Ends a session, or all but the one that asks",
      body: { id: { kind: "text", about: "of the list; default: all but your own", isOptional: true } },
      answer: async (request) => {
        const id = request.body.text("id");
        for (const session of visible(request))
          if (id === undefined ? !session.isCurrent : session.id === id) sessions?.endOne(session.id);
        return listed(request);
      },
    },
  ];
}

export function answerSession(route: V1Route, asked: SessionAsked): HttpResponse {
  switch (route.name) {
    case "signIn":
      return signIn(asked);
    case "signOut":
      return signOut(asked);
    default:
      return jsonResponse(200, shown(asked, whoAsks(asked)), uncached);
  }
}

const uncached = { "cache-control": "no-store" };

function whoAsks({ authenticator, request, target }: SessionAsked): Caller | undefined {
  const asking = authenticator.callerOf(request, target);
  return asking.kind === "known" ? asking.caller : undefined;
}

function shown({ keys }: SessionAsked, caller: Caller | undefined): object {
  const authentication = keys.length === 0 ? "none" : "access-keys";
  return caller === undefined
    ? { authentication, signedIn: false }
    : { authentication, signedIn: true, account: caller.account, operator: caller.isOperator };
}

function signIn(asked: SessionAsked): HttpResponse {
  const { request, keys, region, sessions } = asked;
  if (sessions === undefined || keys.length === 0)
    throw new RequestProblem({
      ...{ status: 400, code: "REQUEST_INVALID" },
      detail: "this server has no access keys; `memoir ui` prints a link that signs in",
    });
  const body = checkBody(sessionRoutes.find(({ name }) => name === "signIn")?.body, request.body);
  const address = request.from ?? "";
  const seconds = sessions.waitSeconds(address);
  if (seconds > 0)
    return problemResponse(
      { status: 429, code: "TOO_MANY_TRIES", detail: `too many wrong tries; try again in ${seconds} s` },
      { "retry-after": String(seconds) },
    );
  const key = keys.find(({ accessKeyId }) => accessKeyId === body.text("accessKeyId"));
  // Compared with something in any case, so that the time reveals no known ids.
  const isRight = isEqual(body.text("secretAccessKey") ?? "", key?.secretAccessKey ?? "");
  if (key === undefined || !isRight) {
    sessions.noteWrongTry(address);
    throw new RequestProblem({
      ...{ status: 401, code: "CALLER_UNKNOWN", detail: "the access key or its secret is not right" },
    });
  }
  const caller = callerOf(key, region);
  const cookie = sessions.begin(caller, request.headers, request.from);
  return jsonResponse(200, shown(asked, caller), { ...uncached, "set-cookie": cookie });
}

function signOut(asked: SessionAsked): HttpResponse {
  const { request, sessions } = asked;
  if (request.headers["x-memoir-page"] === undefined)
    throw new RequestProblem({
      ...{ status: 403, code: "REQUEST_FOREIGN", detail: "signing out needs the header x-memoir-page" },
    });
  const cookie = sessions?.end(request.headers);
  const headers = cookie === undefined ? uncached : { ...uncached, "set-cookie": cookie };
  return jsonResponse(200, shown(asked, undefined), headers);
}
