/** Who is asking: Signature Version 4 against the configured access keys. */
import type { AccessKeyFact } from "../app/index.ts";
import {
  accessKeyIdOf,
  checkSignature,
  ServiceException,
  type SignatureCheck,
  type SignedRequest,
} from "../protocol/index.ts";
import type { ServerParts } from "./parts.ts";

export interface Caller {
  readonly account: string;
  readonly accessKeyId: string;
  /** Of the credential scope. */
  readonly region: string;
}

/** Signing names of the API and of the other AWS services. */
const services = ["omics", "logs", "sts", "pricing"] as const;

export interface Authenticator {
  /** Answers who signed a request; throws the exception for who did not. */
  callerOf(request: SignedRequest): Caller;
  /** Whether the request names a key that is known; its signature needs the body. */
  namesKey(authorization: string | undefined): boolean;
}

export function createAuthenticator(
  parts: Pick<ServerParts, "keys" | "openAccount" | "region" | "now">,
): Authenticator {
  const keys = new Map<string, AccessKeyFact>(parts.keys.map((key) => [key.accessKeyId, key]));
  const signingKeys = new Map<string, Buffer>();
  const keyOf = (accessKeyId: string) => keys.get(accessKeyId);
  return {
    callerOf: (request) => {
      if (keys.size === 0)
        return { account: parts.openAccount, accessKeyId: "anonymous", region: parts.region };
      return callerOf(checkSignature(request, { keyOf, now: parts.now(), services, signingKeys }), keyOf);
    },
    namesKey: (authorization) => keys.size === 0 || keys.has(accessKeyIdOf(authorization) ?? ""),
  };
}

function callerOf(check: SignatureCheck, keyOf: (accessKeyId: string) => AccessKeyFact | undefined): Caller {
  switch (check.kind) {
    case "valid": {
      const key = keyOf(check.accessKeyId);
      if (key === undefined)
        throw new ServiceException("UnrecognizedClientException", "the access key is not known");
      return { account: key.account, accessKeyId: key.accessKeyId, region: check.region };
    }
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
        `The request signature could not be verified: ${check.reason}`,
      );
  }
}
