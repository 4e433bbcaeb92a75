/** What the pages about many runs, caches and predictions show. */
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { schemas } from "../../src/v1/index.ts";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { openServer, type RawResponse, type TestServer } from "./harness.ts";
import { schemaFaults } from "./json-schema.ts";
import { get, start, workflow } from "./plain-client.ts";

const wdl = `version 1.1
task greet {
  input { String name }
  command <<<
    date +%N > now.txt
    [ "~{name}" != nobody ]
  >>>
  output { File now = "now.txt" }
}
workflow hello {
  input { Array[String] names }
  scatter (name in names) { call greet { input: name } }
  output { Array[File] now = greet.now }
}
`;

type Body = Readonly<Record<string, unknown>>;
type Rows = readonly Body[];

describe("a home with runs, a cache and predictions", () => {
  let sandbox: Sandbox;
  let server: TestServer;
  const runs: string[] = [];
  let ofServer: string;

  const asked = (path: string): Promise<RawResponse> => server.raw({ method: "GET", path: `/api/v1${path}` });
  const checked = (response: RawResponse, schema: string): Body => {
    expect(response.status, response.text).toBe(200);
    expect(schemaFaults(response.body, { $ref: `#/components/schemas/${schema}` }, schemas)).toEqual([]);
    return response.body;
  };
  const answer = async (path: string, schema: string) => checked(await asked(path), schema);
  const change = (path: string, body: unknown) =>
    server.raw({ method: "POST", path: `/api/v1${path}`, body: JSON.stringify(body) });
  const entries = async () => (await answer("/caches/lab/entries", "EntryList"))["entries"] as Rows;

  beforeAll(async () => {
    sandbox = await Sandbox.create();
    await sandbox.write("hello.wdl", wdl);
    await sandbox.write("in.csv", "smiles\nCCO\nCCC\n");
    await sandbox.run("cache", "create", "lab", "--location", sandbox.path("lab"));
    const words = ["--executor", "host", "--cache-host-tasks", "--cache", "lab", "--json"];
    for (const [names, more] of [
      ['["Ada"]', []],
      ['["Ada","Bob"]', ["--recheck", "100%"]],
      ['["nobody"]', []],
    ] as const) {
      const { out } = await sandbox.run("run", "hello.wdl", `names=${names}`, ...words, ...more);
      runs.push(String((JSON.parse(out) as Body)["run"]));
    }
    for (const output of ["1.csv", "2.csv"])
      expect((await sandbox.run("run", "--model", "eos3b5e", "-i", "in.csv", "-o", output)).code).toBe(0);
    server = await openServer({ folder: sandbox.folder });
    const id = await workflow(server, { "main.wdl": wdl });
    ofServer = String((await start(server, id, { parameters: { names: ["Zoe"] } }))["id"]);
    await vi.waitFor(
      async () => expect((await get(server, `/run/${ofServer}`))["status"]).toBe("COMPLETED"),
      { timeout: 2 * limitMs, interval: 50 },
    );
  }, 4 * limitMs);
  afterAll(async () => {
    await server.close();
    expect(server.bugs).toEqual([]);
  });

  it("home counts the calls and rows of each day, and names the last failure and the caches", async () => {
    const home = await answer("/home", "HomePage");
    const days = home["days"] as Rows;
    expect(days).toHaveLength(30);
    const sum = (name: string) => days.reduce((total, day) => total + Number(day[name]), 0);
    expect({ reused: sum("reused"), computed: sum("computed"), failed: sum("failed") }).toEqual({
      ...{ reused: 1, computed: 3, failed: 1 },
    });
    expect({ reused: sum("rowsReused"), computed: sum("rowsComputed") }).toEqual({ reused: 2, computed: 2 });
    expect(home["saved"]).toMatchObject({ calls: 1, rows: 2 });
    expect(home["failures"]).toMatchObject([{ run: runs[2], workflow: "hello" }]);
    expect(home["caches"]).toMatchObject([{ ref: "lab", name: "lab", entries: 2 }]);
    expect(home["running"]).toEqual([]);
  });

  it("any two runs are compared: inputs, calls, outputs and times", async () => {
    const found = await answer(`/compare?a=${runs[0]}&b=${runs[1]}`, "RunComparison");
    expect(found["inputs"]).toEqual([{ name: "names", before: '["Ada"]', after: '["Ada","Bob"]' }]);
    expect(found["same"]).toBe(1);
    expect(found["rows"]).toMatchObject([{ call: "hello.greet[1]", change: "only-after" }]);
    expect(found["times"]).toMatchObject([{ call: "hello.greet[0]" }]);
    const mixed = await answer(`/compare?a=${runs[0]}&b=${ofServer}`, "RunComparison");
    expect(mixed["rows"]).toMatchObject([{ call: "hello.greet[0]", change: "differs" }]);
    expect((await asked(`/compare?a=${runs[0]}`)).status).toBe(400);
    expect((await asked(`/compare?a=${runs[0]}&b=none`)).status).toBe(404);
  });

  it("a run is answered without its calls where a page asks for them itself", async () => {
    for (const id of [runs[0], ofServer]) {
      const whole = await answer(`/runs/${id}`, "RunDetail");
      const short = await answer(`/runs/${id}?calls=none`, "RunDetail");
      expect(short).toEqual({ ...whole, rows: [], notes: short["notes"] });
    }
  });

  it("savings and advice are those of the command line", async () => {
    const cli = async (...words: readonly string[]) => (await sandbox.run(...words, "--json")).out;
    expect((await asked("/savings?by=task")).text).toBe(await cli("savings", "--by", "task"));
    expect((await asked("/savings?by=model")).text).toBe(await cli("savings", "--by", "model"));
    expect((await asked("/advice?workflow=hello")).text).toBe(await cli("advise", "hello"));
    expect((await answer("/savings?cpuPrice=1.5", "Savings"))["total"]).toHaveProperty("money");
    for (const path of ["/savings?cpuPrice=-1", "/savings?since=yesterday", "/savings?by=colour", "/advice"])
      expect((await asked(path)).status, path).toBe(400);
  });

  it("a run of the command line, of the server and of predictions is exported as graph and as ZIP", async () => {
    const traced = await answer(`/trace?file=${encodeURIComponent(sandbox.path("2.csv"))}`, "Trace");
    const [predicted] = traced["calls"] as Rows;
    expect(predicted).toMatchObject({ language: "predictions", workflow: "eos3b5e" });
    for (const id of [String(runs[0]), ofServer, String(predicted?.["run"])]) {
      const graph = await answer(`/runs/${id}/provenance`, "RunProvenance");
      expect((graph["run"] as Body)["id"]).toBe(id);
      const crate = await asked(`/runs/${id}/crate`);
      expect([crate.status, crate.headers["content-type"]]).toEqual([200, "application/zip"]);
      const file = `${id}.zip`;
      expect((await sandbox.run("runs", "export", id, "-o", file)).code, id).toBe(0);
      const again = await sandbox.run("runs", "export", id, "-o", file);
      expect([again.code, again.err]).toEqual([2, expect.stringContaining("nothing is replaced")]);
    }
    const { out } = await sandbox.run("runs", "export", ofServer, "--format", "json");
    expect(JSON.parse(out)).toEqual(await answer(`/runs/${ofServer}/provenance`, "RunProvenance"));
    expect((await asked("/runs/none/crate")).status).toBe(404);
  });

  it("a file is traced by its absolute path only", async () => {
    expect((await asked("/trace?file=2.csv")).status).toBe(400);
    expect((await asked("/trace?file=%2Fnowhere%2Fat-all")).status).toBe(404);
    const { out } = await sandbox.run("trace", "2.csv", "--json");
    expect((await asked(`/trace?file=${encodeURIComponent(sandbox.path("2.csv"))}`)).text).toBe(out);
  });

  it("a cache shows how its size came about, and what rechecks and verify found", async () => {
    const { days } = await answer("/caches/lab/ages", "CacheAges");
    expect((days as Rows).at(-1)?.["totalBytes"]).toBe(
      (await entries()).reduce((sum, { bytes }) => sum + Number(bytes), 0),
    );
    const { tasks } = await answer("/caches/lab/rechecks", "CacheRechecks");
    expect(tasks).toMatchObject([{ task: "greet", differs: 1, outputs: { now: 1 } }]);
    expect(await answer("/caches/lab/verify", "Verification")).toEqual({});
    await change("/caches/lab/verify", {});
    expect(await answer("/caches/lab/verify", "Verification")).toMatchObject({ report: { checked: 2 } });
    const found = await answer(`/caches/lab/entries?search=${runs[1]?.slice(-6)}`, "EntryList");
    expect(found["total"]).toBe(1);
  });

  it("entries are pinned, pruned and invalidated; a preview changes nothing", async () => {
    const uuids = (await entries()).map(({ uuid }) => String(uuid));
    const [first = "", second = ""] = uuids;
    checked(await change("/caches/lab/pin", { entries: [first], pinned: true }), "EntriesTouched");
    const preview = checked(
      await change("/caches/lab/prune", { dryRun: true, budgetBytes: 0 }),
      "PruneReport",
    );
    expect(preview["plan"]).toMatchObject({
      remove: [{ uuid: second }],
      protectedEntries: [{ uuid: first, why: "pinned" }],
    });
    expect(preview).not.toHaveProperty("removed");
    expect(await entries()).toHaveLength(2);
    const done = checked(
      await change("/caches/lab/prune", { dryRun: false, budgetBytes: 0, policy: "cost" }),
      "PruneReport",
    );
    expect(done["removed"]).toMatchObject({ entries: 1 });
    expect((await entries()).map(({ uuid }) => uuid)).toEqual([first]);
    checked(await change("/caches/lab/pin", { entries: [first], pinned: false }), "EntriesTouched");
    expect((await change("/caches/lab/invalidate", { entries: [first.slice(0, 8)] })).status).toBe(404);
    checked(await change("/caches/lab/invalidate", { entries: [first] }), "EntriesTouched");
    expect(await entries()).toEqual([]);
    for (const body of [
      {},
      { dryRun: true },
      { dryRun: 1, budgetBytes: 0 },
      { dryRun: true, budgetBytes: -1 },
    ])
      expect((await change("/caches/lab/prune", body)).status, JSON.stringify(body)).toBe(400);
  });

  it("molecules are looked up and drawn, and columns are spread over the stored rows", async () => {
    const { found } = await answer("/molecule?smiles=CCO", "MoleculeValues");
    expect(found).toMatchObject([{ model: "eos3b5e", state: "current", cache: "local" }]);
    expect((await asked("/molecule?smiles=CCO")).text).toBe(
      (await sandbox.run("lookup", "CCO", "--json")).out,
    );
    expect((await answer("/molecule/drawing?smiles=CCO", "Drawing"))["svg"]).toMatch(/<svg/);
    expect(await answer("/molecule/drawing?smiles=nonsense", "Drawing")).toEqual({});
    const spreads = await answer("/predictions/eos3b5e/columns", "ColumnSpreads");
    expect(spreads["rows"]).toBe(2);
    const [column] = spreads["columns"] as Rows;
    expect(column).toMatchObject({ type: "float", empty: 0, spread: { count: 2 } });
    expect(column?.["bins"]).toHaveLength(30);
  });

  it("runs in other folders are listed with the others, and one that was deleted by hand as gone", async () => {
    const run = async (folder: string) => {
      const words = ["--executor", "host", "--no-cache", "--runs-dir", sandbox.path(folder), "--json"];
      const { out } = await sandbox.run("run", "hello.wdl", 'names=["Eve"]', ...words);
      return String((JSON.parse(out) as Body)["run"]);
    };
    const [kept, lost] = [await run("kept"), await run("lost")];
    await rm(sandbox.path("lost"), { recursive: true });
    const list = (await answer("/runs?origin=home", "RunList"))["runs"] as Rows;
    expect(list.map(({ id, gone }) => [id, gone === true])).toEqual([
      [lost, true],
      [kept, false],
      ...runs.toReversed().map((id) => [id, false]),
    ]);
    expect(list[0]).toMatchObject({ state: "succeeded", calls: { computed: 1 } });
    expect((await answer(`/runs/${kept}`, "RunDetail"))["rows"]).toHaveLength(1);
    expect((await answer(`/runs/${kept}/logs`, "RunLogs"))["run"]).toBe(kept);
    expect((await asked(`/runs/${lost}`)).status).toBe(404);
    expect((await change("/runs/delete", { runs: [kept] })).body["results"]).toEqual([
      { run: kept, done: true },
    ]);
    const rest = (await answer("/runs?origin=home", "RunList"))["runs"] as Rows;
    expect(rest.map(({ id }) => id)).toEqual([lost, ...runs.toReversed()]);
    expect((await change("/runs/delete", { runs: [lost] })).body["results"]).toEqual([
      { run: lost, done: true },
    ]);
    const own = (await answer("/runs?origin=home", "RunList"))["runs"] as Rows;
    expect(own.map(({ id }) => id)).toEqual(runs.toReversed());
  });

  it("settings say where things are", async () => {
    expect((await answer("/settings", "Places"))["home"]).toBe(sandbox.home);
    expect((await answer("/doctor", "Doctor"))["findings"]).toContainEqual(
      expect.objectContaining({ name: "Node.js" }),
    );
  });
});

it("accounts see nothing of what belongs to the machine", async () => {
  const key = { accessKeyId: "AKIDB", account: "222222222222", secretAccessKey: "s", token: "t".repeat(40) };
  const server = await openServer({ keys: [key] });
  try {
    const as = (path: string) =>
      server.raw({
        ...{ method: "GET", path: `/api/v1${path}` },
        headers: { authorization: `Bearer ${key.token}` },
      });
    for (const path of [
      "/molecule?smiles=CCO",
      "/predictions/eos3b5e/columns",
      "/settings",
      "/doctor",
      "/savings?by=model",
    ])
      expect((await as(path)).status, path).toBe(403);
    for (const path of ["/caches/home%3Adefault/ages", "/caches/lab/rechecks", "/advice?workflow=hello"])
      expect((await as(path)).status, path).toBe(404);
    const { body } = await as("/home");
    expect(body).toMatchObject({ running: [], caches: [], failures: [], saved: { calls: 0, rows: 0 } });
  } finally {
    await server.close();
  }
});
