/**
 * Without access keys everybody on this machine may use the server, but not the web pages that a browser on it shows:
 * requests that a foreign page sends, directly or by pointing its own name at this machine, are refused.
 */
import type { HttpRequest } from "./message.ts";

/** undefined = no foreign page sent it, according to its headers; otherwise why it is refused. */
export function foreignPage(request: Pick<HttpRequest, "headers" | "target">): string | undefined {
  const host = request.headers["host"] ?? "";
  const other = foreignOrigin(request);
  if (other !== undefined) return other;
  // Clients behind a proxy send absolute-form targets with another host; browsers never do.
  if (request.target.startsWith("/") && !isLocalName(host))
    return `The host ${host.slice(0, 200)} is not a name for this machine; start the server with access keys to serve it.`;
  return undefined;
}

/** Only the part about origins, which holds under any host name. */
export function foreignOrigin({ headers }: Pick<HttpRequest, "headers">): string | undefined {
  const host = headers["host"] ?? "";
  const origin = headers["origin"];
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return "Web pages of other origins may not use this server.";
  return undefined;
}

/** Browsers say where a request comes from; programs do not. */
export function isBrowser({ headers }: Pick<HttpRequest, "headers">): boolean {
  return headers["origin"] !== undefined || headers["sec-fetch-site"] !== undefined;
}

/** `workflows-127.0.0.1:8080` is how clients call 127.0.0.1. Names with dots may belong to anybody. */
function isLocalName(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^(workflows|tags)-/, "");
  return (
    name === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(name) ||
    /^[a-z0-9_-]+$/i.test(name) ||
    /\.(localhost|local|internal|test|example)$/i.test(name)
  );
}
