/** What the page does over /api/v1: run again, prices, error codes, sorting, uploads, and who may do it. */
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { schemas } from "../../src/v1/schemas.ts";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { openServer, type RawResponse, type TestServer } from "./harness.ts";
import { schemaFaults } from "./json-schema.ts";
import { start, workflow } from "./plain-client.ts";

const wdl = `version 1.1
task greet {
  input { String name }
  command <<< echo "hello ~{name}" >>>
  output { File said = stdout() }
}
workflow hello {
  input { Array[String] names  Int big = 1 }
  scatter (name in names) { call greet { input: name } }
  output { Array[File] said = greet.said }
}
`;

type Body = Readonly<Record<string, unknown>>;
type Rows = readonly Body[];

describe("what the page does", () => {
  let sandbox: Sandbox;
  let server: TestServer;
  let first: string;
  const asked = (path: string): Promise<RawResponse> => server.raw({ method: "GET", path: `/api/v1${path}` });
  const checked = (response: RawResponse, schema: string): Body => {
    expect(response.status, response.text).toBe(200);
    expect(schemaFaults(response.body, { $ref: `#/components/schemas/${schema}` }, schemas)).toEqual([]);
    return response.body;
  };
  const answer = async (path: string, schema: string) => checked(await asked(path), schema);
  const change = (path: string, body: unknown) =>
    server.raw({ method: "POST", path: `/api/v1${path}`, body: JSON.stringify(body) });
  const ended = (id: string) =>
    vi.waitFor(
      async () => {
        const run = await answer(`/runs/${id}`, "RunDetail");
        expect(run["state"]).toBe("succeeded");
        return run;
      },
      { timeout: 2 * limitMs, interval: 50 },
    );

  beforeAll(async () => {
    sandbox = await Sandbox.create();
    await sandbox.write("work/hello.wdl", wdl);
    await sandbox.write("work/names.json", '{ "names": ["Ada", "Bob"], "hello.big": 9007199254740993 }');
    const words = ["--executor", "host", "--cache-host-tasks", "--json"];
    const { code, out, err } = await sandbox.run("run", "work/hello.wdl", "-i", "work/names.json", ...words);
    expect(code, err).toBe(0);
    first = String((JSON.parse(out) as Body)["run"]);
    server = await openServer({ folder: sandbox.folder });
  }, 4 * limitMs);
  afterAll(async () => {
    await server.close();
    expect(server.bugs).toEqual([]);
  });

  it("the form of a run has the parameters of its workflow with what the run was given", async () => {
    const form = await answer(`/runs/${first}/form`, "RunForm");
    expect(form).toMatchObject({ canRun: true });
    expect(form["parameters"]).toMatchObject([
      {
        name: expect.stringMatching(/names$/),
        type: "Array[String]",
        required: true,
        value: '["Ada","Bob"]',
      },
      { name: expect.stringMatching(/big$/), type: "Int", required: false, value: "9007199254740993" },
    ]);
  });

  it("a run is run again as it was, and reuses everything", async () => {
    const begun = checked(await change(`/runs/${first}/again`, {}), "RunBegun");
    expect(begun["run"]).not.toBe(first);
    const run = await ended(String(begun["run"]));
    expect(run).toMatchObject({ workflow: "hello", calls: { reused: 2, computed: 0 } });
  });

  it("a run is run again with other inputs, and that one again", async () => {
    const inputs = '{ "names": ["Ada", "Zoe"] }';
    const begun = checked(await change(`/runs/${first}/again`, { inputs }), "RunBegun");
    expect(await ended(String(begun["run"]))).toMatchObject({ calls: { reused: 1, computed: 1 } });
    const third = checked(await change(`/runs/${begun["run"]}/again`, {}), "RunBegun");
    expect(await ended(String(third["run"]))).toMatchObject({ calls: { reused: 2, computed: 0 } });
    expect((await answer(`/runs/${third["run"]}/inputs`, "RunInputs"))["inputs"]).toMatchObject({
      names: ["Ada", "Zoe"],
    });
  });

  it("inputs that are wrong are refused with what is wrong, and no run is left behind", async () => {
    const before = ((await answer("/runs", "RunList"))["runs"] as Rows).length;
    const refused = await change(`/runs/${first}/again`, { inputs: '{ "nams": [] }' });
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({ code: "WORKFLOW_INPUTS_INVALID" });
    for (const body of [{ inputs: "[1]" }, { inputs: "{" }, { inputs: 1 }, { input: "{}" }])
      expect((await change(`/runs/${first}/again`, body)).status, JSON.stringify(body)).toBe(400);
    expect(((await answer("/runs", "RunList"))["runs"] as Rows).length).toBe(before);
  });

  it("files that a run was begun with do not stay", async () => {
    expect(await readdir(join(sandbox.home, "server", "again"))).toEqual([]);
  });

  it("a call is computed again, and one that cannot be keeps its result", async () => {
    const path = `/runs/${first}/call?call=${encodeURIComponent("hello.greet[1]")}`;
    const { entry } = (await answer(path, "CallDetail")) as { readonly entry?: Body };
    const chosen = { cache: String(entry?.["cache"]), entry: String(entry?.["uuid"]) };
    const found = async () =>
      (await answer(`/caches/home%3Adefault/entries?search=${chosen.entry}`, "EntryList"))["total"];
    const wrong = await change(`/runs/${first}/again`, { ...chosen, inputs: '{ "nams": [] }' });
    expect(wrong.body).toMatchObject({ code: "WORKFLOW_INPUTS_INVALID" });
    const document = sandbox.path("work/hello.wdl");
    await rename(document, `${document}.away`);
    const away = await change(`/runs/${first}/again`, chosen);
    await rename(`${document}.away`, document);
    expect(away.status, away.text).toBeGreaterThanOrEqual(400);
    expect((await change(`/runs/${first}/again`, { entry: chosen.entry })).status).toBe(400);
    const part = await change(`/runs/${first}/again`, { ...chosen, entry: chosen.entry.slice(0, 8) });
    expect(part.body).toMatchObject({ code: "CACHE_ENTRY_NOT_FOUND" });
    expect(await found()).toBe(1);
    const { run } = checked(await change(`/runs/${first}/again`, chosen), "RunBegun");
    expect(await ended(String(run))).toMatchObject({ calls: { reused: 1, computed: 1 } });
    expect(await found()).toBe(0);
  });

  it("the size of a cache and of its entries is what pruning would free", async () => {
    const { storedBytes } = await answer("/caches/home%3Adefault", "CacheDetail");
    const rows = (await answer("/caches/home%3Adefault/entries", "EntryList"))["entries"] as Rows;
    const sizes = new Map(rows.map((row) => [row["uuid"], row["storedBytes"]]));
    expect([...sizes.values()].reduce<number>((sum, size) => sum + Number(size), 0)).toBe(storedBytes);
    expect((await answer("/caches/home%3Adefault/size", "CacheSize"))["storedBytes"]).toBe(storedBytes);
    const preview = await change("/caches/home%3Adefault/prune", { dryRun: true, budgetBytes: 0 });
    const { plan } = checked(preview, "PruneReport") as { readonly plan: Body };
    expect(Number(plan["removeBytes"]) + Number(plan["keepBytes"])).toBe(storedBytes);
    const items = plan["remove"] as Rows;
    expect(items.length).toBeGreaterThan(0);
    for (const { uuid, bytes } of items) expect(sizes.get(uuid)).toBe(bytes);
  });

  it("what is installed is looked for without a warning about listeners", async () => {
    const warnings: string[] = [];
    const note = ({ name }: Error) => warnings.push(name);
    process.on("warning", note);
    await answer("/doctor", "Doctor");
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  it("a call names its entry, which can be pinned there", async () => {
    const path = `/runs/${first}/call?call=${encodeURIComponent("hello.greet[0]")}`;
    const { entry } = (await answer(path, "CallDetail")) as { readonly entry?: Body };
    expect(entry).toMatchObject({ cache: "home:default", pinned: false });
    await change("/caches/home%3Adefault/pin", { entries: [entry?.["uuid"]], pinned: true });
    expect((await answer(path, "CallDetail"))["entry"]).toEqual({ ...entry, pinned: true });
  });

  it("runs of the server are found by their tags, and are run again by clients of HealthOmics", async () => {
    const id = await workflow(server, { "main.wdl": wdl });
    const request = { parameters: { names: ["Eve"] }, tags: { project: "malaria", empty: "" } };
    const ofServer = String((await start(server, id, request))["id"]);
    await ended(ofServer);
    const ids = async (tag: string) =>
      ((await answer(`/runs?tag=${encodeURIComponent(tag)}`, "RunList"))["runs"] as Rows).map(
        (run) => run["id"],
      );
    expect(await ids("project")).toEqual([ofServer]);
    expect(await ids("project=malaria")).toEqual([ofServer]);
    expect(await ids("empty=")).toEqual([ofServer]);
    expect(await ids("project=other")).toEqual([]);
    expect(await ids("toString")).toEqual([]);
    expect(await answer(`/runs/${ofServer}/form`, "RunForm")).toMatchObject({
      ...{ canRun: false, why: expect.stringContaining(`--run-id ${ofServer}`) },
    });
    expect((await change(`/runs/${ofServer}/again`, {})).body).toMatchObject({ code: "RUN_NOT_REPEATABLE" });
  });

  it("runs are sorted, and pages of a sorted list hold each run once", async () => {
    const list = async (query: string) => await answer(`/runs?${query}`, "RunList");
    const newest = ((await list("sort=newest"))["runs"] as Rows).map(({ id }) => id);
    expect(((await list("sort=oldest"))["runs"] as Rows).map(({ id }) => id)).toEqual(newest.toReversed());
    for (const sort of ["workflow", "duration", "saved"]) {
      const seen: unknown[] = [];
      for (let cursor = ""; ; ) {
        const page = await list(`sort=${sort}&limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
        seen.push(...(page["runs"] as Rows).map(({ id }) => id));
        if (page["nextCursor"] === undefined) break;
        cursor = String(page["nextCursor"]);
      }
      expect(seen.toSorted(), sort).toEqual(newest.toSorted());
    }
    const saved = ((await list("sort=saved"))["runs"] as Rows).map((run) => Number(run["savedSeconds"] ?? 0));
    expect(saved).toEqual(saved.toSorted((a, b) => b - a));
    expect((await asked("/runs?sort=oldest&cursor=nonsense")).status).toBe(400);
  });

  it("prices that were set are those of savings, here and on the command line", async () => {
    expect(await answer("/prices", "Prices")).toEqual({ cpu: 0, memory: 0, currency: "EUR" });
    expect((await answer("/savings", "Savings"))["total"]).not.toHaveProperty("money");
    const prices = { cpu: 3600, memory: 0, currency: "CHF" };
    expect(checked(await change("/prices", prices), "Prices")).toEqual(prices);
    const savings = await answer("/savings", "Savings");
    expect(savings["currency"]).toBe("CHF");
    expect(Number((savings["total"] as Body)["money"])).toBeGreaterThan(0);
    expect((await asked("/savings")).text).toBe((await sandbox.run("savings", "--json")).out);
    for (const body of [
      { ...prices, cpu: -1 },
      { ...prices, memory: "1" },
      { cpu: 1, memory: 1 },
    ])
      expect((await change("/prices", body)).status, JSON.stringify(body)).toBe(400);
  });

  it("every error code of an answer has its page", async () => {
    const { body } = await asked("/runs/none");
    expect(await answer(`/errors/${body["code"]}`, "ErrorPage")).toMatchObject({
      ...{ code: "RUN_NOT_FOUND", kind: "not-found", hint: body["hint"] },
    });
    for (const code of ["CALLER_UNKNOWN", "ROUTE_NOT_FOUND", "REQUEST_INVALID", "SERVER_BUSY"])
      expect((await answer(`/errors/${code}`, "ErrorPage"))["code"]).toBe(code);
    expect((await asked("/errors/toString")).status).toBe(404);
  });

  it("a cache keeps how large it was", async () => {
    await answer("/caches/home%3Adefault/size", "CacheSize");
    const { sizes } = await answer("/caches/home%3Adefault/ages", "CacheAges");
    const last = (sizes as Rows).at(-1);
    expect(last).toMatchObject({
      entries: (await answer("/caches/home%3Adefault", "CacheDetail"))["entries"],
    });
    await answer("/caches/home%3Adefault/size", "CacheSize");
    expect((await answer("/caches/home%3Adefault/ages", "CacheAges"))["sizes"]).toEqual(sizes);
  });

  it("predictions of a file are submitted, followed and fetched", async () => {
    const send = (body: string, type = "text/csv") =>
      server.raw({
        ...{ method: "POST", path: "/api/v1/predictions/eos3b5e/jobs?name=two.csv", body },
        headers: { "content-type": type },
      });
    const { id } = checked(await send("smiles\nCCO\nCCN\n"), "PredictionJob");
    const follow = await server.raw({
      ...{ method: "GET", path: `/api/v1/predictions/eos3b5e/jobs/${id}` },
      headers: { accept: "text/event-stream" },
    });
    const last = follow.text.split("\n").findLast((line) => line.startsWith('data: {"id"')) ?? "";
    expect(JSON.parse(last.slice(6))).toMatchObject({ state: "succeeded", computed: 2, name: "two.csv" });
    expect((await answer("/predictions/eos3b5e/jobs", "PredictionJobs"))["jobs"]).toHaveLength(1);
    const result = await asked(`/predictions/eos3b5e/jobs/${id}/result`);
    expect(result.text.trimEnd().split("\n")).toHaveLength(3);
    expect((await asked(`/predictions/eos4e40/jobs/${id}`)).status).toBe(404);
    expect((await asked("/predictions/eos3b5e/jobs/..%2F..%2Fledger")).status).toBe(404);
    const removed = checked(await change(`/predictions/eos3b5e/jobs/${id}/delete`, {}), "PredictionJob");
    expect(removed["id"]).toBe(id);
    expect((await answer("/predictions/eos3b5e/jobs", "PredictionJobs"))["jobs"]).toEqual([]);
    expect(await readdir(join(sandbox.home, "server", "predictions"))).toEqual([]);
    expect((await change(`/predictions/eos3b5e/jobs/${id}/delete`, {})).status).toBe(404);
    expect((await send("")).status).toBe(400);
    expect((await send("smiles\nCCO\n", "text/plain")).status).toBe(400);
  });
});

it("accounts do not run, price or predict anything of the machine", async () => {
  const key = { accessKeyId: "AKIDB", account: "222222222222", secretAccessKey: "s", token: "t".repeat(40) };
  const server = await openServer({ keys: [key] });
  try {
    const headers = { authorization: `Bearer ${key.token}` };
    const as = async (method: "GET" | "POST", path: string) =>
      (
        await server.raw({
          method,
          path: `/api/v1${path}`,
          headers,
          ...(method === "POST" && { body: "{}" }),
        })
      ).status;
    expect(await as("POST", "/runs/x/again")).toBe(403);
    expect(await as("POST", "/prices")).toBe(403);
    expect(await as("GET", "/prices")).toBe(200);
    expect(await as("GET", "/runs/x/form")).toBe(404);
    expect(await as("POST", "/predictions/eos3b5e/jobs")).toBe(403);
    expect(await as("GET", "/predictions/eos3b5e/jobs")).toBe(403);
    expect(await as("POST", "/predictions/eos3b5e/jobs/x/delete")).toBe(403);
    expect(await as("GET", "/predictions/eos3b5e/nearest?smiles=CCO")).toBe(403);
  } finally {
    await server.close();
  }
});
