/** Who is refused, and what a request cannot reach. */
import { hash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requestSignature, scopeText, signingKey } from "../hash/index.ts";
import {
  createRouter,
  type HttpResponse,
  type Listening,
  listen,
  type RequestLine,
  type ServerKey,
} from "../http/index.ts";
import { freshAsk, type ModelId } from "../kernel/index.ts";
import { openObjectStore } from "../store/objects/index.ts";
import { createParquetTier, type PredictionTier } from "../store/predictions/index.ts";
import type { Column } from "../task/index.ts";
import { createJobs, type Jobs } from "./create-jobs.ts";
import { routes } from "./routes.ts";

const columns: readonly Column[] = [{ name: "weight", type: "float" }];
const model = { id: "eos3b5e", slug: "molecular-weight", title: "Weight", release: "v1", columns };
const scope = { modelId: model.id as ModelId, release: "v1", columns };
const requestId = "0f8fad5b-d9cb-469f-a165-70867728950e";
const writer: ServerKey = {
  ...{ accessKeyId: "AKIDWRITER", secretAccessKey: "secret-of-the-writer", account: "111111111111" },
  ...{ token: `token-of-the-writer-${"x".repeat(32)}`, predictions: "write" },
};
const now = new Date("2026-11-30T08:00:00Z");

let folder: string;
let tier: PredictionTier;
let jobs: Jobs;
let lines: RequestLine[];

function start(keys: readonly ServerKey[]): Jobs {
  return createJobs({
    served: { tier, models: async () => [model], jobsFolder: join(folder, "jobs") },
    ...{ keys, openAccount: "000000000000", region: "us-east-1", now: () => now },
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "memoir-security-"));
  writeFileSync(join(folder, "secret.json"), "{}");
  tier = createParquetTier({ store: openObjectStore(join(folder, "cloud")) });
  await tier.open(freshAsk());
  await tier.putMany(scope, [{ input: "CCO", values: [46.069] }], freshAsk());
  lines = [];
  jobs = start([writer]);
});
afterEach(async () => {
  await jobs.close();
  await tier.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Sent {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly to?: Jobs;
}

async function send({ method, target, headers = {}, body = "", to = jobs }: Sent): Promise<HttpResponse> {
  const router = createRouter([to], (line) => lines.push(line));
  return router.fetch(
    {
      ...{ method, target, body: Buffer.from(body) },
      headers: { host: "127.0.0.1:8080", "content-type": "application/json", ...headers },
    },
    freshAsk(),
  );
}

/** Every route, with names in the place of its labels and a body that it would accept. */
function everyRequest(modelName = model.id, job = "0".repeat(32)) {
  const bodies: Readonly<Record<string, object>> = {
    lookUp: { inputs: ["CCO"] },
    lookUpMolecule: { input: "CCO" },
    putRows: { rows: [{ input: "CCO", values: [1] }] },
    sampleRows: { count: 1, seed: "s" },
    createUpload: { sha256: "0".repeat(64), sizeBytes: 5 },
    submitJob: { requestId, model: modelName, fetch: "filter", inputs: ["CCO"] },
  };
  return routes.map(({ name, method, path }) => ({
    method,
    target: path.replace("{model}", modelName).replace("{job}", job),
    ...(method === "GET" ? {} : { body: JSON.stringify(bodies[name] ?? {}) }),
  }));
}

const bearer = { authorization: `Bearer ${writer.token}` };

interface Signing {
  readonly secret?: string;
  readonly service?: string;
  readonly at?: Date;
  readonly signedBody?: string;
  readonly signedPath?: string;
}

function signed({ method, target, body = "" }: Sent, how: Signing = {}): Record<string, string> {
  const { secret = writer.secretAccessKey, service = "execute-api", at = now } = how;
  const { signedBody = body, signedPath = target } = how;
  const time = at.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const where = { day: time.slice(0, 8), region: "us-east-1", service };
  const headers = [
    ["host", "127.0.0.1:8080"],
    ["x-amz-date", time],
  ] as const;
  const signature = requestSignature(
    { method, path: signedPath, query: "", headers, payloadHash: hash("sha256", signedBody) },
    { key: signingKey(secret, where), scope: where, time },
  );
  const credential = `${writer.accessKeyId}/${scopeText(where)}`;
  return {
    "x-amz-date": time,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  };
}

/** Every file, with its content. */
function everything(): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true });
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => [join(entry.parentPath, entry.name), join(entry.parentPath, entry.name)])
      .map(([name = "", path = ""]) => [name.slice(folder.length), readFileSync(path, "base64")]),
  );
}

describe("requests that are refused on every route", () => {
  it.each([
    ["unsigned", () => ({})],
    ["with an unknown token", () => ({ authorization: `Bearer ${"y".repeat(40)}` })],
    ["signed with a wrong secret", (sent: Sent) => signed(sent, { secret: "wrong" })],
    ["signed for another service", (sent: Sent) => signed(sent, { service: "s3" })],
    ["signed an hour ago", (sent: Sent) => signed(sent, { at: new Date(now.getTime() - 3_600_000) })],
    ["with another body than the signed one", (sent: Sent) => signed(sent, { signedBody: "{ }" })],
    ["with another path than the signed one", (sent: Sent) => signed(sent, { signedPath: "/v1/other" })],
  ])("%s", async (_, headersOf: (sent: Sent) => Record<string, string>) => {
    const before = everything();
    for (const request of everyRequest())
      expect(await send({ ...request, headers: headersOf(request) }), request.target).toMatchObject({
        status: 401,
      });
    expect(everything()).toEqual(before);
  });

  it("but rightly signed ones are answered", async () => {
    const [request] = everyRequest();
    if (request === undefined) throw new Error("no routes");
    expect(await send({ ...request, headers: signed(request) })).toMatchObject({ status: 200 });
  });

  it("sent by web pages of other origins, with and without access keys", async () => {
    const open = start([]);
    const before = everything();
    for (const request of everyRequest()) {
      const foreign = { origin: "https://evil.example.org" };
      expect(await send({ ...request, headers: { ...bearer, ...foreign } })).toMatchObject({ status: 403 });
      expect(await send({ ...request, headers: foreign, to: open })).toMatchObject({ status: 403 });
      const host = { host: "evil.example.org" };
      expect(await send({ ...request, headers: host, to: open })).toMatchObject({ status: 403 });
    }
    for (const target of ["/v1/legacy/precalculations/model?modelid=eos3b5e", "/v1/legacy/upload"])
      for (const headers of [{ origin: "https://evil.example.org" }, { host: "evil.example.org" }])
        expect(await send({ method: "POST", target, headers, to: open })).toMatchObject({ status: 403 });
    expect(everything()).toEqual(before);
    await open.close();
  });

  it("for Ersilia's clients, where access keys are needed", async () => {
    const target = "/v1/legacy/precalculations/model?modelid=eos3b5e";
    expect(await send({ method: "GET", target })).toMatchObject({ status: 401 });
    expect(await send({ method: "GET", target, headers: bearer })).toMatchObject({ status: 404 });
  });
});

describe("ids that reach for something else", () => {
  const reaching = [
    "..",
    "../eos3b5e",
    "..%2f..%2fsecret.json",
    "%2e%2e%2f%2e%2e",
    "eos3b5e%2F..%2Feos3b5e",
    "eos3b5e%00",
    "eos3b5e'%20OR%20'1'='1",
    "release=v1",
    ".",
    "%20",
    "a".repeat(65),
    `${"1".repeat(12)}%2F${"0".repeat(32)}`,
  ];

  it.each(reaching)("%s is not found, and nothing is read or written", async (id) => {
    const before = everything();
    const named = everyRequest(id, id).filter(
      ({ target, body }) => target.includes(id) || body?.includes(id) === true,
    );
    expect(named.length).toBeGreaterThan(5);
    for (const request of named) {
      const response = await send({ ...request, headers: bearer });
      expect([400, 404], `${request.method} ${request.target}`).toContain(response.status);
    }
    expect(everything()).toEqual(before);
  });

  it("no drop of listed rows leaves the predictions", async () => {
    const body = JSON.stringify({ release: "v1", columnsDigest: "0".repeat(16) });
    for (const id of reaching) {
      const response = await send({
        ...{ method: "POST", target: `/v1/models/${id}/drop`, headers: bearer, body },
      });
      if (response.status === 200) expect(JSON.parse(String(response.body))).toMatchObject({ rows: 0 });
    }
    expect(await tier.count(scope, freshAsk())).toBe(1);
  });

  it.each(["../../escape", "..", "/", "v1/../v2", "'; DROP TABLE x; --", "__HIVE_DEFAULT_PARTITION__"])(
    "rows of release %s stay below the folder of their model",
    async (release) => {
      const before = new Set(Object.keys(everything()));
      const body = JSON.stringify({ rows: [{ input: "C", values: [1] }], release, columns });
      const target = "/v1/models/eos3b5e/rows";
      await send({ method: "POST", target, headers: bearer, body });
      const added = Object.keys(everything()).filter((name) => !before.has(name));
      for (const name of added)
        expect(name).toMatch(/^\/cloud\/predictions\/model_id=eos3b5e\/release=[^/]+\/[0-9a-f-]+\.parquet$/);
      expect(await tier.count(scope, freshAsk())).toBe(1);
      expect(await tier.getMany(scope, ["C"], freshAsk())).toEqual([undefined]);
    },
  );
});

describe("uploads over their size", () => {
  let listening: Listening;
  beforeEach(async () => {
    listening = await listen(
      createRouter([jobs], (line) => lines.push(line)),
      { host: "127.0.0.1", port: 0 },
    );
  });
  afterEach(() => listening.close());

  it("are refused: over 16 MiB from callers that are known, over 64 KiB from others", async () => {
    const url = `http://127.0.0.1:${listening.port}/v1/models/eos3b5e/lookups`;
    const post = (bytes: number, headers: Record<string, string>) =>
      fetch(url, {
        ...{ method: "POST", body: " ".repeat(bytes) },
        headers: { "content-type": "application/json", ...headers },
      });
    expect((await post((16 << 20) + 1, bearer)).status).toBe(413);
    expect((await post((64 << 10) + 1, {})).status).toBe(401);
    expect((await post(64 << 10, bearer)).status).toBe(400);
  });
});

describe("logs", () => {
  it("hold no queries, signatures, tokens or secrets, and no text of a client becomes an operation", async () => {
    const submit = { requestId, model: model.id, fetch: "filter", inputs: ["CCO"] };
    const post = (target: string, body: object) =>
      send({ method: "POST", target, headers: bearer, body: JSON.stringify(body) });
    const { id } = JSON.parse(String((await post("/v1/jobs", submit)).body)) as { id: string };
    const list = await send({ method: "GET", target: `/v1/jobs/${id}/files`, headers: bearer });
    const { files } = JSON.parse(String(list.body)) as { files: { url: string }[] };
    expect(await send({ method: "GET", target: files[0]?.url ?? "" })).toMatchObject({ status: 200 });
    await send({ method: "GET", target: `${files[0]?.url}0` });
    const open = start([]);
    await send({ method: "GET", target: "/v1/legacy/whatever?modelid=eos3b5e", to: open });
    await open.close();
    expect(lines.map(({ operation }) => operation)).toEqual([
      ...["submitJob", "listFiles", "getFile", "getFile", undefined],
    ]);
    const log = JSON.stringify(lines);
    for (const secret of ["?", "signature", "expires", writer.token ?? "", writer.secretAccessKey])
      expect(log).not.toContain(secret);
  });
});
