import { expect, it } from "vitest";
import { percentEncoded, requestSignature, signingKey } from "./aws-signature.ts";

// The example of "Signature calculations for the Authorization header" in the reference of Amazon S3: GET Object.
const scope = { day: "20130524", region: "us-east-1", service: "s3" } as const;
const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

it("signs the example of Amazon's reference", () => {
  const key = signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", scope);
  const parts = {
    method: "GET",
    path: "/test.txt",
    query: "",
    headers: [
      ["host", "examplebucket.s3.amazonaws.com"],
      ["range", "bytes=0-9"],
      ["x-amz-content-sha256", nothing],
      ["x-amz-date", "20130524T000000Z"],
    ],
    payloadHash: nothing,
  } as const;
  expect(requestSignature(parts, { key, scope, time: "20130524T000000Z" })).toBe(
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
});

it("encodes everything but the unreserved characters", () => {
  expect(percentEncoded("a-b_c.d~e/f g!'()*é")).toBe("a-b_c.d~e%2Ff%20g%21%27%28%29%2A%C3%A9");
});
