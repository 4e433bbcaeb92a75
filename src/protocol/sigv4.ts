/**
 * Signature Version 4 of AWS, verifying side. The path is taken as received and encoded a second time (the rule for
 * every service but S3); the payload hash is computed here, whatever the header says.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { hash, timingSafeEqual } from "node:crypto";
import { byCodeUnit, percentEncoded, requestSignature, scopeText, signingKey } from "../hash/index.ts";

export interface SignedRequest {
  readonly method: string;
  /** Percent-encoded, as received, without query. */
  readonly rawPath: string;
  /** Without `?`. */
  readonly rawQuery: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** Of the body, in hexadecimal digits, where it is known already. */
  readonly bodySha256?: string;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Required on the request when set. */
  readonly sessionToken?: string;
}

export type SignatureCheck =
  | {
      readonly kind: "valid";
      readonly accessKeyId: string;
      readonly region: string;
      readonly service: string;
    }
  | { readonly kind: "missing" }
  | { readonly kind: "unknown-key" }
  | { readonly kind: "skewed" }
  | { readonly kind: "invalid"; readonly reason: string };

const hashOfNothing = hash("sha256", "");

export const maxSkewMs = 5 * 60 * 1000;

export interface SignatureRules {
  keyOf(accessKeyId: string): AccessKey | undefined;
  readonly now: Date;
  /** Signing keys of scopes that were valid before: four of the five digests of a check. */
  readonly signingKeys?: Map<string, Buffer>;
  /** Signing names that are accepted: `omics`, and those of its other services, `logs` and `sts`. */
  readonly services: readonly string[];
}

/** Whose key a request names, before its body is there to be checked. */
export function accessKeyIdOf(authorization: string | undefined): string | undefined {
  return headerPattern.exec(authorization ?? "")?.[1];
}

const headerPattern =
  /^AWS4-HMAC-SHA256 +Credential=([^/,\s]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, *SignedHeaders=([a-z0-9;-]+), *Signature=([0-9a-f]{64})$/;

export function checkSignature(request: SignedRequest, rules: SignatureRules): SignatureCheck {
  const header = request.headers["authorization"];
  if (header === undefined) return { kind: "missing" };
  const parts = headerPattern.exec(header);
  if (parts === null)
    return { kind: "invalid", reason: "the Authorization header is not of Signature Version 4" };
  const [, accessKeyId = "", day = "", region = "", service = "", signedList = "", signature = ""] = parts;
  if (!rules.services.includes(service))
    return { kind: "invalid", reason: `credential scoped to service ${service}` };
  const key = rules.keyOf(accessKeyId);
  if (key === undefined) return { kind: "unknown-key" };
  const amzDate = request.headers["x-amz-date"] ?? "";
  const signedAt = parseAmzDate(amzDate);
  if (signedAt === undefined || !amzDate.startsWith(day))
    return { kind: "invalid", reason: "x-amz-date and credential scope disagree" };
  if (Math.abs(rules.now.getTime() - signedAt) > maxSkewMs) return { kind: "skewed" };
  const signedHeaders = signedList.split(";");
  // Each name adds its header's value to what is hashed.
  if (new Set(signedHeaders).size !== signedHeaders.length)
    return { kind: "invalid", reason: "a header is signed twice" };
  // A signature over less than these could be moved to another host or another moment.
  if (!signedHeaders.includes("host")) return { kind: "invalid", reason: "host is not signed" };
  if (!signedHeaders.includes("x-amz-date")) return { kind: "invalid", reason: "x-amz-date is not signed" };
  if (
    key.sessionToken !== undefined &&
    !sameText(request.headers["x-amz-security-token"] ?? "", key.sessionToken)
  )
    return { kind: "invalid", reason: "the session token is missing or wrong" };
  const payloadHash =
    request.bodySha256 ?? (request.body.length === 0 ? hashOfNothing : hash("sha256", request.body));
  const claimed = request.headers["x-amz-content-sha256"];
  if (claimed !== undefined && claimed !== payloadHash)
    return { kind: "invalid", reason: "the body is not the signed one" };
  const scope = { day, region, service };
  const known = `${accessKeyId}/${scopeText(scope)}`;
  const signing = rules.signingKeys?.get(known) ?? signingKey(key.secretAccessKey, scope);
  const expected = requestSignature(
    {
      method: request.method,
      path: canonicalPath(request.rawPath),
      query: canonicalQuery(request.rawQuery),
      headers: signedHeaders.map((name) => [name, canonicalValue(request.headers[name] ?? "")]),
      payloadHash,
    },
    { key: signing, scope, time: amzDate },
  );
  if (!sameText(expected, signature)) return { kind: "invalid", reason: "the signature does not match" };
  remember(rules.signingKeys, known, signing);
  return { kind: "valid", accessKeyId, region, service };
}

/** Scopes change with the day; clients choose the region. */
const mostSigningKeys = 256;

function remember(keys: Map<string, Buffer> | undefined, name: string, signing: Buffer): void {
  if (keys === undefined || keys.has(name)) return;
  if (keys.size >= mostSigningKeys) keys.clear();
  keys.set(name, signing);
}

function canonicalValue(value: string): string {
  const trimmed = value.trim();
  return trimmed.includes("  ") ? trimmed.replace(/ +/g, " ") : trimmed;
}

function canonicalPath(rawPath: string): string {
  // Nothing to encode in most of them.
  if (/^[A-Za-z0-9/_.~-]+$/.test(rawPath)) return rawPath;
  return rawPath.split("/").map(percentEncoded).join("/") || "/";
}

function canonicalQuery(rawQuery: string): string {
  if (rawQuery === "") return "";
  return rawQuery
    .split("&")
    .map((pair) => {
      const at = pair.indexOf("=");
      const [name, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
      return [percentEncoded(decode(name)), percentEncoded(decode(value))] as const;
    })
    .sort(([a, x], [b, y]) => byCodeUnit(a, b) || byCodeUnit(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parseAmzDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function sameText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
