/** Refusals of callers as problems: for the mounts whose errors have that shape. */
import type { Authenticator, Caller } from "./access.ts";
import { foreignOrigin, foreignPage } from "./foreign-pages.ts";
import { type HttpRequest, type HttpResponse, parseTarget, type Target } from "./message.ts";
import { problemResponse } from "./problem.ts";

export type Admitted =
  | { readonly kind: "admitted"; readonly caller: Caller; readonly target: Target }
  | Refused;

interface Refused {
  readonly kind: "refused";
  readonly response: HttpResponse;
}

/** What only our page sends: a page of another origin would need a permission that this server never gives. */
export const pageHeader = "x-memoir-page";

/** What changes something is an object or a file: pages of other origins can send neither without asking first. */
const needsPreflight = /^(application\/json|text\/csv)\b/i;

/** Checks everything but the caller. */
export function admitPage(
  request: HttpRequest,
  authenticator: Pick<Authenticator, "checksCallers">,
): { readonly kind: "admitted"; readonly target: Target } | Refused {
  const target = parseTarget(request.target);
  if (target === undefined) return refused(400, "REQUEST_INVALID", "the request target is not a path");
  const foreign = authenticator.checksCallers ? foreignOrigin(request) : foreignPage(request);
  if (foreign !== undefined) return refused(403, "REQUEST_FOREIGN", foreign);
  const { headers } = request;
  const changes = isChange(request);
  if (changes && headers["sec-fetch-site"] === "cross-site")
    return refused(403, "REQUEST_FOREIGN", "Web pages of other origins may not use this server.");
  if (changes && !needsPreflight.test(headers["content-type"] ?? ""))
    return refused(
      400,
      "REQUEST_INVALID",
      "requests that change something need `content-type: application/json`",
    );
  return { kind: "admitted", target };
}

/**
 * Checks the page that sent the request and who asks. What changes something must be sent as JSON, which a page of
 * another origin cannot do without a preflight request.
 */
export function admit(request: HttpRequest, authenticator: Authenticator): Admitted {
  const page = admitPage(request, authenticator);
  if (page.kind === "refused") return page;
  const { target } = page;
  const { headers } = request;
  const asking = authenticator.callerOf(request, target);
  if (
    request.largerThanBytes !== undefined &&
    (asking.kind === "known" || authenticator.namesKey(headers["authorization"]))
  )
    return refused(
      413,
      "REQUEST_TOO_LARGE",
      `the body exceeds the limit of ${request.largerThanBytes} bytes`,
    );
  switch (asking.kind) {
    case "known":
      // Other local ports are the same site to a browser, which then sends the cookie.
      if (asking.by === "session" && /^(cross|same)-site$/.test(headers["sec-fetch-site"] ?? ""))
        return refused(403, "REQUEST_FOREIGN", "Web pages of other origins may not use this server.");
      if (asking.by === "session" && isChange(request) && headers[pageHeader] === undefined)
        return refused(403, "REQUEST_FOREIGN", `changes in a session need the header ${pageHeader}`);
      return { kind: "admitted", caller: asking.caller, target };
    case "missing":
      return refused(401, "CALLER_UNKNOWN", "sign the request with an access key, or send a token", {
        "www-authenticate": "Bearer",
      });
    case "unknown-key":
      return refused(401, "CALLER_UNKNOWN", "the access key or the token is not known", {
        "www-authenticate": "Bearer",
      });
    case "skewed":
      return refused(401, "CALLER_UNKNOWN", "the clocks of client and server differ by more than 5 minutes");
    case "invalid":
      return refused(401, "CALLER_UNKNOWN", `the signature could not be verified: ${asking.reason}`);
  }
}

function isChange({ method }: HttpRequest): boolean {
  return method !== "GET" && method !== "HEAD";
}

function refused(status: number, code: string, detail: string, headers = {}): Refused {
  return { kind: "refused", response: problemResponse({ status, code, detail }, headers) };
}
