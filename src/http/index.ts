/** http: messages, the port, the router, who is asking. Knows nothing of what is served. */
export {
  type AccessRules,
  type Authenticator,
  type Caller,
  callerOf,
  createAuthenticator,
  openCaller,
  type ServerKey,
} from "./access.ts";
export { type Admitted, admit, admitPage } from "./caller-problem.ts";
export { foreignOrigin, foreignPage } from "./foreign-pages.ts";
export { type Listening, type ListenOptions, listen } from "./listen.ts";
export {
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  jsonResponse,
  parseQuery,
  parseTarget,
  RawJson,
  type RequestHead,
  stringify,
  type Target,
} from "./message.ts";
export { type Problem, problemResponse } from "./problem.ts";
export { type MetricFamily, prometheusText, prometheusType } from "./prometheus.ts";
export { problemOf, RequestProblem } from "./request-problem.ts";
export { type Answered, createRouter, type Mount, type NumberedRequest, type RequestLine } from "./router.ts";
export { matchRoute, type Route } from "./routes.ts";
export { type HeldSession, isEqual, Sessions, ticketOf } from "./sessions.ts";
