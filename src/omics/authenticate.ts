/** Who is asking, in the exceptions of the service. */
import {
  type AccessRules,
  type Authenticator,
  type Caller,
  createAuthenticator,
  type HttpRequest,
  type Target,
} from "../http/index.ts";
import { ServiceException } from "../protocol/index.ts";

/** Signing names of the API and of the other AWS services. */
const services = ["omics", "logs", "sts", "pricing"] as const;

/** AWS clients sign; tokens are for what is not AWS's. */
export function omicsAuthenticator(rules: Omit<AccessRules, "services" | "tokens">): Authenticator {
  return createAuthenticator({ ...rules, services, tokens: "refused" });
}

/** Throws the exception for who did not sign. */
export function signedCaller(authenticator: Authenticator, request: HttpRequest, target: Target): Caller {
  const asking = authenticator.callerOf(request, target);
  switch (asking.kind) {
    case "known":
      return asking.caller;
    case "missing":
      throw new ServiceException("MissingAuthenticationTokenException", "Missing Authentication Token");
    case "unknown-key":
      throw new ServiceException(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
      );
    case "skewed":
      throw new ServiceException(
        "InvalidSignatureException",
        "Signature expired or not yet current: the clocks of client and server differ by more than 5 minutes",
      );
    case "invalid":
      throw new ServiceException(
        "InvalidSignatureException",
        `The request signature could not be verified: ${asking.reason}`,
      );
  }
}
