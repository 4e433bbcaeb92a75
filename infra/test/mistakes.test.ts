/** The emulated stage refuses what AWS would refuse: one planted mistake at a time. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Template } from "aws-cdk-lib/assertions";
import { afterEach, expect, it } from "vitest";
import { signatureHeaders } from "../../src/store/predictions/remote/sign.ts";
import { type Cloud, startCloud } from "./cloud.ts";
import { type Synthesized, servedAlike, synthesize } from "./synthesized.ts";
import { trustProblems } from "./trust-rules.ts";

const credentials = { accessKeyId: "AKIDCALLER", secretAccessKey: "of the caller" };
const folder = mkdtempSync(join(tmpdir(), "memoir-mistakes-"));
writeFileSync(
  join(folder, "main.mjs"),
  `export const worker = async () => ({ batchItemFailures: [] });
export const front = async () => {
  if (process.env.MEMOIR_BUCKET === undefined) throw new Error("no bucket");
  const answer = await fetch(process.env.AWS_ENDPOINT_URL_S3 + "/bucket/predictions/x");
  return { statusCode: answer.status === 403 ? 403 : 200, headers: {}, body: "{}" };
};`,
);
let cloud: Cloud | undefined;
afterEach(async () => {
  await cloud?.close();
  cloud = undefined;
});
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const right = synthesize("dev", { code: folder });

/** The same templates with a text of the API's template replaced. */
function withMistake(from: RegExp, to: string): Synthesized {
  const text = JSON.stringify(right.api.toJSON());
  const wrong = text.replace(from, to);
  expect(wrong).not.toBe(text);
  return servedAlike(right, { ...right, api: Template.fromString(wrong) });
}

async function statusOf(synthesized: Synthesized, s3 = "http://127.0.0.1:1"): Promise<number> {
  await cloud?.close();
  cloud = await startCloud({
    synthesized,
    ...{ s3: { endpoint: s3, accessKeyId: "a", secretAccessKey: "b" }, bucket: "bucket" },
    ...{
      dynamodb: "http://127.0.0.1:1",
      table: "table",
      keys: [{ ...credentials, account: "111111111111" }],
    },
  });
  const url = new URL(`${cloud.address}/v1/models`);
  const request = { method: "GET", url, body: "", region: "us-east-1", now: new Date() };
  const headers = signatureHeaders(credentials, request);
  return (await fetch(url, { headers })).status;
}

it("a route with another path is not found", async () => {
  expect(await statusOf(withMistake(/GET \/v1\/models"/, 'GET /v1/model"'))).toBe(404);
});

it("a handler with another name fails", async () => {
  expect(await statusOf(withMistake(/main\.front/, "main.fornt"))).toBe(500);
});

it("a variable with another name fails", async () => {
  expect(await statusOf(withMistake(/MEMOIR_BUCKET/g, "MEMOIR_BUKET"))).toBe(500);
});

it("a grant of another action is refused", async () => {
  expect(await statusOf(withMistake(/s3:GetObject"/g, 's3:GetObjectTagging"'))).toBe(403);
});

it("a list condition that a request without a prefix does not fulfil is refused: nobody learns what is missing", async () => {
  const missing = createServer((_, response) => void response.writeHead(404).end());
  await new Promise<void>((done) => missing.listen(0, "127.0.0.1", done));
  const s3 = `http://127.0.0.1:${(missing.address() as AddressInfo).port}`;
  try {
    // The handler answers otherwise to a refusal than to a missing object.
    expect(await statusOf(right, s3)).toBe(200);
    expect(await statusOf(withMistake(/StringLikeIfExists/g, "StringLike"), s3)).toBe(403);
  } finally {
    await new Promise((done) => missing.close(done));
  }
});

it("a gateway that may not call the function, and events of another version, are refused", async () => {
  const permission = withMistake(
    /"Principal":"apigateway\.amazonaws\.com"/,
    '"Principal":"events.amazonaws.com"',
  );
  await expect(statusOf(permission)).rejects.toThrow("may not call");
  await expect(
    statusOf(withMistake(/"PayloadFormatVersion":"2\.0"/, '"PayloadFormatVersion":"1.0"')),
  ).rejects.toThrow("version 2.0");
});

it.each([
  ["a comparison that takes patterns", /"StringEquals"/, '"StringLike"', "StringLike compares its trust"],
  ["all of a repository", /environment:dev-predict/, "*", "workflows of repo:lab/memoir:* may take it"],
  [
    "any environment",
    /environment:dev-predict/,
    "environment:*",
    "repo:lab/memoir:environment:* is a pattern",
  ],
  ["another repository", /repo:lab\/memoir:/, "repo:lab/other:", "workflows of repo:lab/other"],
  ["another audience", /sts\.amazonaws\.com","token/, 'https://github.com/lab","token', "another audience"],
  [
    "a claim that may be missing",
    /"StringEquals"/,
    '"StringEqualsIfExists"',
    "StringEqualsIfExists compares",
  ],
  ["another stage", /environment:dev"/, 'environment:prod"', "not an environment of the stage"],
  ["one environment for two roles", /environment:dev-diff/, "environment:dev-predict", "may also take"],
  ["a user of the account", /AssumeRoleWithWebIdentity/, "AssumeRole", "somebody other than workflows"],
])("trust in %s is found", (_, from, to, problem) => {
  const environments = ["dev", "dev-compact", "dev-diff", "dev-predict"];
  const text = JSON.stringify(right.trust.toJSON());
  const wrong = text.replace(from, to);
  expect(wrong).not.toBe(text);
  const found = trustProblems(Template.fromString(wrong), { repository: "lab/memoir", environments });
  expect(found.join("\n")).toContain(problem);
  expect(trustProblems(right.trust, { repository: "lab/memoir", environments })).toEqual([]);
});
