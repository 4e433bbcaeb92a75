import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { md5Hex } from "../hash/index.ts";
import type { HttpResponse } from "../http/index.ts";
import { freshAsk, type ModelId } from "../kernel/index.ts";
import { createMemoryTier } from "../store/predictions/index.ts";
import type { Column } from "../task/index.ts";
import { createJobs, type Jobs } from "./create-jobs.ts";

const one: readonly Column[] = [{ name: "weight", type: "float" }];
const three: readonly Column[] = [
  ...one,
  { name: "rings", type: "integer" },
  { name: "label", type: "string" },
];
const models = [
  { id: "eos3b5e", slug: "one", title: "", release: "v1", columns: one },
  { id: "eos9zzz", slug: "three", title: "", release: "v1", columns: three },
];
const requestid = "0f8fad5b-d9cb-469f-a165-70867728950e";
const a = "/v1/legacy/precalculations";
const b = "/v1/legacy/predict";

let folder: string;
let jobs: Jobs;

function start(keys: Parameters<typeof createJobs>[0]["keys"] = []): Jobs {
  const tier = createMemoryTier();
  const ask = freshAsk();
  const scope = { modelId: "eos3b5e" as ModelId, release: "v1", columns: one };
  void tier.putMany(scope, [row("CCO", 46.069), row("CCC", 44), row("C,C", null)], ask);
  void tier.putMany(
    { ...scope, modelId: "eos9zzz" as ModelId, columns: three },
    [row("CCO", 1.5, 3, 'a "b"')],
    ask,
  );
  return createJobs({
    served: { tier, models: async () => models, jobsFolder: join(folder, "jobs") },
    ...{ keys, openAccount: "000000000000", region: "us-east-1", now: () => new Date() },
  });
}
const row = (input: string, ...values: (number | string | null)[]) => ({ input, values });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "memoir-legacy-"));
  jobs = start();
});
afterEach(async () => {
  await jobs.close();
  rmSync(folder, { recursive: true, force: true });
});

async function send(target: string, more: { type?: string; body?: string } = {}): Promise<HttpResponse> {
  const { type = "application/json", body } = more;
  const { response } = await jobs.fetch(
    {
      ...{ method: body === undefined ? "GET" : "POST", target, requestId: "r" },
      headers: { host: "127.0.0.1:8080", ...(body === undefined ? {} : { "content-type": type }) },
      body: Buffer.from(body ?? ""),
    },
    freshAsk(),
  );
  return response;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are JSON
const jsonOf = (response: HttpResponse): any => JSON.parse(String(response.body));
const pathOf = (url: string) => url.slice("http://127.0.0.1:8080".length);

/** As the client does it: its form has the fields first and the file last. */
async function upload(modelid: string, inputs: readonly string[]): Promise<number> {
  const { url, fields } = jsonOf(
    await send(`${a}/upload-destination?modelid=${modelid}&requestid=${requestid}`),
  );
  const lines = inputs.map((input) => `${md5Hex(input)},${input.includes(",") ? `"${input}"` : input}\r\n`);
  const part = (name: string, text: string, more = "") =>
    `--limit\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${text}\r\n`;
  const form = [
    ...Object.entries(fields as Record<string, string>).map(([name, text]) => part(name, text)),
    part("file", lines.join(""), '; filename="in.csv"'),
    "--limit--\r\n",
  ].join("");
  const { status } = await send(pathOf(url), { type: "multipart/form-data; boundary=limit", body: form });
  return status;
}

async function rowsOf(submit: object): Promise<readonly string[]> {
  const { jobId } = jsonOf(await send(`${b}/submit`, { body: JSON.stringify({ requestid, ...submit }) }));
  await expect
    .poll(async () => jsonOf(await send(`${b}/status?jobId=${jobId}`)))
    .toEqual({ status: "SUCCEEDED" });
  const { files } = jsonOf(await send(`${b}/result?jobId=${jobId}`));
  expect(files).toMatchObject([{ key: expect.stringMatching(/\.gz$/), size: expect.any(Number) }]);
  const { body } = await send(pathOf(files[0].url));
  const { path, sizeBytes } = body as { path: string; sizeBytes: number };
  expect(files[0].size).toBe(sizeBytes);
  return gunzipSync(readFileSync(path)).toString().split("\r\n").slice(0, -1);
}

it("a client from v0.1.45 on gets each row twice side by side, in upload order, with duplicates and misses", async () => {
  expect(await upload("eos3b5e", ["CCC", "nothing", "CCO", "CCC", "C,C"])).toBe(200);
  const filter = { modelid: "eos3b5e", fetchtype: "filter", nsamples: -1, dim: 1 };
  const twice = (cells: string) => `${cells},${cells}`;
  expect(await rowsOf(filter)).toEqual([
    twice(`${md5Hex("CCC")},CCC,44.0`),
    twice(`${md5Hex("nothing")},nothing,\\N`),
    twice(`${md5Hex("CCO")},CCO,46.069`),
    twice(`${md5Hex("CCC")},CCC,44.0`),
    twice(`${md5Hex("C,C")},"C,C",\\N`),
  ]);
  expect(await upload("eos9zzz", ["CCO"])).toBe(200);
  expect(await rowsOf({ ...filter, modelid: "eos9zzz", dim: 3 })).toEqual([
    twice(`${md5Hex("CCO")},CCO,1.5,3,"a ""b"""`),
  ]);
});

it("v0.1.44, which says no dim, gets each row once", async () => {
  await upload("eos9zzz", ["CCO", "CCO", "no"]);
  expect(await rowsOf({ modelid: "eos9zzz", fetchtype: "filter", nsamples: -1 })).toEqual([
    `${md5Hex("CCO")},CCO,1.5,3,"a ""b"""`,
    `${md5Hex("CCO")},CCO,1.5,3,"a ""b"""`,
    `${md5Hex("no")},no,\\N,\\N,\\N`,
  ]);
});

it("a dump gets every row once, or as many as it asks for", async () => {
  const all = { modelid: "eos3b5e", fetchtype: "all", nsamples: -1, dim: 1 };
  const rows = await rowsOf(all);
  expect(rows.toSorted()).toEqual(
    [`${md5Hex("CCO")},CCO,46.069`, `${md5Hex("CCC")},CCC,44.0`, `${md5Hex("C,C")},"C,C",\\N`].toSorted(),
  );
  const some = await rowsOf({ ...all, nsamples: 2 });
  expect(some).toHaveLength(2);
  expect(rows).toEqual(expect.arrayContaining([...some]));
});

it("says whether anything is stored of a model", async () => {
  expect((await send(`${a}/model?modelid=eos3b5e`)).body).toBe("true");
  expect((await send(`${a}/model?modelid=eos0zzz`)).body).toBe("false");
});

it.each([
  [`${a}/upload-destination?modelid=../x&requestid=${requestid}`, undefined],
  [`${a}/upload-destination?modelid=eos3b5e&requestid=1%27%20OR%201=1`, undefined],
  [`${b}/submit`, JSON.stringify({ requestid, modelid: "eos3b5e", fetchtype: "filter", nsamples: -1 })],
  [`${b}/submit`, JSON.stringify({ requestid, modelid: "eos3b5e", fetchtype: "some" })],
  ["/v1/legacy/upload", "no form"],
])("%s is refused where it is malformed or nothing was uploaded", async (target, body) => {
  expect((await send(target, body === undefined ? {} : { body })).status).toBe(400);
});

it("an upload cannot leave its folder", async () => {
  const form = [
    '--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nuploads/../../evil/a.csv\r\n',
    '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n',
  ].join("");
  expect(
    (await send("/v1/legacy/upload", { type: "multipart/form-data; boundary=x", body: form })).status,
  ).toBe(400);
});

it("an upload over the limit of a body is refused, and nothing is kept of it", async () => {
  const { response } = await jobs.fetch(
    {
      ...{ method: "POST", target: "/v1/legacy/upload", requestId: "r", body: new Uint8Array() },
      headers: { host: "127.0.0.1:8080", "content-type": "multipart/form-data; boundary=x" },
      largerThanBytes: 16 << 20,
    },
    freshAsk(),
  );
  expect(response.status).toBe(413);
});

it("a page of another origin cannot use the routes", async () => {
  const headers = { host: "127.0.0.1:8080", origin: "https://example.org" };
  const target = `${a}/model?modelid=eos3b5e`;
  const request = { method: "GET", target, requestId: "r", headers, body: new Uint8Array() };
  expect((await jobs.fetch(request, freshAsk())).response.status).toBe(403);
});

it("the routes do not exist on a server with access keys", async () => {
  const key = { accessKeyId: "AKID", secretAccessKey: "secret", account: "111111111111" };
  await jobs.close();
  jobs = start([key]);
  expect((await send(`${a}/model?modelid=eos3b5e`)).status).toBe(401);
});
