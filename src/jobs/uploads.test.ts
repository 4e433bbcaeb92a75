/** Inputs of a job that are uploaded before it is submitted, as a client does it. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../hash/index.ts";
import { createRouter, type Listening, listen, type RequestLine, type ServerKey } from "../http/index.ts";
import { freshAsk, type ModelId } from "../kernel/index.ts";
import { createMemoryTier } from "../store/predictions/index.ts";
import type { Column } from "../task/index.ts";
import { createJobs, type Jobs } from "./create-jobs.ts";
import { mostUploadBytes } from "./uploads.ts";

const columns: readonly Column[] = [{ name: "weight", type: "float" }];
const model = { id: "eos3b5e", slug: "molecular-weight", title: "Weight", release: "v1", columns };
const requestId = "0f8fad5b-d9cb-469f-a165-70867728950e";

function key(account: string): ServerKey {
  const token = `token-of-${account}-${"x".repeat(32)}`;
  return { accessKeyId: `AKID${account}`, secretAccessKey: "secret", account, token, predictions: "read" };
}
const [reader, stranger] = [key("111111111111"), key("222222222222")];

let folder: string;
let jobs: Jobs;
let listening: Listening;
let address: string;
let now: Date;
let lines: RequestLine[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "memoir-uploads-"));
  now = new Date("2026-11-30T08:00:00Z");
  lines = [];
  const tier = createMemoryTier();
  const rows = Array.from({ length: 30 }, (_, at) => ({ input: `C${at}`, values: [at] }));
  await tier.putMany({ modelId: model.id as ModelId, release: "v1", columns }, rows, freshAsk());
  jobs = createJobs({
    served: { tier, models: async () => [model], jobsFolder: join(folder, "jobs") },
    ...{ keys: [reader, stranger], openAccount: "000000000000", region: "us-east-1", now: () => now },
  });
  const router = createRouter([jobs], (line) => lines.push(line));
  listening = await listen(router, { host: "127.0.0.1", port: 0 });
  address = `http://127.0.0.1:${listening.port}`;
});
afterEach(async () => {
  await listening.close();
  await jobs.close();
  rmSync(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: answers are JSON
async function json(path: string, body?: object, as = reader): Promise<any> {
  const headers = { authorization: `Bearer ${as.token}`, "content-type": "application/json" };
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(`${address}${path}`, { headers, ...sent });
  return { httpStatus: answer.status, ...((await answer.json()) as object) };
}

const announce = (content: string) =>
  json("/v1/uploads", { sha256: sha256(Buffer.from(content)), sizeBytes: Buffer.byteLength(content) });

async function upload(form: { url: string; fields: Record<string, string> }, content: string) {
  const body = new FormData();
  for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
  body.append("file", new Blob([content]));
  return (await fetch(`${address}${form.url}`, { method: "POST", body })).status;
}

const submit = (what: object, as = reader) =>
  json("/v1/jobs", { requestId, model: model.id, fetch: "filter", ...what }, as);
async function ended(id: string) {
  await expect.poll(async () => (await json(`/v1/jobs/${id}`)).state).not.toMatch(/PENDING|RUNNING/);
  return json(`/v1/jobs/${id}`);
}

const content = ["C1", "nothing\nof this kind", "C29", "C1"]
  .map((each) => `${JSON.stringify(each)}\n`)
  .join("");
const stored = () =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jsonl"));

describe("inputs that are uploaded", () => {
  it("are those of the job that names them, in their order, and the same job again", async () => {
    const form = await announce(content);
    expect(await upload(form, content)).toBe(204);
    const job = await submit({ upload: form.upload });
    expect(await ended(job.id)).toMatchObject({ state: "SUCCEEDED", rows: 4 });
    expect((await submit({ upload: form.upload })).id).toBe(job.id);
    const { files } = await json(`/v1/jobs/${job.id}/files`);
    const bytes = Buffer.from(await (await fetch(address + files[0].url)).arrayBuffer());
    const rows = gunzipSync(bytes).toString().trimEnd().split("\n");
    expect(rows.map((row) => JSON.parse(row))).toMatchObject([
      { status: "stored", input: "C1", values: [1] },
      { status: "missing", input: "nothing\nof this kind" },
      { status: "stored", input: "C29", values: [29] },
      { status: "stored", input: "C1", values: [1] },
    ]);
  });

  it("may be more than the body of a request", async () => {
    const many = `${JSON.stringify("C".repeat(100))}\n`.repeat(200_000);
    expect(many.length).toBeGreaterThan(16 << 20);
    const form = await announce(many);
    expect(await upload(form, many)).toBe(204);
  });

  it("are refused where they are not what was announced, in content or size", async () => {
    const form = await announce(content);
    expect(await upload(form, content.replace("C29", "C30"))).toBe(400);
    expect(await upload(form, content + content)).toBe(400);
    expect(await upload(form, content.repeat(5_000))).toBe(413);
    expect(await submit({ upload: form.upload })).toMatchObject({
      httpStatus: 409,
      code: "UPLOAD_NOT_FOUND",
    });
    expect(await json("/v1/uploads", { sha256: form.upload, sizeBytes: mostUploadBytes + 1 })).toMatchObject({
      httpStatus: 400,
    });
    expect(await json("/v1/uploads", { sha256: "../x", sizeBytes: 5 })).toMatchObject({ httpStatus: 400 });
  });

  it("are taken for 15 minutes, by the form as it was given", async () => {
    const form = await announce(content);
    for (const url of [
      form.url.replace("111111111111", "222222222222"),
      form.url.replace(/size=\d+/, "size=1000000"),
      form.url.replace(/expires=\d+/, "expires=99999999999999"),
      form.url.replace(/signature=.{4}/, "signature=0000"),
      form.url.replace(/\?.*/, ""),
      form.url.replace(form.upload, "0".repeat(64)),
    ])
      expect(await upload({ url, fields: {} }, content), url).toBe(403);
    now = new Date(now.getTime() + 15 * 60_000 + 1);
    expect(await upload(form, content)).toBe(403);
    expect(stored()).toEqual([]);
  });

  it("are those of the account alone", async () => {
    const form = await announce(content);
    await upload(form, content);
    expect(await submit({ upload: form.upload }, stranger)).toMatchObject({ httpStatus: 409 });
    expect(await submit({ upload: "../111111111111" })).toMatchObject({ httpStatus: 400 });
    expect(await submit({ upload: form.upload, inputs: ["C1"] })).toMatchObject({ httpStatus: 400 });
  });

  it.each([
    ['"C1"\nC2\n', "lines other than JSON texts"],
    ['"C1"\n{"input": "C2"}\n', "lines other than JSON texts"],
    ['"C1"\n\n"C2"\n', "lines other than JSON texts"],
    ['"C1"\n'.repeat(1_000_001), "up to 1000000 are accepted"],
  ])("fail the job where they are not a list of texts (case %#)", async (wrong, words) => {
    const form = await announce(wrong);
    expect(await upload(form, wrong)).toBe(204);
    const { id } = await submit({ upload: form.upload });
    expect(await ended(id)).toMatchObject({ state: "FAILED", error: expect.stringContaining(words) });
  });

  it("are removed after a day", async () => {
    const form = await announce(content);
    await upload(form, content);
    expect(stored()).toHaveLength(1);
    now = new Date(Date.now() + 25 * 3_600_000);
    await jobs.resume();
    expect(stored()).toEqual([]);
    expect(await submit({ upload: form.upload })).toMatchObject({ httpStatus: 409 });
  });

  it("leave no links in the log", async () => {
    await upload(await announce(content), content);
    expect(lines.map(({ operation }) => operation)).toEqual(["createUpload", "putUpload"]);
    expect(JSON.stringify(lines)).not.toMatch(/\?|signature|expires/);
  });
});
