/** Signature Version 4, signing side, made for tests: independent of the server's own checks. */
import { createHash, createHmac } from "node:crypto";
import type { TestKey } from "./harness.ts";

export interface Unsigned {
  readonly method: string;
  readonly host: string;
  /** Percent-encoded, without query. */
  readonly path: string;
  /** Sorted and encoded. */
  readonly query?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SignRules {
  readonly key: TestKey;
  readonly service?: string;
  readonly region?: string;
  readonly now?: Date;
  /** Names that are left out of the signed ones. */
  readonly unsigned?: readonly string[];
}

/** Headers of the signed request, `host` and `authorization` among them. */
export function signedHeaders(request: Unsigned, rules: SignRules): Readonly<Record<string, string>> {
  const { key, service = "omics", now = new Date() } = rules;
  const stamp = `${now.toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
  const day = stamp.slice(0, 8);
  const headers: Record<string, string> = {
    host: request.host,
    "x-amz-date": stamp,
    ...(key.sessionToken === undefined ? {} : { "x-amz-security-token": key.sessionToken }),
    ...request.headers,
  };
  const names = Object.keys(headers)
    .filter((name) => !rules.unsigned?.includes(name))
    .sort();
  const canonical = [
    request.method,
    request.path.split("/").map(encodeURIComponent).join("/"),
    request.query ?? "",
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    sha256(request.body ?? ""),
  ].join("\n");
  const scope = `${day}/${rules.region ?? "us-east-1"}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", stamp, scope, sha256(canonical)].join("\n");
  const signing = scope
    .split("/")
    .reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${key.secretAccessKey}`));
  const signature = hmac(signing, toSign).toString("hex");
  const credential = `${key.accessKeyId}/${scope}`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
