import { expect, it } from "vitest";
import { type AccessRules, createAuthenticator } from "./access.ts";
import { admit } from "./caller-problem.ts";
import type { HttpRequest } from "./message.ts";

const token = "t".repeat(40);
const rules: AccessRules = {
  keys: [
    { accessKeyId: "AKIDA", secretAccessKey: "a", account: "111111111111", token, operator: true },
    { accessKeyId: "AKIDB", secretAccessKey: "b", account: "222222222222" },
  ],
  openAccount: "000000000000",
  region: "us-east-1",
  now: () => new Date(),
  services: ["omics"],
  tokens: "accepted",
};
const open = createAuthenticator({ ...rules, keys: [] });
const closed = createAuthenticator(rules);

function request(headers: Readonly<Record<string, string>>, more: Partial<HttpRequest> = {}): HttpRequest {
  return { method: "GET", target: "/api/v1/runs", headers, body: new Uint8Array(), ...more };
}

function statusOf(authenticator: typeof open, asked: HttpRequest): number {
  const admitted = admit(asked, authenticator);
  return admitted.kind === "admitted" ? 200 : admitted.response.status;
}

it("a token stands for its key, and only where tokens are accepted", () => {
  const target = { rawPath: "/api/v1/runs", rawQuery: "" };
  expect(closed.callerOf(request({ authorization: `Bearer ${token}` }), target)).toEqual({
    kind: "known",
    caller: { account: "111111111111", accessKeyId: "AKIDA", region: "us-east-1", isOperator: true },
  });
  expect(closed.callerOf(request({ authorization: "Bearer wrong" }), target)).toEqual({
    kind: "unknown-key",
  });
  expect(closed.callerOf(request({}), target)).toEqual({ kind: "missing" });
  const signing = createAuthenticator({ ...rules, tokens: "refused" });
  expect(signing.callerOf(request({ authorization: `Bearer ${token}` }), target)).toMatchObject({
    kind: "invalid",
  });
  expect(signing.namesKey(`Bearer ${token}`)).toBe(false);
  expect(closed.namesKey(`Bearer ${token}`)).toBe(true);
});

it("without keys a local client is the operator, and pages of other origins or names are refused", () => {
  expect(statusOf(open, request({ host: "127.0.0.1:8080" }))).toBe(200);
  expect(statusOf(open, request({ host: "localhost:8080", origin: "http://localhost:8080" }))).toBe(200);
  expect(statusOf(open, request({ host: "localhost:8080", origin: "https://evil.example.com" }))).toBe(403);
  expect(statusOf(open, request({ host: "localhost:8080", origin: "null" }))).toBe(403);
  expect(statusOf(open, request({ host: "rebound.evil.com:8080" }))).toBe(403);
});

it("with keys any host name is fine, and a foreign origin is not", () => {
  const authorization = `Bearer ${token}`;
  expect(statusOf(closed, request({ host: "memoir.lab.org", authorization }))).toBe(200);
  expect(
    statusOf(closed, request({ host: "memoir.lab.org", authorization, origin: "https://evil.org" })),
  ).toBe(403);
  expect(statusOf(closed, request({ host: "memoir.lab.org" }))).toBe(401);
});

it("what changes something must be sent as JSON and not across sites", () => {
  const host = "localhost";
  const json = { host, "content-type": "application/json; charset=utf-8" };
  expect(statusOf(open, request(json, { method: "POST" }))).toBe(200);
  expect(statusOf(open, request({ host }, { method: "POST" }))).toBe(400);
  expect(statusOf(open, request({ host, "content-type": "text/plain" }, { method: "POST" }))).toBe(400);
  expect(statusOf(open, request({ ...json, "sec-fetch-site": "cross-site" }, { method: "POST" }))).toBe(403);
});
