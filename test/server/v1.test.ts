/** `/api/v1` of a real server over runs and caches of the command line and of the server alike. */
import { createHmac } from "node:crypto";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { get as httpGet } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { thisOwner } from "../../src/process/index.ts";
import { schemas, v1Routes } from "../../src/v1/index.ts";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { openServer, type RawResponse, type TestServer, uniqueId } from "./harness.ts";
import { schemaFaults } from "./json-schema.ts";
import { get, post, start, workflow } from "./plain-client.ts";
import { signedHeaders } from "./sign.ts";
import { zipOf } from "./zip.ts";

const wdl = `version 1.1
task greet {
  input { String name }
  command <<<
    echo "hello ~{name}"
    [ "~{name}" != nobody ]
  >>>
  output { String said = read_string(stdout()) }
}
workflow hello {
  input { Array[String] names }
  scatter (name in names) { call greet { input: name } }
  output { Array[String] said = greet.said }
}
`;

type Body = Readonly<Record<string, unknown>>;
type Rows = readonly Body[];

/** Each continues in its own lists: the API also in those of runs outside the folder. */
const sameCursor = (text: string) => text.replace(/"nextCursor": "\w+"/, '"nextCursor": "…"');

async function asked(
  server: TestServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<RawResponse> {
  return server.raw({ method: "GET", path: `/api/v1${path}`, headers });
}

async function answer(server: TestServer, path: string): Promise<Body> {
  const response = await asked(server, path);
  expect(response.status, response.text).toBe(200);
  expect(response.headers["content-type"]).toBe("application/json");
  return response.body;
}

describe("a server without access keys", () => {
  let sandbox: Sandbox;
  let server: TestServer;
  const homeRuns: string[] = [];
  let serverRun: string;

  async function memoir(...words: readonly string[]): Promise<string> {
    const { code, out, err } = await sandbox.run(...words);
    expect(code, err).toBe(0);
    return out;
  }

  beforeAll(async () => {
    sandbox = await Sandbox.create();
    await sandbox.write("hello.wdl", wdl);
    const words = ["--executor", "host", "--cache-host-tasks", "--cache", "lab", "--json"];
    await memoir("cache", "create", "lab", "--location", sandbox.path("lab"));
    for (const names of ['["Ada"]', '["Ada","Bob"]', '["Ada","Bob","Eve"]'])
      homeRuns.unshift(
        (JSON.parse(await memoir("run", "hello.wdl", `names=${names}`, ...words)) as { run: string }).run,
      );
    server = await openServer({ folder: sandbox.folder });
    const cache = await post(server, "/runCache", {
      ...{ cacheS3Location: `file://${server.folder}/server-cache`, name: "shared", requestId: uniqueId() },
    });
    const id = await workflow(server, { "main.wdl": wdl });
    const run = await start(server, id, {
      name: "first",
      cacheId: cache["id"],
      parameters: { names: ["Zoe"] },
    });
    serverRun = String(run["id"]);
    await vi.waitFor(
      async () => expect((await get(server, `/run/${serverRun}`))["status"]).toBe("COMPLETED"),
      { timeout: 2 * limitMs, interval: 50 },
    );
  }, 4 * limitMs);
  afterAll(async () => {
    await server.close();
    expect(server.bugs).toEqual([]);
  });

  it("every answer has the shape that its description says", async () => {
    const { paths, openapi } = await answer(server, "/openapi.json");
    expect(openapi).toBe("3.1.0");
    const labels: Readonly<Record<string, string>> = {
      ...{ run: homeRuns[0] ?? "", other: homeRuns[1] ?? "", cache: "lab", model: "eos3b5e" },
      code: "RUN_NOT_FOUND",
    };
    const routes = v1Routes({ version: "0", keys: [] });
    expect(Object.keys(paths as Body).sort()).toEqual([...new Set(routes.map(({ path }) => path))].sort());
    const checked: string[] = [];
    const call = encodeURIComponent("hello.greet[0]");
    const queries: Readonly<Record<string, string>> = {
      getCall: `?call=${call}`,
      getCallOutput: `?call=${call}`,
      compareAnyRuns: `?a=${homeRuns[0]}&b=${homeRuns[1]}`,
      getAdvice: "?workflow=hello",
      lookUpMolecule: "?smiles=CCO",
      drawMolecule: "?smiles=CCO",
    };
    const bodies: Readonly<Record<string, object>> = {
      cancelRuns: { runs: homeRuns.slice(0, 1) },
      deleteRuns: { runs: ["none"] },
      setPrices: { cpu: 0, memory: 0, currency: "EUR" },
      pruneCache: { dryRun: true, olderThanMs: 1_000_000 },
    };
    // Sessions, files, and what begins or changes something are tested elsewhere.
    const elsewhere = [
      ...["Bytes", "FilePreview", "EntriesTouched", "RunBegun", "PredictionJob", "Neighbours", "Trace"],
    ];
    const plain = routes.filter(({ for: whom, schema }) => whom !== "anybody" && !elsewhere.includes(schema));
    for (const { name, method, path, schema } of plain) {
      const place = path.replace(/\{(\w+)\}/g, (_, label: string) => labels[label] ?? "");
      const target = `${place}${queries[name] ?? ""}`;
      const body = method === "POST" ? { body: JSON.stringify(bodies[name] ?? {}) } : {};
      const response = await server.raw({ method, path: target, ...body });
      expect(response.status, `${name}: ${response.text}`).toBe(200);
      const faults = schemaFaults(
        JSON.parse(response.text),
        { $ref: `#/components/schemas/${schema}` },
        schemas,
      );
      expect(faults, name).toEqual([]);
      checked.push(name);
    }
    for (const path of ["", "/calls", "/logs", "/outputs", "/events", "/explain"]) {
      const route = routes.find((each) => each.path === `/api/v1/runs/{run}${path}`);
      const body = await answer(server, `/runs/${serverRun}${path}`);
      expect(schemaFaults(body, { $ref: `#/components/schemas/${route?.schema}` }, schemas), path).toEqual(
        [],
      );
    }
    expect(checked.length).toBeGreaterThan(15);
  });

  it("a run of the server is read like one of the command line", async () => {
    const list = (await answer(server, "/runs"))["runs"] as Rows;
    expect(list.map(({ id }) => id)).toEqual([serverRun, ...homeRuns]);
    expect(list[0]).toMatchObject({ origin: "server", state: "succeeded", name: "first" });
    expect(list[0]?.["calls"]).toMatchObject({ computed: 1, reused: 0 });
    const { calls, total } = await answer(server, `/runs/${serverRun}/calls`);
    expect(total).toBe(1);
    expect((calls as Rows)[0]).toMatchObject({ task: "greet", state: "computed" });
    const logs = (await answer(server, `/runs/${serverRun}/logs`))["calls"] as Rows;
    expect(logs[0]?.["log"]).toContain("hello Zoe");
    expect(await answer(server, `/runs/${serverRun}/outputs`)).toMatchObject({ run: serverRun });
    const explained = (await answer(server, `/runs/${serverRun}/explain`))["computed"] as Rows;
    expect(explained).toHaveLength(1);
  });

  it("the command line prints exactly what the API answers", async () => {
    const [last = "", before = ""] = homeRuns;
    const pairs: readonly (readonly [path: string, words: readonly string[]])[] = [
      [`/runs?origin=home`, ["runs", "list"]],
      [`/runs?origin=home&limit=2`, ["runs", "list", "--limit", "2"]],
      [`/runs/${last}`, ["runs", "show", last]],
      [`/runs/${last}/logs`, ["runs", "logs", last]],
      [`/runs/${last}/outputs`, ["runs", "outputs", last]],
      [`/runs/${last}/explain`, ["cache", "explain", last]],
      [`/runs/${before}/diff/${last}`, ["runs", "diff", before, last]],
      [`/caches/lab`, ["cache", "show", "lab"]],
      [
        `/caches/lab/entries?task=greet&limit=2`,
        ["cache", "entries", "lab", "--task", "greet", "--limit", "2"],
      ],
      [`/caches/lab/size`, ["cache", "du", "lab"]],
      ["/predictions", ["predictions", "stats"]],
    ];
    for (const [path, words] of pairs) {
      const { text, status } = await asked(server, path);
      expect(status, text).toBe(200);
      expect(sameCursor(await memoir(...words, "--json")), path).toBe(sameCursor(text));
    }
    const verified = await server.raw({ method: "POST", path: "/api/v1/caches/lab/verify", body: "{}" });
    expect(await memoir("cache", "verify", "lab", "--json")).toBe(verified.text);
    const { caches } = await answer(server, "/caches");
    const home = (caches as Rows).filter(({ origin }) => origin === "home");
    expect(JSON.parse(await memoir("cache", "list", "--json"))).toEqual({ caches: home });
  });

  it("pages follow each other without a gap or a repetition", async () => {
    const walk = async (path: string, member: string, identity: string) => {
      const seen: unknown[] = [];
      for (let cursor = ""; ; ) {
        const page = await answer(server, `${path}?limit=1${cursor}`);
        expect((page[member] as Rows).length).toBeLessThanOrEqual(1);
        seen.push(...(page[member] as Rows).map((row) => row[identity]));
        if (page["nextCursor"] === undefined) return seen;
        cursor = `&cursor=${encodeURIComponent(String(page["nextCursor"]))}`;
      }
    };
    expect(await walk("/runs", "runs", "id")).toEqual([serverRun, ...homeRuns]);
    expect(await walk(`/runs/${homeRuns[0]}/calls`, "calls", "call")).toHaveLength(3);
    const entries = await walk("/caches/lab/entries", "entries", "uuid");
    expect(new Set(entries).size).toBe(3);
    const all = (await answer(server, `/runs/${homeRuns[0]}/events`))["events"] as Rows;
    expect(await walk(`/runs/${homeRuns[0]}/events`, "events", "kind")).toEqual(all.map(({ kind }) => kind));
    expect((await answer(server, "/runs?state=failed"))["runs"]).toEqual([]);
    expect(((await answer(server, "/runs?workflow=hello&origin=home"))["runs"] as Rows).length).toBe(3);
  });

  it("what cannot be asked is refused as a problem", async () => {
    const cases: readonly (readonly [path: string, status: number, code: string])[] = [
      ["/nothing", 404, "ROUTE_NOT_FOUND"],
      ["", 404, "ROUTE_NOT_FOUND"],
      ["/runs/20990101-000000-none", 404, "RUN_NOT_FOUND"],
      ["/runs/last", 404, "RUN_NOT_FOUND"],
      [`/runs/${(homeRuns[0] ?? "").slice(0, 8)}`, 404, "RUN_NOT_FOUND"],
      ["/runs/9999999", 404, "RUN_NOT_FOUND"],
      ["/runs/..%2F..", 404, "RUN_NOT_FOUND"],
      ["/caches/none", 404, "CACHE_NOT_FOUND"],
      [`/caches/${encodeURIComponent(sandbox.path("lab"))}`, 404, "CACHE_NOT_FOUND"],
      ["/caches/s3%3A%2F%2Fbucket", 404, "CACHE_NOT_FOUND"],
      ["/predictions/..", 404, "MODEL_NOT_FOUND"],
      ["/runs?limit=0", 400, "REQUEST_INVALID"],
      ["/runs?limit=1001", 400, "REQUEST_INVALID"],
      ["/runs?limit=1e1", 400, "REQUEST_INVALID"],
      ["/runs?limit=1&limit=2", 400, "REQUEST_INVALID"],
      ["/runs?stat=failed", 400, "REQUEST_INVALID"],
      ["/runs?state=odd", 400, "REQUEST_INVALID"],
      ["/runs?cursor=nonsense", 400, "LEDGER_TOKEN_INVALID"],
      ["/runs?__proto__=1", 400, "REQUEST_INVALID"],
      [`/runs/${homeRuns[0]}/calls?cursor=-1`, 400, "LEDGER_TOKEN_INVALID"],
      [`/runs/${homeRuns[0]}/events?cursor=x`, 400, "LEDGER_TOKEN_INVALID"],
      ["/caches/lab/entries?cursor=x", 400, "LEDGER_TOKEN_INVALID"],
      [`/runs/${homeRuns[0]}/logs?call=nothing`, 404, "RUN_NOT_FOUND"],
      [`/runs/${serverRun}/diff/${homeRuns[0]}`, 400, "RUN_INPUT_INVALID"],
    ];
    for (const [path, status, code] of cases) {
      const response = await asked(server, path);
      expect([response.status, response.body["code"]], `${path}: ${response.text}`).toEqual([status, code]);
      expect(response.headers["content-type"]).toBe("application/problem+json");
      expect(schemaFaults(response.body, schemas["Problem"] ?? {}, schemas), path).toEqual([]);
    }
    const wrong = await server.raw({ method: "POST", path: "/api/v1/runs", body: "{}" });
    expect([wrong.status, wrong.headers["allow"]]).toEqual([405, "GET"]);
  });

  it("a name that is also a folder here is not taken for the folder", async () => {
    await mkdir(sandbox.path("private"), { recursive: true });
    expect((await asked(server, "/caches/private")).status).toBe(404);
  });

  it("pages of other origins and names are refused, and so is what they could send unasked", async () => {
    for (const headers of [{ origin: "https://evil.org" }, { origin: "null" }, { host: "evil.org" }])
      expect((await asked(server, "/runs", headers as Record<string, string>)).status).toBe(403);
    const path = "/api/v1/caches/lab/verify";
    const form = { "content-type": "text/plain" };
    expect((await server.raw({ method: "POST", path, headers: form, body: "{}" })).status).toBe(400);
    const cross = { "sec-fetch-site": "cross-site" };
    expect((await server.raw({ method: "POST", path, headers: cross, body: "{}" })).status).toBe(403);
    const large = await server.raw({ method: "POST", path, body: "x".repeat(100_000) });
    expect([large.status, large.body["code"]]).toEqual([413, "REQUEST_TOO_LARGE"]);
  });

  interface Stream {
    readonly status: number;
    readonly events: readonly { readonly id?: string; readonly event: string; readonly data: string }[];
  }

  /** Reads a stream to its end, or until `enough`. */
  function streamed(
    path: string,
    headers: Record<string, string> = {},
    onEvents: (count: number, stop: () => void) => void = () => {},
  ): Promise<Stream> {
    return new Promise((resolve, reject) => {
      const request = httpGet(
        { port: server.port, path: `/api/v1${path}`, headers: { accept: "text/event-stream", ...headers } },
        (response) => {
          let text = "";
          const done = () => {
            const blocks = text.split("\n\n").filter((block) => block.includes("event: "));
            const events = blocks.map((block) => {
              const fields = Object.fromEntries(
                block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2)),
              );
              return fields as { id?: string; event: string; data: string };
            });
            resolve({ status: response.statusCode ?? 0, events });
          };
          response.setEncoding("utf8").on("data", (piece: string) => {
            text += piece;
            onEvents(text.split("\n\n").length, () => {
              request.destroy();
              done();
            });
          });
          response.on("end", done);
        },
      );
      request.on("error", reject);
    });
  }

  it("events are streamed to their end, and resumed after the last one that was seen", async () => {
    const path = `/runs/${homeRuns[0]}/events`;
    const all = (await answer(server, path))["events"] as Rows;
    const { status, events } = await streamed(path);
    expect(status).toBe(200);
    expect(events.at(-1)).toMatchObject({ event: "end" });
    expect(events.slice(0, -1).map(({ data }) => JSON.parse(data))).toEqual(all);
    expect(events.slice(0, -1).map(({ event }) => event)).toEqual(all.map(({ kind }) => kind));
    const third = events[2]?.id ?? "";
    const rest = await streamed(path, { "last-event-id": third });
    expect(rest.events.map(({ data }) => data)).toEqual(events.slice(3).map(({ data }) => data));
    const last = events.at(-2)?.id ?? "";
    expect((await streamed(path, { "last-event-id": last })).status).toBe(204);
    expect((await streamed(path, { "last-event-id": "nonsense" })).status).toBe(400);
    expect((await streamed("/runs/none/events")).status).toBe(404);
  });

  it("events of a run of the server are streamed while it runs", async () => {
    const gate = sandbox.path("gate");
    const waiting = wdl.replace('echo "hello', `while [ ! -e ${gate} ]; do sleep 0.1; done; echo "hello`);
    const id = await workflow(server, { "main.wdl": waiting });
    const run = await start(server, id, { parameters: { names: ["Max"] } });
    const path = `/runs/${run["id"]}/events`;
    let isOpen = false;
    const { events } = await streamed(path, {}, (count) => {
      // The first events came while the task waits.
      if (isOpen || count < 4) return;
      isOpen = true;
      void writeFile(gate, "");
    });
    const kinds = events.map(({ event }) => event);
    expect(kinds).toContain("call.started");
    expect(kinds).toContain("call.computed");
    expect(kinds.slice(-2)).toEqual(["run.ended", "end"]);
  });

  it("a client that goes away ends its stream, and a server that closes ends them all", async () => {
    const own = await openServer();
    const runs = join(own.folder, "home", "runs", "20990101-000000-aaaa");
    await mkdir(runs, { recursive: true });
    const record = {
      ...{ id: "20990101-000000-aaaa", workflow: "w", language: "wdl", source: "w.wdl", executor: "host" },
      ...{
        state: "running",
        startedAt: new Date().toISOString(),
        owner: thisOwner(),
      },
    };
    await writeFile(join(runs, "run.json"), JSON.stringify(record));
    await appendFile(join(runs, "events.jsonl"), `${JSON.stringify({ kind: "log", words: "hi", at: 1 })}\n`);
    const stream = new Promise<string>((resolve, reject) => {
      const request = httpGet(
        {
          port: own.port,
          path: "/api/v1/runs/20990101-000000-aaaa/events",
          headers: { accept: "text/event-stream" },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (piece: string) => {
            text += piece;
            if (text.includes('"words":"hi"')) void own.close();
          });
          response.on("close", () => resolve(text));
          response.on("error", () => {});
        },
      );
      request.on("error", reject);
    });
    const text = await stream;
    expect(text).toContain("event: log");
    expect(text).not.toContain("event: end");
  });
});

describe("a server with access keys", () => {
  const token = (name: string) => createHmac("sha256", "test").update(name).digest("hex");
  const ours = {
    accessKeyId: "AKIDOURS",
    secretAccessKey: "s1",
    account: "111111111111",
    token: token("ours"),
  };
  const theirs = {
    accessKeyId: "AKIDTHEIRS",
    secretAccessKey: "s2",
    account: "222222222222",
    token: token("theirs"),
  };
  const boss = { ...ours, accessKeyId: "AKIDBOSS", token: token("boss"), operator: true };
  let server: TestServer;
  let run: string;
  let cache: string;

  async function signed(path: string, method: "GET" | "POST" = "GET", body: Body = {}): Promise<RawResponse> {
    const text = method === "POST" ? JSON.stringify(body) : "";
    const [plain = "", query = ""] = path.split("?");
    const host = `127.0.0.1:${server.port}`;
    const headers = signedHeaders({ method, path: plain, query, host, body: text }, { key: ours });
    return server.raw({ method, path, headers, ...(text === "" ? {} : { body: text }) });
  }

  const as = (key: { readonly token: string }, path: string) =>
    asked(server, path, { authorization: `Bearer ${key.token}` });

  beforeAll(async () => {
    server = await openServer({ keys: [ours, theirs, boss] });
    const made = await signed("/runCache", "POST", {
      cacheS3Location: `file://${server.folder}/cache`,
      requestId: uniqueId(),
    });
    cache = `omics:${made.body["id"]}`;
    const definitionZip = zipOf({ "main.wdl": wdl }).toString("base64");
    const { body } = await signed("/workflow", "POST", { definitionZip, requestId: uniqueId() });
    const started = await signed("/run", "POST", {
      ...{ workflowId: body["id"], roleArn: "arn:aws:iam::111111111111:role/r", requestId: uniqueId() },
      ...{ outputUri: `file://${server.folder}/out`, parameters: { names: ["Ada", "nobody"] } },
      cacheId: made.body["id"],
    });
    run = String(started.body["id"]);
    await vi.waitFor(async () => expect((await as(ours, `/runs/${run}`)).body["state"]).toBe("failed"), {
      timeout: 2 * limitMs,
      interval: 50,
    });
  }, 4 * limitMs);
  afterAll(() => server.close());

  it("nobody without a key or a token is answered, signatures and tokens are", async () => {
    expect((await asked(server, "/runs")).status).toBe(401);
    expect((await asked(server, "/openapi.json")).status).toBe(401);
    expect((await asked(server, "/runs", { authorization: "Bearer wrong" })).status).toBe(401);
    expect((await signed("/api/v1/runs")).status).toBe(200);
    expect((await signed(`/api/v1/runs/${run}/calls?limit=1`)).status).toBe(200);
    expect((await as(ours, "/runs")).status).toBe(200);
    // Tokens are not for the service's own API.
    const authorization = `Bearer ${ours.token}`;
    expect((await server.raw({ method: "GET", path: "/run", headers: { authorization } })).status).toBe(403);
  });

  it("an account sees its own runs and caches, and nothing of others or of the machine", async () => {
    expect(((await as(ours, "/runs")).body["runs"] as Rows).map(({ id }) => id)).toEqual([run]);
    expect((await as(theirs, "/runs")).body["runs"]).toEqual([]);
    expect((await as(ours, "/caches")).body["caches"]).toMatchObject([{ ref: cache, origin: "server" }]);
    expect((await as(theirs, "/caches")).body["caches"]).toEqual([]);
    for (const path of ["", "/calls", "/logs", "/outputs", "/events", "/explain"]) {
      expect((await as(theirs, `/runs/${run}${path}`)).status, path).toBe(404);
      const own = await as(ours, `/runs/${run}${path}`);
      expect(own.status, path).toBe(path === "/outputs" ? 409 : 200);
      expect(own.text, path).not.toContain(`"directory"`);
    }
    for (const path of ["", "/entries", "/size"])
      expect([
        (await as(ours, `/caches/${cache}${path}`)).status,
        (await as(theirs, `/caches/${cache}${path}`)).status,
      ]).toEqual([200, 404]);
    expect((await as(ours, "/predictions")).status).toBe(403);
    expect((await as(ours, "/caches/home:default")).status).toBe(404);
    expect((await as(boss, "/predictions")).status).toBe(200);
    expect((await as(boss, `/runs/${run}`)).text).toContain(`"directory"`);
    expect((await as(ours, "/server")).body).toMatchObject({ account: ours.account, operator: false });
  });

  it("every route of operators is refused to an account, also for its own runs and caches", async () => {
    const routes = v1Routes({ version: "0", keys: [] }).filter(({ for: whom }) => whom === "operators");
    const values: Readonly<Record<string, string>> = { run, cache };
    const refused = await Promise.all(
      routes.map(async ({ method, path }) => {
        const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "x");
        const authorization = `Bearer ${ours.token}`;
        const body = method === "GET" ? {} : { body: "{}" };
        const answer = await server.raw({ method, path: filled, headers: { authorization }, ...body });
        return `${method} ${path} ${answer.status}`;
      }),
    );
    expect(refused).toEqual(routes.map(({ method, path }) => `${method} ${path} 403`));
    for (const path of ["/trace", "/runs/{run}/crate", "/runs/{run}/provenance"])
      expect(routes.map((route) => route.path)).toContain(`/api/v1${path}`);
  });

  it("a token that is too short to be one is refused when the server starts", async () => {
    await expect(openServer({ keys: [{ ...ours, token: "short" }] })).rejects.toMatchObject({
      code: "SERVER_KEYS_INVALID",
    });
  });
});
