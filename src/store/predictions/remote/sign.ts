/** Signature Version 4 of AWS, signing side, for requests with a body and without a query. */
import { hash } from "node:crypto";
import { percentEncoded, signedAuthorization, signingKey } from "../../../hash/index.ts";
import { defined } from "../../../kernel/index.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface ToSign {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly region: string;
  readonly now: Date;
}

/** The headers to add. */
export function signatureHeaders(credentials: Credentials, request: ToSign): Record<string, string> {
  const { method, url, body, region, now } = request;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = { day: time.slice(0, 8), region, service: "execute-api" };
  const added: Record<string, string> = defined({ "x-amz-date": time, "x-amz-security-token": sessionToken });
  const headers = [["host", url.host] as const, ...Object.entries(added)];
  const authorization = signedAuthorization(
    {
      method,
      // Every service but S3 encodes the path a second time.
      path: url.pathname.split("/").map(percentEncoded).join("/"),
      query: url.search.slice(1),
      headers,
      payloadHash: hash("sha256", body),
    },
    { accessKeyId, key: signingKey(secretAccessKey, scope), scope, time },
  );
  return { ...added, authorization };
}
