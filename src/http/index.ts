/** http: messages, the port, and which web pages may ask. Knows nothing of what is served. */
export { refuseForeignPages } from "./foreign-pages.ts";
export { type Listening, type ListenOptions, listen } from "./listen.ts";
export {
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  jsonResponse,
  parseQuery,
  parseTarget,
  RawJson,
  stringify,
  type Target,
} from "./message.ts";
