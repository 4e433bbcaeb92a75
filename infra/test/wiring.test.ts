import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshAsk, type ModelId } from "../../src/kernel/index.ts";
import { openObjectStore } from "../../src/store/objects/index.ts";
import {
  createDynamoTier,
  createParquetTier,
  createRemoteTier,
  type PredictionTier,
} from "../../src/store/predictions/index.ts";
import { signatureHeaders } from "../../src/store/predictions/remote/sign.ts";
import { type DynamoServer, dynamoCredentials, startDynamo } from "../../test/servers/dynalite.ts";
import { missingOf } from "../../test/servers/requirement.ts";
import { makeBucket, type S3Address, s3Requirement, sharedS3 } from "../../test/servers/s3.ts";
import { formTo, linkTo } from "../lambda/presigned.ts";
import { type Cloud, startCloud } from "./cloud.ts";
import { allowing, grantsOf, matches } from "./iam.ts";
import { served, synthesize } from "./synthesized.ts";

const ask = freshAsk();
const credentials = { accessKeyId: "AKIDCALLER", secretAccessKey: "of the caller" };
const [model] = served;
const scope = {
  modelId: (model?.id ?? "") as ModelId,
  release: model?.release ?? "",
  columns: model?.columns ?? [],
};
const rows = Array.from({ length: 120 }, (_, at) => ({ input: `C${"C".repeat(at)}`, values: [at + 0.5] }));
const requestId = "0f8fad5b-d9cb-469f-a165-70867728950e";

const missing = missingOf(s3Requirement);
const title = `the stage, from its templates${missing === undefined ? "" : ` [skipped: ${missing}]`}`;

describe.skipIf(missing !== undefined)(title, () => {
  let s3: S3Address;
  let dynamo: DynamoServer;
  let bucket: string;
  let cloud: Cloud;
  let api: PredictionTier;
  const code = mkdtempSync(join(tmpdir(), "memoir-lambda-"));

  beforeAll(async () => {
    execFileSync(process.execPath, [join(import.meta.dirname, "../scripts/build.mjs"), code]);
    [s3, dynamo] = await Promise.all([sharedS3(), startDynamo()]);
    bucket = await makeBucket(s3, "cloud");
    const table = await dynamo.createTable();
    const access = { endpoint: s3.endpoint, region: s3.region, credentials: s3 };
    const parquet = createParquetTier({ store: openObjectStore(`s3://${bucket}`, { s3: access }) });
    const filled = createDynamoTier({
      ...{ table, parquet, access: { endpoint: dynamo.endpoint, credentials: dynamoCredentials } },
    });
    await filled.open(ask);
    await filled.putMany(scope, rows.slice(0, 100), ask);
    await parquet.putMany(scope, rows.slice(100), ask);
    await filled.close();
    cloud = await startCloud({
      ...{ synthesized: synthesize("dev", { code: join(code, "lambda") }), s3, bucket, table },
      dynamodb: dynamo.endpoint,
      keys: [{ ...credentials, account: "111111111111" }],
    });
    api = createRemoteTier({ url: cloud.address, sign: "us-east-1", credentials });
  });
  afterAll(async () => {
    await api?.close();
    await cloud?.close();
    await dynamo?.stop();
    rmSync(code, { recursive: true, force: true });
  });

  it("looks rows up through gateway and function: those of the table, those of the files alone, and misses", async () => {
    await api.open(ask);
    const inputs = [rows[110], rows[3], rows[3]].map((row) => row?.input ?? "");
    const found = await api.getMany(scope, [...inputs, "not there"], ask);
    expect(found.map((row) => row?.values)).toEqual([[110.5], [3.5], [3.5], undefined]);
  });

  const post = (path: string, body: object) => call("POST", path, JSON.stringify(body));
  async function call(method: string, path: string, body = "", as = credentials) {
    const url = new URL(`${cloud.address}${path}`);
    const request = { method, url, body, region: "us-east-1", now: new Date() };
    const headers = { "content-type": "application/json", ...signatureHeaders(as, request) };
    const answer = await fetch(url, { method, headers, ...(method === "GET" ? {} : { body }) });
    return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, unknown>> };
  }
  const submit = (what: object, id = requestId) =>
    post("/v1/jobs", { requestId: id, model: model?.id, ...what });
  async function linesOf(
    job: unknown,
  ): Promise<readonly { readonly input: string; readonly status?: string }[]> {
    const { body } = await call("GET", `/v1/jobs/${String(job)}/files`);
    const lines: { readonly input: string }[] = [];
    for (const { url } of body["files"] as readonly { readonly url: string }[]) {
      const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
      for (const line of gunzipSync(bytes).toString("utf8").trimEnd().split("\n"))
        lines.push(JSON.parse(line));
    }
    return lines;
  }

  it("lists the models, what is stored, and everything that is known of one molecule", async () => {
    expect((await call("GET", "/v1/models")).body["models"]).toMatchObject([{ id: model?.id }]);
    expect((await call("GET", "/v1/stored")).body["stored"]).toMatchObject([{ model: model?.id, rows: 120 }]);
    const molecule = await post("/v1/molecules/lookups", { input: rows[5]?.input });
    expect(molecule.body["models"]).toMatchObject([{ status: "stored", values: [5.5] }]);
    expect(await api.count(scope, ask)).toBe(120);
    expect(await api.sample(scope, { count: 7, seed: "s" }, ask)).toHaveLength(7);
  });

  it("does a small job within submit, once, and its files are read by links without a key", async () => {
    const inputs = [rows[7]?.input, "nowhere", rows[7]?.input];
    const first = await submit({ fetch: "filter", inputs });
    expect(first).toMatchObject({ status: 200, body: { state: "SUCCEEDED", rows: 3 } });
    const again = await submit({ fetch: "filter", inputs });
    expect(again.body["id"]).toBe(first.body["id"]);
    expect(cloud.messages).toEqual([]);
    const lines = await linesOf(first.body["id"]);
    expect(lines.map(({ status }) => status)).toEqual(["stored", "missing", "stored"]);
    const { body } = await call("GET", "/v1/jobs");
    expect(body["jobs"]).toMatchObject([{ id: first.body["id"] }]);
  });

  it("hands a large job over to the worker, and another Memoir scans all rows through it", async () => {
    const scanned: string[] = [];
    const scan = async () => {
      for await (const batch of api.scan(scope, ask)) scanned.push(...batch.map(({ input }) => input));
    };
    const work = async () => {
      await expect.poll(() => cloud.messages.length).toBe(1);
      expect(await cloud.deliver()).toBe("done");
    };
    await Promise.all([scan(), work()]);
    expect(scanned.toSorted()).toEqual(rows.map(({ input }) => input).toSorted());
  });

  async function announce(content: string) {
    const sha256 = createHash("sha256").update(content).digest("hex");
    const { body } = await post("/v1/uploads", { sha256, sizeBytes: Buffer.byteLength(content) });
    return body as { upload: string; url: string; fields: Readonly<Record<string, string>> };
  }
  async function upload(
    { url, fields }: { readonly url: string; readonly fields: Readonly<Record<string, string>> },
    content: string,
  ) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", new Blob([content]));
    return fetch(url, { method: "POST", body: form });
  }
  const linesWith = (inputs: readonly string[]) =>
    inputs.map((input) => `${JSON.stringify(input)}\n`).join("");

  it("takes more inputs than a request may have: uploaded to the bucket by a signed form, read by the worker", async () => {
    const inputs = Array.from(
      { length: 40_000 },
      (_, at) => rows[at]?.input ?? `nothing that is stored ${at} ${"N".repeat(150)}`,
    );
    const content = linesWith(inputs);
    expect(content.length).toBeGreaterThan(6 << 20);
    const form = await announce(content);
    const id = "6f8fad5b-d9cb-469f-a165-70867728950e";
    expect(await submit({ fetch: "filter", upload: form.upload }, id)).toMatchObject({
      ...{ status: 409, body: { code: "UPLOAD_NOT_FOUND" } },
    });
    expect((await upload(form, content)).ok).toBe(true);
    const { body } = await submit({ fetch: "filter", upload: form.upload }, id);
    expect(body["state"]).toBe("PENDING");
    expect((await submit({ fetch: "filter", upload: form.upload }, id)).body["id"]).toBe(body["id"]);
    expect(await cloud.deliver()).toBe("done");
    // The message of the second submit finds the job done.
    expect(await cloud.deliver()).toBe("done");
    const lines = await linesOf(body["id"]);
    expect(lines.map(({ input }) => input)).toEqual(inputs);
    expect(lines.filter(({ status }) => status === "stored")).toHaveLength(rows.length);
  });

  it("an upload over its size, for another object or after its time is refused by the bucket", async () => {
    const content = linesWith(["C"]);
    const form = await announce(content);
    expect((await upload(form, content + content)).status).toBe(400);
    expect((await upload(form, "")).status).toBe(400);
    // Straight to the bucket, past the rights of the function.
    const direct = { ...form, url: `${s3.endpoint}/${bucket}` };
    for (const key of [
      `predictions/model_id=${model?.id}/x.parquet`,
      form.fields["key"]?.replace(/1{12}/, "222222222222") ?? "",
    ])
      expect((await upload({ ...direct, fields: { ...form.fields, key } }, content)).status).toBe(403);
    const { policy, ...unsigned } = form.fields;
    expect(policy).toBeDefined();
    expect((await upload({ ...direct, fields: unsigned }, content)).ok).toBe(false);
    const env = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
    const how = {
      ...{ bucket, key: form.fields["key"] ?? "", region: "us-east-1", endpoint: s3.endpoint },
      ...{ forSeconds: 900, sizeBytes: content.length },
    };
    const late = formTo({ ...how, now: new Date(Date.now() - 20 * 60_000) }, env);
    expect((await upload(late, content)).status).toBe(403);
    expect((await upload(formTo({ ...how, now: new Date() }, env), content)).ok).toBe(true);
  });

  it("a job whose upload is not what was announced fails, and answers nothing", async () => {
    const form = await announce(linesWith(["CC"]));
    await upload(form, linesWith(["CN"]));
    const { body } = await submit(
      { fetch: "filter", upload: form.upload },
      "7f8fad5b-d9cb-469f-a165-70867728950e",
    );
    expect(await cloud.deliver()).toBe("done");
    expect((await call("GET", `/v1/jobs/${String(body["id"])}`)).body).toMatchObject({
      ...{ state: "FAILED", files: 0, error: "the upload is not what was announced" },
    });
  });

  it("runs a job again whose worker was killed in the middle, and writes each row once", async () => {
    const { body } = await submit({ fetch: "all" }, "1f8fad5b-d9cb-469f-a165-70867728950e");
    expect(body["state"]).toBe("PENDING");
    const { proxy, function: running } = cloud.worker;
    proxy.onCall = async ({ action, resource }) => {
      if (action === "s3:PutObject" && resource.includes("/results/")) running.kill();
    };
    expect(await cloud.deliver()).toBe("again");
    proxy.onCall = undefined;
    expect((await call("GET", `/v1/jobs/${String(body["id"])}`)).body["state"]).toBe("RUNNING");
    expect(await cloud.deliver()).toBe("done");
    expect((await call("GET", `/v1/jobs/${String(body["id"])}`)).body["state"]).toBe("SUCCEEDED");
    const lines = await linesOf(body["id"]);
    expect(lines.map(({ input }) => input).toSorted()).toEqual(rows.map(({ input }) => input).toSorted());
  });

  it("leaves a job that was cancelled while it waited, and one whose message comes twice, as they are", async () => {
    const { body } = await submit({ fetch: "all" }, "2f8fad5b-d9cb-469f-a165-70867728950e");
    const path = `/v1/jobs/${String(body["id"])}`;
    expect((await post(`${path}/cancel`, {})).body["state"]).toBe("CANCELLED");
    expect(await cloud.deliver()).toBe("done");
    expect((await call("GET", path)).body).toMatchObject({ state: "CANCELLED", files: 0 });
    expect((await call("GET", `${path}/files`)).status).toBe(409);
  });

  it("a message that no worker gets through ends among the dead letters, which an alarm watches", async () => {
    await submit({ fetch: "all" }, "3f8fad5b-d9cb-469f-a165-70867728950e");
    const { proxy, function: running } = cloud.worker;
    proxy.onCall = async () => running.kill();
    const outcomes = [await cloud.deliver(), await cloud.deliver(), await cloud.deliver()];
    proxy.onCall = undefined;
    expect(outcomes).toEqual(["again", "again", "dead"]);
    expect(cloud.deadLetters).toHaveLength(1);
  });

  it("refuses requests that are unsigned, wrongly signed, of nobody known, or for a route that is not there", async () => {
    expect((await fetch(`${cloud.address}/v1/models`)).status).toBe(403);
    const wrong = { ...credentials, secretAccessKey: "guessed" };
    expect((await call("GET", "/v1/models", "", wrong)).status).toBe(403);
    expect((await call("GET", "/v1/models", "", { ...wrong, accessKeyId: "AKIDFOREIGN" })).status).toBe(403);
    for (const path of [
      "/v1/models/eos3b5e/rows",
      "/v1/models/eos3b5e/drop",
      "/v1/legacy/predict/submit",
      "/",
    ])
      expect((await post(path, {})).status).toBe(404);
    const forged = await fetch(`${cloud.address}/v1/models`, {
      headers: { "x-amzn-account": "111111111111", authorization: "Bearer x" },
    });
    expect(forged.status).toBe(403);
  });

  it("ids that reach for other prefixes are those of no model and no job", async () => {
    const before = cloud.front.proxy.calls.length;
    for (const id of ["..%2F..%2Fjobs", "x%27%20OR%201%3D1", "predictions%2Fmodel_id=eos3b5e"]) {
      expect((await post(`/v1/models/${id}/lookups`, { inputs: ["C"] })).status).toBe(404);
      expect((await call("GET", `/v1/jobs/${id}`)).status).toBe(404);
      expect((await call("GET", `/v1/jobs/${id}/files`)).status).toBe(404);
    }
    expect(cloud.front.proxy.calls.slice(before)).toEqual([]);
  });

  it("an answer that Lambda could not send says so, instead of failing without a reason", async () => {
    const inputs = Array.from({ length: 1000 }, (_, at) => "C\t".repeat(2_000) + at);
    const { status, body } = await post(`/v1/models/${model?.id}/lookups`, { inputs });
    expect([status, body["code"]]).toEqual([413, "ANSWER_TOO_LARGE"]);
    // Another Memoir asks again, for fewer at once.
    expect(await api.getMany(scope, inputs, ask)).toEqual(inputs.map(() => undefined));
  });

  it("a link works for its object alone, and not after its time", async () => {
    const now = new Date(Date.now() - 20 * 60_000);
    const [file] = cloud.front.proxy.calls
      .filter(({ action, resource }) => action === "s3:GetObject" && resource.includes("/results/"))
      .map(({ resource }) => resource.replace(`arn:aws:s3:::${bucket}/`, ""));
    const env = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
    const link = { bucket, key: file ?? "", region: "us-east-1", endpoint: s3.endpoint, forSeconds: 900 };
    expect((await fetch(linkTo({ ...link, now: new Date() }, env))).status).toBe(200);
    expect((await fetch(linkTo({ ...link, now }, env))).status).toBe(403);
    const other = linkTo({ ...link, now: new Date() }, env).replace(/part-\d{5}/, "part-00009");
    expect((await fetch(other)).status).toBe(403);
  });

  it("its logs name neither addresses nor keys nor inputs", () => {
    const log = cloud.front.function.log() + cloud.worker.function.log();
    expect(log).toContain('"operation":"lookUp"');
    expect(log).not.toMatch(/https?:\/\/127|X-Amz|AKID|CCCC/);
    expect(log).not.toContain(s3.secretAccessKey);
  });

  it("all of this was allowed by the roles of the templates, and every grant of the functions was used", () => {
    for (const { proxy, statements } of [cloud.front, cloud.worker]) {
      expect(proxy.refused).toEqual([]);
      expect(proxy.calls.every((call) => allowing(statements, call).length > 0)).toBe(true);
      // The runtime itself writes the logs.
      const grants = grantsOf(statements).filter(({ action }) => !action.startsWith("logs:"));
      expect(grants.length).toBeGreaterThan(5);
      const unused = grants.filter(
        ({ action, resource }) =>
          !proxy.calls.some((call) => call.action === action && matches(resource, call.resource)),
      );
      expect(unused).toEqual([]);
    }
  });
});
