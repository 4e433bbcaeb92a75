/**
 * Requests as Ersilia's clients put them on the wire, byte for byte, and the whole answers to them. The first API is the
 * one of clients up to v0.1.43; v0.1.44 sends no `dim`; v0.1.46 to v0.1.52 send the same as v0.1.45.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createRouter, type Listening, listen } from "../http/index.ts";
import { freshAsk, type ModelId } from "../kernel/index.ts";
import { createMemoryTier } from "../store/predictions/index.ts";
import type { Column } from "../task/index.ts";
import { createJobs, type Jobs } from "./create-jobs.ts";

const columns: readonly Column[] = [
  { name: "weight", type: "float" },
  { name: "rings", type: "integer" },
];
const id = "0f8fad5b-d9cb-469f-a165-70867728950e";
/** MD5 of the inputs. */
const propane = "defb99e69a9f1f6e06f15006b1f166ae";
const ethanol = "47029b0a89b677c61d67c3a1b1071f07";
const missing = "34944443db9a8a2eade65ad912d40813";

let folder: string;
let jobs: Jobs;
let listening: Listening;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "memoir-vectors-"));
  const tier = createMemoryTier();
  const rows = [
    { input: "CCO", values: [46.069, 0] },
    { input: "CCC", values: [44, null] },
  ];
  await tier.putMany({ modelId: "eos3b5e" as ModelId, release: "v1", columns }, rows, freshAsk());
  const model = { id: "eos3b5e", slug: "molecular-weight", title: "", release: "v1", columns };
  jobs = createJobs({
    served: { tier, models: async () => [model], jobsFolder: join(folder, "jobs") },
    ...{ keys: [], openAccount: "000000000000", region: "us-east-1", now: () => new Date() },
  });
  listening = await listen(
    createRouter([jobs], () => {}),
    { host: "127.0.0.1", port: 0 },
  );
});
afterEach(async () => {
  await listening.close();
  await jobs.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Reply {
  readonly status: number;
  readonly type: string | undefined;
  readonly bytes: Buffer;
}

/** The headers of Python's `requests`. */
function send(method: string, path: string, type?: string, body = ""): Promise<Reply> {
  const headers = {
    "user-agent": "python-requests/2.31.0",
    "accept-encoding": "gzip, deflate",
    accept: "*/*",
    connection: "close",
    ...(type === undefined ? {} : { "content-type": type }),
    ...(method === "GET" ? {} : { "content-length": String(Buffer.byteLength(body)) }),
  };
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: listening.port, method, path, headers };
    const sent = httpRequest(options, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          ...{ status: response.statusCode ?? 0, type: response.headers["content-type"] },
          bytes: Buffer.concat(parts),
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const host = () => `http://127.0.0.1:${listening.port}`;
const boundary = "9a5ad9b1fe3d6a5ab2ee1c0d6d54b3f1";

/** `requests.post(url, data=fields, files={"file": …})` */
function form(file: string, name: string): string {
  return [
    `--${boundary}\r\nContent-Disposition: form-data; name="key"\r\n\r\nuploads/eos3b5e/${id}.csv\r\n`,
    `--${boundary}\r\nContent-Disposition: form-data; name="success_action_status"\r\n\r\n200\r\n`,
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n${file}\r\n`,
    `--${boundary}--\r\n`,
  ].join("");
}

async function upload(file: string, name = "tmp8s1bq.csv"): Promise<void> {
  const query = `modelid=eos3b5e&requestid=${id}`;
  const destination = await send("GET", `/v1/legacy/precalculations/upload-destination?${query}`);
  expect({ ...destination, bytes: destination.bytes.toString() }).toEqual({
    ...{ status: 200, type: "application/json" },
    bytes: `{"url":"${host()}/v1/legacy/upload","fields":{"key":"uploads/eos3b5e/${id}.csv","success_action_status":"200"}}`,
  });
  const type = `multipart/form-data; boundary=${boundary}`;
  const uploaded = await send("POST", "/v1/legacy/upload", type, form(file, name));
  expect({ status: uploaded.status, body: uploaded.bytes.toString() }).toEqual({ status: 200, body: "" });
}

/** `requests.post(url, json=…)`, whose text has a space after each colon and comma. */
async function submitted(members: string): Promise<string> {
  const body = `{"requestid": "${id}", "modelid": "eos3b5e", ${members}}`;
  const { status, type, bytes } = await send("POST", "/v1/legacy/predict/submit", "application/json", body);
  expect({ status, type }).toEqual({ status: 200, type: "application/json" });
  const answer = bytes.toString();
  expect(answer).toMatch(/^\{"jobId":"[0-9a-f]{32}-(once|twice)"\}$/);
  const { jobId } = JSON.parse(answer) as { jobId: string };
  const state = () => send("GET", `/v1/legacy/predict/status?jobId=${jobId}`);
  // A dump may still be on its way; everything else is done.
  if (members.includes('"filter"')) expect((await state()).bytes.toString()).toBe('{"status":"SUCCEEDED"}');
  await expect.poll(async () => (await state()).bytes.toString()).toBe('{"status":"SUCCEEDED"}');
  return jobId;
}

async function shard(jobId: string): Promise<string> {
  const { status, bytes } = await send("GET", `/v1/legacy/predict/result?jobId=${jobId}`);
  const [job, rows] = jobId.split("-");
  const key = `results/${job}/part-00000.${rows}.csv.gz`;
  const url = `${host()}/v1/files/000000000000/${job}/part-00000.${rows}.csv.gz`;
  const answer = bytes.toString().replace(/\?expires=\d{13}&signature=[0-9a-f]{64}/, "?LINK");
  expect([status, answer]).toEqual([
    200,
    expect.stringMatching(/^\{"files":\[\{"key":"[^"]+","url":"[^"]+","size":\d+\}\]\}$/),
  ]);
  const [file] = (JSON.parse(bytes.toString()) as { files: { url: string; size: number }[] }).files;
  expect(answer).toBe(`{"files":[{"key":"${key}","url":"${url}?LINK","size":${file?.size}}]}`);
  const path = file?.url.slice(host().length) ?? "";
  const head = await send("HEAD", path);
  expect([head.status, head.bytes.length]).toEqual([200, 0]);
  const got = await send("GET", path);
  expect([got.status, got.type, got.bytes.length]).toEqual([200, "application/gzip", file?.size]);
  return gunzipSync(got.bytes).toString();
}

const keyed = `${propane},CCC\r\n${ethanol},CCO\r\n${missing},N#N\r\n${ethanol},CCO\r\n`;
const row = {
  propane: `${propane},CCC,44.0,\\N`,
  ethanol: `${ethanol},CCO,46.069,0`,
  missing: `${missing},N#N,\\N,\\N`,
};
const answered = [row.propane, row.ethanol, row.missing, row.ethanol];
const text = (lines: readonly string[]) => lines.map((line) => `${line}\r\n`).join("");

it("v0.1.44: inputs without dim come back once, in the order of the upload", async () => {
  await upload(keyed);
  const jobId = await submitted('"fetchtype": "filter", "nsamples": -1');
  expect(jobId).toMatch(/-once$/);
  expect(await shard(jobId)).toBe(text(answered));
});

it("v0.1.45 to v0.1.52: inputs with dim come back twice side by side", async () => {
  await upload(keyed);
  const jobId = await submitted('"fetchtype": "filter", "nsamples": -1, "dim": 2');
  expect(jobId).toMatch(/-twice$/);
  expect(await shard(jobId)).toBe(text(answered.map((line) => `${line},${line}`)));
});

it("v0.1.44 to v0.1.52: a dump comes back once, whatever dim says", async () => {
  for (const dim of ["", ', "dim": 2']) {
    const jobId = await submitted(`"fetchtype": "all", "nsamples": -1${dim}`);
    expect([text([row.propane, row.ethanol]), text([row.ethanol, row.propane])]).toContain(
      await shard(jobId),
    );
  }
});

it("up to v0.1.43: inputs alone are uploaded, and the answer is the link to a CSV file of what is stored", async () => {
  await upload("CCC\r\nCCO\r\nN#N\r\nCCO\r\n", "input.csv");
  const query = `modelid=eos3b5e&requestid=${id}&userid=someone`;
  const { status, type, bytes } = await send("POST", `/v1/legacy/precalculations/predictions?${query}`);
  expect([status, type]).toEqual([200, "application/json"]);
  const link = bytes.toString();
  expect(link).toMatch(
    /^http:\/\/127\.0\.0\.1:\d+\/v1\/files\/0{12}\/[0-9a-f]{32}\/part-00000\.first\.csv\?expires=\d{13}&signature=[0-9a-f]{64}$/,
  );
  const file = await send("GET", link.slice(host().length));
  expect([file.status, file.type]).toEqual([200, "text/csv"]);
  expect(file.bytes.toString()).toBe(
    [
      "model_id,key,input,output",
      `eos3b5e,${propane},CCC,"44.0,nan"`,
      `eos3b5e,${ethanol},CCO,"46.069,0"`,
      "",
    ].join("\n"),
  );
});

it("up to v0.1.43: whether a model has predictions is a boolean alone", async () => {
  for (const [model, body] of [
    ["eos3b5e", "true"],
    ["eos9zzz", "false"],
  ])
    expect((await send("GET", `/v1/legacy/precalculations/model?modelid=${model}`)).bytes.toString()).toBe(
      body,
    );
});
