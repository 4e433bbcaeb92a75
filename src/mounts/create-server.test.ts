import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createApp } from "../app/index.ts";
import type { HttpRequest, HttpResponse, RequestLine } from "../http/index.ts";
import { freshAsk } from "../kernel/index.ts";
import { createServer, type Server } from "./create-server.ts";

/** The whole server without a port. */
let folder: string;
let server: Server;
let closeAll: () => Promise<void>;
const lines: RequestLine[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-mounts-"));
  const app = createApp({ env: { MEMOIR_HOME: join(folder, "home") }, cwd: folder, parentPid: process.pid });
  const bugs: unknown[] = [];
  const omics = await app.openOmics(
    { executor: { name: "host", options: {} }, cacheHostTasks: true },
    (error) => bugs.push(error),
  );
  server = createServer({
    ...omics,
    ...{
      version: "1.2.3",
      site: join(folder, "web"),
      openAccount: "000000000000",
      region: "us-east-1",
      now: () => new Date(),
    },
    onRequest: (line) => lines.push(line),
  });
  closeAll = async () => {
    await server.close();
    await omics.close();
    expect(bugs).toEqual([]);
  };
});
afterAll(async () => {
  await closeAll();
  await rm(folder, { recursive: true, force: true });
});

function send(target: string, more: Partial<HttpRequest> = {}): Promise<HttpResponse> {
  const request = { method: "GET", target, headers: { host: "127.0.0.1:8080" }, body: new Uint8Array() };
  return server.fetch({ ...request, ...more }, freshAsk());
}

function bodyOf({ body }: HttpResponse): Readonly<Record<string, unknown>> {
  return JSON.parse(String(body));
}

it("each prefix answers in its own shape", async () => {
  const omics = await send("/run/1");
  expect([omics.status, omics.headers["x-amzn-errortype"]]).toEqual([404, "ResourceNotFoundException"]);
  const v1 = await send("/api/v1/runs/1");
  expect(v1.headers["content-type"]).toBe("application/problem+json");
  expect(bodyOf(v1)).toMatchObject({ status: 404, code: "RUN_NOT_FOUND" });
  expect(bodyOf(await send("/healthz"))).toEqual({ status: "ok" });
  expect(String((await send("/metrics")).body)).toContain('memoir_runs{state="pending"} 0');
});

it("an empty home has no runs, no caches, and says who asks", async () => {
  expect(bodyOf(await send("/api/v1/runs"))).toEqual({ folder: join(folder, "home", "runs"), runs: [] });
  expect(bodyOf(await send("/api/v1/caches"))).toEqual({ caches: [] });
  expect(bodyOf(await send("/api/v1/server"))).toEqual({
    ...{ version: "1.2.3", authentication: "none", account: "000000000000", operator: true },
  });
});

it("what is reported of a request is its operation, never what a client wrote", async () => {
  lines.length = 0;
  await send("/api/v1/runs?limit=5");
  await send("/api/v1/secret-path");
  await send("/run");
  await send("/healthz");
  expect(lines.map(({ mount, operation, status }) => [mount, operation, status])).toEqual([
    ["v1", "listRuns", 200],
    ["v1", undefined, 404],
    ["omics", "ListRuns", 200],
    ["status", "health", 200],
  ]);
});

it("bodies have the limit of their mount, and a busy server says so in its shape", () => {
  const head = (target: string) => ({ method: "POST", target, headers: {} });
  expect(server.mostBodyBytes(head("/workflow"))).toBeGreaterThan(100 * 1024 * 1024);
  expect(server.mostBodyBytes(head("/api/v1/caches/lab/verify"))).toBe(64 * 1024);
  expect(server.mostBodyBytes(head("/healthz"))).toBe(0);
  expect(bodyOf(server.busy(head("/api/v1/runs")))).toMatchObject({ code: "SERVER_BUSY" });
  expect(server.busy(head("/run")).headers["x-amzn-errortype"]).toBe("ThrottlingException");
});

it("a caller that has gone away is not answered with work", async () => {
  const gone = { signal: AbortSignal.abort(new Error("gone")) };
  const request = { method: "GET", headers: { host: "localhost" }, body: new Uint8Array() };
  const { status } = await server.fetch({ ...request, target: "/api/v1/predictions" }, gone);
  expect(status).toBeGreaterThanOrEqual(500);
});
