/**
 * Signature Version 4 of AWS: what the server checks and what ranged reads sign.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { hash } from "node:crypto";

export interface SigningScope {
  /** `20260131` */
  readonly day: string;
  readonly region: string;
  readonly service: string;
}

export interface CanonicalParts {
  readonly method: string;
  /** Encoded as the service wants it. */
  readonly path: string;
  /** Sorted and encoded. */
  readonly query: string;
  /** Lower-case names with trimmed values, sorted by name. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly payloadHash: string;
}

export function signingKey(secretAccessKey: string, { day, region, service }: SigningScope): Buffer {
  const dayKey = hmac(Buffer.from(`AWS4${secretAccessKey}`), day);
  return hmac(hmac(hmac(dayKey, region), service), "aws4_request");
}

/** `20260131/eu-central-1/s3/aws4_request` */
export function scopeText({ day, region, service }: SigningScope): string {
  return `${day}/${region}/${service}/aws4_request`;
}

/** Hexadecimal digits. `time` is what `x-amz-date` says. */
export function requestSignature(
  parts: CanonicalParts,
  by: { readonly key: Buffer; readonly scope: SigningScope; readonly time: string },
): string {
  const canonical = [
    parts.method,
    parts.path,
    parts.query,
    ...parts.headers.map(([name, value]) => `${name}:${value}`),
    "",
    parts.headers.map(([name]) => name).join(";"),
    parts.payloadHash,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", by.time, scopeText(by.scope), hash("sha256", canonical)].join("\n");
  return hmac(by.key, text).toString("hex");
}

/** The value of the `authorization` header that a signed request has. */
export function signedAuthorization(
  parts: CanonicalParts,
  by: {
    readonly accessKeyId: string;
    readonly key: Buffer;
    readonly scope: SigningScope;
    readonly time: string;
  },
): string {
  const names = parts.headers.map(([name]) => name).join(";");
  return `AWS4-HMAC-SHA256 Credential=${by.accessKeyId}/${scopeText(by.scope)}, SignedHeaders=${names}, Signature=${requestSignature(parts, by)}`;
}

/** Everything but letters, digits, `-`, `_`, `.` and `~`. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const blockBytes = 64;

/**
 * HMAC (RFC 2104) over two plain digests: Node's Hmac is an object outside the heap, which costs more to make and to
 * collect than the digests themselves, and every request needs one.
 */
function hmac(key: Buffer, text: string): Buffer {
  const short = key.length > blockBytes ? hash("sha256", key, "buffer") : key;
  const message = Buffer.from(text);
  const inner = Buffer.alloc(blockBytes + message.length, 0x36);
  const outer = Buffer.alloc(blockBytes + 32, 0x5c);
  for (let at = 0; at < short.length; at++) {
    inner[at] = (short[at] ?? 0) ^ 0x36;
    outer[at] = (short[at] ?? 0) ^ 0x5c;
  }
  message.copy(inner, blockBytes);
  hash("sha256", inner, "buffer").copy(outer, blockBytes);
  return hash("sha256", outer, "buffer");
}
