import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HttpResponse, ServerKey } from "../http/index.ts";
import { type Ask, freshAsk, type ModelId } from "../kernel/index.ts";
import { createMemoryTier, type PredictionTier } from "../store/predictions/index.ts";
import type { Column } from "../task/index.ts";
import { createJobs, type Jobs } from "./create-jobs.ts";

const columns: readonly Column[] = [
  { name: "weight", type: "float" },
  { name: "label", type: "string" },
];
const weight = { id: "eos3b5e", slug: "molecular-weight", title: "Weight", release: "v1", columns };
const other = { id: "eos9zzz", slug: "other", title: "Other", release: "v2", columns };
const requestId = "0f8fad5b-d9cb-469f-a165-70867728950e";

function key(account: string, more: Partial<ServerKey> = {}): ServerKey {
  const token = `token-of-${account}-${"x".repeat(32)}`;
  return { accessKeyId: `AKID${account}`, secretAccessKey: "secret", account, token, ...more };
}
const writer = key("111111111111", { predictions: "write" });
const reader = key("222222222222", { predictions: "read", models: ["eos3b5e"] });
const nobody = key("333333333333");
/** Of the writer's account, for another model. */
const colleague = key("111111111111", {
  ...{ accessKeyId: "AKIDCOLLEAGUE", token: `another-token-${"x".repeat(32)}` },
  ...{ predictions: "read", models: ["eos9zzz"] },
});

let folder: string;
let tier: PredictionTier;
let jobs: Jobs;
let now: Date;
let bugs: unknown[];

function start(over: PredictionTier = tier, more: { readonly mostJobBytes?: number } = {}): Jobs {
  const served = { tier: over, models: async () => [weight, other], jobsFolder: join(folder, "jobs") };
  return createJobs({
    ...{
      served,
      keys: [writer, reader, nobody, colleague],
      openAccount: "000000000000",
      region: "us-east-1",
    },
    ...{ now: () => now, onBug: (error: unknown) => bugs.push(error), ...more },
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "memoir-jobs-"));
  now = new Date("2026-11-30T08:00:00Z");
  bugs = [];
  tier = createMemoryTier();
  const rows = Array.from({ length: 30 }, (_, at) => ({ input: `C${at}`, values: [at, `label ${at}`] }));
  await tier.putMany({ modelId: weight.id as ModelId, release: "v1", columns }, rows, freshAsk());
  jobs = start();
});
afterEach(async () => {
  await jobs.close();
  rmSync(folder, { recursive: true, force: true });
  expect(bugs).toEqual([]);
});

interface Sent {
  readonly as?: ServerKey;
  readonly body?: unknown;
  readonly to?: Jobs;
}

async function send(target: string, { as = writer, body, to = jobs }: Sent = {}): Promise<HttpResponse> {
  const { response } = await to.fetch(
    {
      method: body === undefined ? "GET" : "POST",
      target,
      headers: { authorization: `Bearer ${as.token}`, "content-type": "application/json" },
      body: Buffer.from(body === undefined ? "" : JSON.stringify(body)),
      requestId: "r",
    },
    freshAsk(),
  );
  return response;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are JSON
async function json(target: string, sent: Sent = {}): Promise<any> {
  const { status, body } = await send(target, sent);
  return { httpStatus: status, ...JSON.parse(String(body)) };
}

function linesOf({ body }: HttpResponse): unknown[] {
  const { path } = body as { path: string };
  return gunzipSync(readFileSync(path))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("look-ups", () => {
  it("answer in the order of the inputs, with value and status of each, under the id or the slug", async () => {
    const body = { inputs: ["C2", "nothing", "C1", "C2"] };
    const answer = await json("/v1/models/molecular-weight/lookups", { body });
    expect(answer).toMatchObject({ account: writer.account, model: "eos3b5e", release: "v1", columns });
    expect(answer.rows).toEqual([
      { status: "stored", input: "C2", values: [2, "label 2"] },
      { status: "missing", input: "nothing" },
      { status: "stored", input: "C1", values: [1, "label 1"] },
      { status: "stored", input: "C2", values: [2, "label 2"] },
    ]);
    expect((await json("/v1/models/eos3b5e/lookups", { body })).rows).toEqual(answer.rows);
  });

  it("answers column by column for up to 20,000 inputs, and no other shape", async () => {
    const asked = (count: number, answer: string) => ({
      body: { answer, inputs: Array.from({ length: count }, (_, at) => `C${at + 29}`) },
    });
    const path = "/v1/models/eos3b5e/lookups";
    expect(await json(path, asked(20_000, "columns"))).toMatchObject({
      httpStatus: 200,
      found: [0],
      values: [[29], ["label 29"]],
    });
    for (const body of [asked(20_001, "columns"), asked(1, "cells"), asked(1001, "rows")])
      expect(await json(path, body)).toMatchObject({ httpStatus: 400, code: "REQUEST_INVALID" });
  });

  it("take up to 1,000 inputs", async () => {
    const inputs = (count: number) => ({
      body: { inputs: Array.from({ length: count }, (_, at) => `C${at}`) },
    });
    expect((await json("/v1/models/eos3b5e/lookups", inputs(1000))).rows).toHaveLength(1000);
    expect(await json("/v1/models/eos3b5e/lookups", inputs(1001))).toMatchObject({
      ...{ httpStatus: 400, code: "REQUEST_INVALID" },
    });
  });

  it("ask all models about one molecule", async () => {
    const answer = await json("/v1/molecules/lookups", { body: { input: "C7" } });
    expect(answer.models).toMatchObject([
      { model: "eos3b5e", status: "stored", values: [7, "label 7"] },
      { model: "eos9zzz", status: "missing" },
    ]);
  });

  it.each([
    [{}, 400],
    [{ inputs: "C" }, 400],
    [{ inputs: ["C"], input: "C" }, 400],
    [{ inputs: ["C"], release: "v9" }, 400],
    [{ inputs: ["C"], columns: [{ name: "x", type: "date" }], release: "v1" }, 400],
  ])("%j is refused", async (body, status) => {
    expect(await json("/v1/models/eos3b5e/lookups", { body })).toMatchObject({ httpStatus: status });
  });
});

describe("who may see what", () => {
  it("a key without rights reads nothing, a reader writes nothing, and other models do not exist for it", async () => {
    const body = { inputs: ["C1"] };
    expect(await json("/v1/models/eos3b5e/lookups", { as: nobody, body })).toMatchObject({ httpStatus: 403 });
    expect(await json("/v1/models", { as: nobody })).toMatchObject({ httpStatus: 403 });
    expect((await json("/v1/models", { as: reader })).models).toMatchObject([{ id: "eos3b5e" }]);
    const hidden = await json("/v1/models/eos9zzz/lookups", { as: reader, body });
    const unknown = await json("/v1/models/eos9zzy/lookups", { as: reader, body });
    expect(hidden.httpStatus).toBe(404);
    expect(hidden).toEqual({ ...unknown, detail: unknown.detail.replace("eos9zzy", "eos9zzz") });
    const named = { ...body, release: "v2", columns };
    expect(await json("/v1/models/eos9zzz/lookups", { as: reader, body: named })).toEqual(hidden);
    const rows = { rows: [{ input: "C1", values: [9, "changed"] }], release: "v1", columns };
    expect(await json("/v1/models/eos3b5e/rows", { as: reader, body: rows })).toMatchObject({
      httpStatus: 403,
    });
    expect(await json("/v1/models/eos3b5e/drop", { as: reader, body: {} })).toMatchObject({
      httpStatus: 403,
    });
    expect((await json("/v1/molecules/lookups", { as: reader, body: { input: "C1" } })).models).toHaveLength(
      1,
    );
    expect((await send("/v1/models", { as: key("444444444444") })).status).toBe(401);
  });

  it("every answer, refusals too, says who may see what", async () => {
    const of = async (as: ServerKey, target: string) => (await json(target, { as })).access;
    for (const target of ["/v1/models", "/v1/jobs", "/v1/jobs/none", "/v1/nothing"]) {
      const { account } = writer;
      expect(await of(writer, target), target).toEqual({ account, use: "write", models: "all" });
      expect(await of(reader, target), target).toEqual({
        ...{ account: reader.account, use: "read", models: ["eos3b5e"] },
      });
      expect(await of(nobody, target), target).toEqual({
        ...{ account: nobody.account, use: "none", models: [] },
      });
    }
  });

  it("a key does not see jobs about models that it may not see, also those of its account", async () => {
    const body = { requestId, model: "eos3b5e", fetch: "filter", inputs: ["C1"] };
    const job = await json("/v1/jobs", { body });
    const path = `/v1/jobs/${job.id}`;
    expect(await json(path, { as: colleague })).toMatchObject({ httpStatus: 404, code: "JOB_NOT_FOUND" });
    expect(await json(`${path}/files`, { as: colleague })).toMatchObject({ httpStatus: 404 });
    expect(await json(`${path}/cancel`, { as: colleague, body: {} })).toMatchObject({ httpStatus: 404 });
    expect((await json("/v1/jobs", { as: colleague })).jobs).toEqual([]);
    expect(await json(path)).toMatchObject({ state: "SUCCEEDED" });
  });

  it("an account sees its own jobs only", async () => {
    const body = { requestId, model: "eos3b5e", fetch: "filter", inputs: ["C1"] };
    const job = await json("/v1/jobs", { body });
    for (const path of [`/v1/jobs/${job.id}`, `/v1/jobs/${job.id}/files`, "/v1/jobs/..%2F111111111111"])
      expect(await json(path, { as: reader })).toMatchObject({ httpStatus: 404, code: "JOB_NOT_FOUND" });
    expect((await json("/v1/jobs", { as: reader })).jobs).toEqual([]);
    expect((await json("/v1/jobs")).jobs).toMatchObject([{ id: job.id }]);
    expect((await json("/v1/jobs", { as: reader, body })).id).not.toBe(job.id);
  });
});

/** Never ends before it is stopped. */
function ended({ signal }: Ask): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

describe("jobs", () => {
  const filter = { requestId, model: "eos3b5e", fetch: "filter", inputs: ["C5", "no", "C5"] };

  it("small ones are done when submit answers, and a repeated submit is the same job", async () => {
    const job = await json("/v1/jobs", { body: filter });
    expect(job).toMatchObject({ account: writer.account, state: "SUCCEEDED", rows: 3, files: 1 });
    const [again, atOnce] = await Promise.all([
      json("/v1/jobs", { body: filter }),
      json("/v1/jobs", { body: filter }),
    ]);
    expect([again, atOnce]).toEqual([job, job]);
    expect((await json("/v1/jobs", { body: { ...filter, inputs: ["C5"] } })).id).not.toBe(job.id);
    const { files } = await json(`/v1/jobs/${job.id}/files`);
    expect(files).toMatchObject([{ rows: 3, sizeBytes: expect.any(Number) }]);
    expect(linesOf(await send(files[0].url, { as: nobody }))).toEqual([
      { status: "stored", input: "C5", values: [5, "label 5"] },
      { status: "missing", input: "no" },
      { status: "stored", input: "C5", values: [5, "label 5"] },
    ]);
  });

  it("with more rows than its process can write in time is refused at submit, with the way to read them all", async () => {
    const few = start(tier, { mostJobBytes: 30 * (180 + 2 * 20) });
    const all = (id: string) => ({ requestId: requestId.replace("0f", id), model: "eos3b5e", fetch: "all" });
    const submit = (body: object) => send("/v1/jobs", { body, to: few });
    expect((await submit(all("1f"))).status).toBe(200);
    const scope = { modelId: weight.id as ModelId, release: "v1", columns };
    await tier.putMany(scope, [{ input: "one more", values: [1, ""] }], freshAsk());
    const { status, body } = await submit(all("2f"));
    expect([status, JSON.parse(String(body))]).toMatchObject([413, { code: "JOB_TOO_LARGE" }]);
    expect(String(body)).toContain("eos3b5e has 31 rows; a job here ends in time with up to 30 of them");
    expect(String(body)).toContain("memoir dump --cloud");
    // What is known already, or bounded by the request itself, is not refused.
    expect((await submit(all("1f"))).status).toBe(200);
    expect((await submit({ ...all("3f"), fetch: "filter", inputs: ["C1"] })).status).toBe(200);
    await few.close();
  });

  it("samples are the same for the same seed", async () => {
    const sample = { requestId, model: "eos3b5e", fetch: "sample", samples: 4, seed: "seven" };
    const linesFor = async (body: object) => {
      const { id } = await json("/v1/jobs", { body });
      const { files } = await json(`/v1/jobs/${id}/files`);
      return linesOf(await send(files[0].url));
    };
    const first = await linesFor(sample);
    expect(first).toHaveLength(4);
    expect(await linesFor({ ...sample, requestId: requestId.replace("0f", "1f") })).toEqual(first);
    expect(await linesFor({ ...sample, seed: "eight" })).not.toEqual(first);
    // A number is the seed that its digits are.
    expect(await linesFor({ ...sample, seed: 7 })).toEqual(await linesFor({ ...sample, seed: "7" }));
  });

  it("a link works for 15 minutes and for its file only", async () => {
    const { id } = await json("/v1/jobs", { body: filter });
    const { files } = await json(`/v1/jobs/${id}/files`);
    const { url } = files[0] as { url: string };
    expect((await send(url, { as: nobody })).status).toBe(200);
    for (const changed of [
      url.replace("part-00000", "part-00001"),
      url.replace(id, "0".repeat(32)),
      url.replace(/expires=\d+/, "expires=99999999999999"),
      url.replace(/signature=.{4}/, "signature=0000"),
      url.replace(/\?.*/, ""),
    ])
      expect((await send(changed)).status).toBe(403);
    now = new Date(now.getTime() + 15 * 60_000 + 1);
    expect((await send(url)).status).toBe(403);
  });

  it("are removed with their files after two days", async () => {
    const { id } = await json("/v1/jobs", { body: filter });
    const place = join(folder, "jobs", writer.account, id);
    expect(existsSync(place)).toBe(true);
    now = new Date(now.getTime() + 2 * 24 * 3_600_000);
    expect(await json(`/v1/jobs/${id}`)).toMatchObject({ httpStatus: 404 });
    await jobs.resume();
    expect(existsSync(place)).toBe(false);
  });

  it("run again with the next server when theirs was stopped, and write the same files", async () => {
    let reached = () => {};
    const reads = new Promise<void>((done) => {
      reached = done;
    });
    const held: PredictionTier = {
      ...tier,
      scan: async function* (_scope, ask) {
        yield [];
        reached();
        await ended(ask);
      },
    };
    const stopped = start(held);
    const job = await json("/v1/jobs", { to: stopped, body: { requestId, model: "eos3b5e", fetch: "all" } });
    await reads;
    expect(await json(`/v1/jobs/${job.id}`, { to: stopped })).toMatchObject({ state: "RUNNING" });
    await stopped.close();
    await jobs.resume();
    await expect.poll(async () => (await json(`/v1/jobs/${job.id}`)).state).toBe("SUCCEEDED");
    const { files } = await json(`/v1/jobs/${job.id}/files`);
    expect(linesOf(await send(files[0].url))).toHaveLength(30);
  });

  it("can be cancelled while they run, and have no files then", async () => {
    const held: PredictionTier = {
      ...tier,
      scan: async function* (_scope, ask) {
        yield [];
        await ended(ask);
      },
    };
    const server = start(held);
    const job = await json("/v1/jobs", { to: server, body: { requestId, model: "eos3b5e", fetch: "all" } });
    expect(await json(`/v1/jobs/${job.id}/cancel`, { to: server, body: {} })).toMatchObject({
      state: "CANCELLED",
    });
    expect(await json(`/v1/jobs/${job.id}/files`, { to: server })).toMatchObject({ httpStatus: 409 });
    await server.close();
  });
});
