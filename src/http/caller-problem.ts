/** Refusals of callers as problems: for the mounts whose errors have that shape. */
import type { Authenticator, Caller } from "./access.ts";
import { foreignOrigin, foreignPage } from "./foreign-pages.ts";
import { type HttpRequest, type HttpResponse, parseTarget, type Target } from "./message.ts";
import { problemResponse } from "./problem.ts";

export type Admitted =
  | { readonly kind: "admitted"; readonly caller: Caller; readonly target: Target }
  | { readonly kind: "refused"; readonly response: HttpResponse };

/**
 * Checks the page that sent the request and who asks. What changes something must be sent as JSON, which a page of
 * another origin cannot do without a preflight request.
 */
export function admit(request: HttpRequest, authenticator: Authenticator): Admitted {
  const refused = (status: number, code: string, detail: string, headers = {}): Admitted => ({
    kind: "refused",
    response: problemResponse({ status, code, detail }, headers),
  });
  const target = parseTarget(request.target);
  if (target === undefined) return refused(400, "REQUEST_INVALID", "the request target is not a path");
  const foreign = authenticator.checksCallers ? foreignOrigin(request) : foreignPage(request);
  if (foreign !== undefined) return refused(403, "REQUEST_FOREIGN", foreign);
  const { headers, method } = request;
  const changes = method !== "GET" && method !== "HEAD";
  if (changes && headers["sec-fetch-site"] === "cross-site")
    return refused(403, "REQUEST_FOREIGN", "Web pages of other origins may not use this server.");
  if (changes && !/^application\/json\b/i.test(headers["content-type"] ?? ""))
    return refused(
      400,
      "REQUEST_INVALID",
      "requests that change something need `content-type: application/json`",
    );
  if (request.largerThanBytes !== undefined && authenticator.namesKey(headers["authorization"]))
    return refused(
      413,
      "REQUEST_TOO_LARGE",
      `the body exceeds the limit of ${request.largerThanBytes} bytes`,
    );
  const asking = authenticator.callerOf(request, target);
  switch (asking.kind) {
    case "known":
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
