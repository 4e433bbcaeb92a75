/** Who is asking: Signature Version 4 against the configured access keys. */
import { createHash, timingSafeEqual } from "node:crypto";
import { checkSignature, ServiceException, type SignedRequest } from "../protocol/index.ts";
import type { ConfiguredKey, ServerParts } from "./parts.ts";

export interface Caller {
  readonly account: string;
  readonly accessKeyId: string;
  /** Of the credential scope. */
  readonly region: string;
}

/** Signing names of the API and of its neighbours. */
const services = ["omics", "logs", "sts"] as const;

export function authenticate(
  request: SignedRequest,
  parts: Pick<ServerParts, "keys" | "openAccount" | "region" | "now">,
): Caller {
  if (parts.keys.length === 0)
    return { account: parts.openAccount, accessKeyId: "anonymous", region: parts.region };
  const check = checkSignature(request, {
    keyOf: (accessKeyId) => findKey(parts.keys, accessKeyId),
    now: parts.now(),
    services,
  });
  switch (check.kind) {
    case "valid": {
      const key = findKey(parts.keys, check.accessKeyId);
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

/** Compares in constant time, so that key ids cannot be guessed by the clock. */
function findKey(keys: readonly ConfiguredKey[], accessKeyId: string): ConfiguredKey | undefined {
  const wanted = digest(accessKeyId);
  let found: ConfiguredKey | undefined;
  for (const key of keys) if (timingSafeEqual(digest(key.accessKeyId), wanted)) found = key;
  return found;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
