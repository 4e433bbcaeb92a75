/**
 * Links to objects of the bucket that work for a while without credentials: Signature Version 4 in the query.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
import { percentEncoded, requestSignature, scopeText, signingKey } from "../../src/hash/index.ts";

export interface LinkRequest {
  readonly bucket: string;
  readonly key: string;
  readonly region: string;
  /** A server that is not AWS. */
  readonly endpoint: string | undefined;
  readonly forSeconds: number;
  readonly now: Date;
}

/** The credentials that Lambda gives a function. They end before the link where their session does. */
export function linkTo(request: LinkRequest, env: Readonly<Record<string, string | undefined>>): string {
  const { bucket, key, region, endpoint, forSeconds, now } = request;
  const [id, secret] = [env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]];
  if (id === undefined || secret === undefined) throw new Error("there are no credentials to sign with");
  const base = endpoint ?? `https://${bucket}.s3.${region}.amazonaws.com`;
  const url = new URL(base);
  const path = `${endpoint === undefined ? "" : `/${bucket}`}/${key.split("/").map(percentEncoded).join("/")}`;
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = { day: time.slice(0, 8), region, service: "s3" };
  const token = env["AWS_SESSION_TOKEN"];
  const query = [
    ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
    ["X-Amz-Credential", `${id}/${scopeText(scope)}`],
    ["X-Amz-Date", time],
    ["X-Amz-Expires", String(forSeconds)],
    ...(token === undefined ? [] : [["X-Amz-Security-Token", token]]),
    ["X-Amz-SignedHeaders", "host"],
  ]
    .map((pair) => pair.map(percentEncoded).join("="))
    .join("&");
  const signature = requestSignature(
    { method: "GET", path, query, headers: [["host", url.host]], payloadHash: "UNSIGNED-PAYLOAD" },
    { key: signingKey(secret, scope), scope, time },
  );
  return `${url.origin}${path}?${query}&X-Amz-Signature=${signature}`;
}
