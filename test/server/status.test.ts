/** `/healthz`, `/readyz` and `/metrics` of a real server, read by a real parser. */
import { spawnSync } from "node:child_process";
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prometheusRequirement } from "../servers/prometheus.ts";
import { describeWith } from "../servers/requirement.ts";
import { openServer, type TestServer, uniqueId } from "./harness.ts";
import { ended, post, start, workflow } from "./plain-client.ts";

const wdl = `version 1.1
task greet {
  input { String name }
  command <<< echo "hello ~{name}"; [ "~{name}" != nobody ] >>>
  output { String said = read_string(stdout()) }
}
`;

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly [name: string, labels: Readonly<Record<string, string>>, value: number][];
}

/** As the parser of Prometheus's own client library for Python reads it. */
function parsed(text: string): ReadonlyMap<string, Family> {
  const program = [
    "import json, sys",
    "from prometheus_client.parser import text_string_to_metric_families as read",
    "print(json.dumps([{'name': f.name, 'type': f.type, 'help': f.documentation,",
    "  'samples': [[s.name, s.labels, s.value] for s in f.samples]} for f in read(sys.stdin.read())]))",
  ].join("\n");
  const { stdout, stderr, status } = spawnSync("/usr/bin/python3", ["-c", program], {
    input: text,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  return new Map((JSON.parse(stdout) as Family[]).map((family) => [family.name, family]));
}

describeWith([prometheusRequirement], "/metrics", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await openServer();
  });
  afterAll(() => server.close());

  async function metrics(): Promise<ReadonlyMap<string, Family>> {
    const { status, headers, text } = await server.raw({ method: "GET", path: "/metrics" });
    expect(status, text).toBe(200);
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    return parsed(text);
  }

  const sampleOf = (
    families: ReadonlyMap<string, Family>,
    name: string,
    labels: Record<string, string> = {},
  ) =>
    families
      .get(name)
      ?.samples.find(([, found]) =>
        Object.entries(labels).every(([key, value]) => found[key] === value),
      )?.[2];

  it("counts runs, calls, look-ups and requests as they happen", async () => {
    const cache = await post(server, "/runCache", {
      cacheS3Location: `file://${server.folder}/cache`,
      cacheBehavior: "CACHE_ALWAYS",
      requestId: uniqueId(),
    });
    const id = await workflow(server, { "main.wdl": wdl });
    for (const name of ["Ada", "Ada", "nobody"]) {
      const run = await start(server, id, { cacheId: cache["id"], parameters: { name } });
      await ended(server, run["id"]);
    }
    const families = await metrics();
    expect(sampleOf(families, "memoir_runs", { state: "completed" })).toBe(2);
    expect(sampleOf(families, "memoir_runs", { state: "failed" })).toBe(1);
    expect(sampleOf(families, "memoir_runs", { state: "pending" })).toBe(0);
    expect(sampleOf(families, "memoir_tasks", { outcome: "computed" })).toBe(1);
    expect(sampleOf(families, "memoir_tasks", { outcome: "reused" })).toBe(1);
    expect(sampleOf(families, "memoir_tasks", { outcome: "failed" })).toBe(1);
    expect(sampleOf(families, "memoir_cache_lookups")).toBe(3);
    expect(sampleOf(families, "memoir_cache_lookup_results", { result: "hit" })).toBe(1);
    expect(sampleOf(families, "memoir_cache_lookup_results", { result: "miss" })).toBe(2);
    expect(sampleOf(families, "memoir_cache_recorded_entries")).toBe(1);
    const started = { api: "omics", operation: "StartRun", status: "201" };
    expect(sampleOf(families, "memoir_http_requests", started)).toBe(3);
  });

  it("each family has its help and its type, and what a client writes does not become a label", async () => {
    await server.raw({ method: "GET", path: '/no/such"path' });
    const families = await metrics();
    expect(families.size).toBeGreaterThan(15);
    for (const { name, type, help } of families.values()) {
      expect(help, name).not.toBe("");
      expect(["gauge", "counter", "summary"], name).toContain(type);
    }
    const unknown = { api: "omics", operation: "unknown", status: "404" };
    expect(sampleOf(families, "memoir_http_requests", unknown)).toBe(1);
    expect(JSON.stringify([...families.values()])).not.toContain("such");
    for (const name of ["process_resident_memory_bytes", "memoir_event_loop_lag_p99_seconds"])
      expect(sampleOf(families, name), name).toBeGreaterThanOrEqual(0);
  });
});

describe("/healthz and /readyz", () => {
  it("a server that answers lives, and is ready when its stores answer", async () => {
    const server = await openServer();
    try {
      const health = await server.raw({ method: "GET", path: "/healthz" });
      expect([health.status, health.body]).toEqual([200, { status: "ok" }]);
      const ready = await server.raw({ method: "GET", path: "/readyz" });
      expect([ready.status, ready.body]).toEqual([
        200,
        {
          status: "ready",
          checks: [
            { name: "ledger", ready: true },
            { name: "home", ready: true },
          ],
        },
      ]);
      const wrong = await server.raw({ method: "POST", path: "/healthz" });
      expect([wrong.status, wrong.body["code"]]).toEqual([405, "METHOD_NOT_ALLOWED"]);
      const below = await server.raw({ method: "GET", path: "/readyz/x" });
      expect([below.status, below.body["code"]]).toEqual([404, "ROUTE_NOT_FOUND"]);
    } finally {
      await server.close();
    }
  });

  it("names the store that does not answer, and lives on", async () => {
    const server = await openServer({ env: { MEMOIR_LOCAL: "redis://127.0.0.1:9" } });
    try {
      const ready = await server.raw({ method: "GET", path: "/readyz" });
      expect(ready.status).toBe(503);
      expect(ready.body["status"]).toBe("not-ready");
      const checks = ready.body["checks"] as readonly { name: string; ready: boolean; reason?: string }[];
      expect(checks.filter(({ ready }) => !ready).map(({ name }) => name)).toEqual(["predictions-local"]);
      expect(checks.find(({ name }) => name === "predictions-local")?.reason).toMatch(/\w/);
      expect((await server.raw({ method: "GET", path: "/healthz" })).status).toBe(200);
    } finally {
      await server.close();
    }
  });

  it("is not ready while the folder of a run cache is not there, and again when it is", async () => {
    const server = await openServer();
    try {
      const folder = join(server.folder, "cache");
      await mkdir(folder);
      await post(server, "/runCache", { cacheS3Location: `file://${folder}`, requestId: uniqueId() });
      await rename(folder, `${folder}.away`);
      // A file where a folder should be: nothing can be made there.
      await writeFile(folder, "");
      await chmod(folder, 0o400);
      const statusNow = async () => (await server.raw({ method: "GET", path: "/readyz" })).status;
      await expect.poll(statusNow, { interval: 100, timeout: 20_000 }).toBe(503);
      await rm(folder);
      await rename(`${folder}.away`, folder);
      await expect.poll(statusNow, { interval: 100, timeout: 20_000 }).toBe(200);
    } finally {
      await server.close();
    }
  });

  it("with access keys probes need none and learn no reasons; metrics are the operators'", async () => {
    const token = "operator-token-of-forty-characters-000000";
    const other = "another-token-of-forty-characters-0000000";
    const server = await openServer({
      keys: [
        { accessKeyId: "AKIDOP", secretAccessKey: "s", account: "111111111111", token, operator: true },
        { accessKeyId: "AKIDB", secretAccessKey: "s", account: "222222222222", token: other },
      ],
      env: { MEMOIR_LOCAL: "redis://127.0.0.1:9" },
    });
    try {
      expect((await server.raw({ method: "GET", path: "/healthz" })).status).toBe(200);
      const ready = await server.raw({ method: "GET", path: "/readyz" });
      expect(ready.status).toBe(503);
      expect(ready.text).not.toContain("reason");
      const asked = async (authorization?: string) =>
        server.raw({
          method: "GET",
          path: "/metrics",
          ...(authorization === undefined ? {} : { headers: { authorization } }),
        });
      expect((await asked()).status).toBe(401);
      expect((await asked("Bearer nonsense")).status).toBe(401);
      expect((await asked(`Bearer ${other}`)).status).toBe(403);
      expect((await asked(`Bearer ${token}`)).status).toBe(200);
    } finally {
      await server.close();
    }
  });

  it("without keys no foreign page sees the stores or the metrics", async () => {
    const server = await openServer();
    try {
      for (const path of ["/metrics", "/readyz"])
        for (const headers of [{ origin: "https://evil.org" }, { host: "rebound.evil.org" }])
          expect((await server.raw({ method: "GET", path, headers })).status, path).toBe(403);
    } finally {
      await server.close();
    }
  });
});
