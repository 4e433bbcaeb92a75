/**
 * Without access keys everybody on this machine may use the server, and a web page in a browser of this machine is not
 * everybody: requests that a foreign page sends, directly or by pointing its own name at this machine, are refused.
 */
import { ServiceException } from "../protocol/index.ts";
import type { HttpRequest } from "./message.ts";

export function refuseForeignPages(request: HttpRequest): void {
  const host = request.headers["host"] ?? "";
  const origin = request.headers["origin"];
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    throw new ServiceException(
      "AccessDeniedException",
      "Web pages of other origins may not use this server.",
    );
  // Clients behind a proxy send absolute-form targets with a host of their own; browsers never do.
  if (request.target.startsWith("/") && !isLocalName(host))
    throw new ServiceException(
      "AccessDeniedException",
      `The host ${host.slice(0, 200)} is not a name of this machine; start the server with access keys to serve it.`,
    );
}

/** `workflows-127.0.0.1:8080` is how clients call 127.0.0.1. Names with dots may be anybody's. */
function isLocalName(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^(workflows|tags)-/, "");
  return (
    name === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(name) ||
    /^[a-z0-9_-]+$/i.test(name) ||
    /\.(localhost|local|internal|test|example)$/i.test(name)
  );
}
