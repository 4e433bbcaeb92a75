import { createHash, createHmac } from "node:crypto";
import { expect, it } from "vitest";
import { checkSignature } from "./sigv4.ts";

const now = new Date("2026-01-02T03:04:05Z");
const stamp = "20260102T030405Z";
const scope = "20260102/us-east-1/omics/aws4_request";

/** As the documents say it, with Node's own HMAC. */
function authorization(secret: string, canonical: string): string {
  const digest = createHash("sha256").update(canonical).digest("hex");
  const keyed = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const key = scope.split("/").reduce<Buffer>(keyed, Buffer.from(`AWS4${secret}`));
  const signature = keyed(key, ["AWS4-HMAC-SHA256", stamp, scope, digest].join("\n")).toString("hex");
  return `AWS4-HMAC-SHA256 Credential=AKID/${scope}, SignedHeaders=host;x-amz-date;x-odd, Signature=${signature}`;
}

const emptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

it.each([1, 40, 59, 60, 61, 64, 65, 300])("a secret of %d characters signs and verifies", (length) => {
  const secretAccessKey = "sä/+".repeat(length).slice(0, length);
  const headers = { host: "h:1", "x-amz-date": stamp, "x-odd": "  a   b  c " };
  const canonical = [
    ...["GET", "/tags/arn%253Aaws%253Ax", "a=1&b=%20", "host:h:1", `x-amz-date:${stamp}`, "x-odd:a b c", ""],
    ...["host;x-amz-date;x-odd", emptyBody],
  ].join("\n");
  const signed = { ...headers, authorization: authorization(secretAccessKey, canonical) };
  const request = {
    ...{ method: "GET", rawPath: "/tags/arn%3Aaws%3Ax", rawQuery: "b=%20&a=1", body: new Uint8Array() },
    headers: signed,
  };
  const rules = {
    keyOf: () => ({ accessKeyId: "AKID", secretAccessKey }),
    ...{ now, services: ["omics"], signingKeys: new Map<string, Buffer>() },
  };
  // The second time with the signing key that the first one left.
  for (let round = 0; round < 2; round++) expect(checkSignature(request, rules).kind).toBe("valid");
  expect(checkSignature({ ...request, rawQuery: "b=%20&a=2" }, rules).kind).toBe("invalid");
  const other = { accessKeyId: "AKID", secretAccessKey: `${secretAccessKey}x` };
  expect(checkSignature(request, { ...rules, keyOf: () => other, signingKeys: new Map() }).kind).toBe(
    "invalid",
  );
});
