/**
 * Links to objects of the bucket and forms for uploads, which work for a while without credentials: Signature Version 4 in
 * the query or the form.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
 */
import { createHmac } from "node:crypto";
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
export function linkTo(request: LinkRequest, env: Environment): string {
  const { bucket, key, region, endpoint, forSeconds, now } = request;
  const { id, secret, token } = credentialsOf(env);
  const base = endpoint ?? `https://${bucket}.s3.${region}.amazonaws.com`;
  const url = new URL(base);
  const path = `${endpoint === undefined ? "" : `/${bucket}`}/${key.split("/").map(percentEncoded).join("/")}`;
  const { time, scope } = signingTime(now, region);
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

export interface FormRequest extends LinkRequest {
  readonly sizeBytes: number;
}

/** For just this object of just this size. Its fields are sent before the part called `file`. */
export function formTo(
  request: FormRequest,
  env: Environment,
): { readonly url: string; readonly fields: Readonly<Record<string, string>> } {
  const { bucket, key, region, endpoint, forSeconds, now, sizeBytes } = request;
  const { id, secret, token } = credentialsOf(env);
  const { time, scope } = signingTime(now, region);
  const signed = {
    key,
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${id}/${scopeText(scope)}`,
    "x-amz-date": time,
    ...(token === undefined ? {} : { "x-amz-security-token": token }),
  };
  const policy = JSON.stringify({
    expiration: new Date(now.getTime() + forSeconds * 1000).toISOString(),
    conditions: [
      { bucket },
      ...Object.entries(signed).map(([name, value]) => ({ [name]: value })),
      ["content-length-range", sizeBytes, sizeBytes],
    ],
  });
  const encoded = Buffer.from(policy).toString("base64");
  const signature = createHmac("sha256", signingKey(secret, scope)).update(encoded).digest("hex");
  const url =
    endpoint === undefined ? `https://${bucket}.s3.${region}.amazonaws.com/` : `${endpoint}/${bucket}`;
  return { url, fields: { ...signed, policy: encoded, "x-amz-signature": signature } };
}

type Environment = Readonly<Record<string, string | undefined>>;

function credentialsOf(env: Environment) {
  const [id, secret] = [env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]];
  if (id === undefined || secret === undefined) throw new Error("there are no credentials to sign with");
  return { id, secret, token: env["AWS_SESSION_TOKEN"] };
}

function signingTime(now: Date, region: string) {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  return { time, scope: { day: time.slice(0, 8), region, service: "s3" } };
}
