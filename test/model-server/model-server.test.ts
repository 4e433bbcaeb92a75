/** `memoir model-server` answers like ersilia-pack's server, out of the caches, and computes every input once. */
import { rm, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { CountingModel, type ModelServerProcess, startModelServer } from "./server-process.ts";

let sandbox: Sandbox;
let servers: ModelServerProcess[];

beforeEach(async () => {
  sandbox = await Sandbox.create();
  servers = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop("SIGKILL")));
  sandbox.remove();
});

async function serve(...words: readonly string[]): Promise<ModelServerProcess> {
  const server = await startModelServer(sandbox, ...words, "--no-guard");
  servers.push(server);
  return server;
}

/** The model is fetched, so that its release stays although it writes into its folder. */
async function counting(metadata: Readonly<Record<string, string>> = {}): Promise<CountingModel> {
  const model = await CountingModel.create(sandbox.path("counting"), metadata);
  await sandbox.json("fetch", model.folder);
  return model;
}

describe("the routes of ersilia-pack", () => {
  it("describe the model", async () => {
    const server = await serve("eos3b5e");
    const root = await server.get("/");
    expect(root.json).toEqual({ eos3b5e: "molecular-weight" });
    expect(root.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect((await server.get("/healthz")).json).toEqual({
      breaker: { state: "closed", failures: 0, last_failure: null, reset_timeout: 60, next_reset: null },
      system: { cpu: expect.any(Number), memory: expect.any(Number) },
    });
    expect((await server.get("/models/status")).json).toEqual([
      expect.objectContaining({
        modelName: "eos3b5e",
        workers: [expect.objectContaining({ status: "NOT_READY" })],
      }),
    ]);
    expect((await server.get("/card")).json).toMatchObject({
      Identifier: "eos3b5e",
      "Output Type": ["Float"],
    });
    expect((await server.get("/card/Slug")).json).toEqual({ Slug: "molecular-weight" });
    expect((await server.get("/run/columns/input")).json).toEqual(["smiles"]);
    expect((await server.get("/run/columns/output")).json).toEqual(["mol_weight"]);
    const inputs = (await server.get("/run/example/input")).json as readonly string[];
    expect(inputs).toContain("C1=CN=CC=C1C(=O)NN");
    expect((await server.get("/run/example/output")).json).toEqual([
      { mol_weight: 318.336 },
      { mol_weight: 137.14199999999997 },
      { mol_weight: 287.21599999999995 },
    ]);
    expect((await server.get("/docs")).text).toContain("/run/example/input");
    expect((await server.get("/openapi.json")).json).toMatchObject({ paths: { "/run": { post: {} } } });
    expect((await server.get("/card/")).status).toBe(307);
  });

  it("answer in five orientations; where inputs are names, equal ones are one", async () => {
    const server = await serve("eos3b5e");
    const asked = async (query: string) => (await server.post(`/run${query}`, ["CCO", "CCC", "CCO"])).text;
    expect(await asked("")).toBe(
      '[{"mol_weight":46.069},{"mol_weight":44.096999999999994},{"mol_weight":46.069}]',
    );
    expect(await asked("?orient=values")).toBe("[[46.069],[44.096999999999994],[46.069]]");
    expect(await asked("?orient=split")).toBe(
      '{"columns":["mol_weight"],"index":["CCO","CCC","CCO"],"data":[[46.069],[44.096999999999994],[46.069]]}',
    );
    expect(await asked("?orient=index")).toBe(
      '{"CCO":{"mol_weight":46.069},"CCC":{"mol_weight":44.096999999999994}}',
    );
    expect(await asked("?orient=columns")).toBe('{"mol_weight":{"CCO":46.069,"CCC":44.096999999999994}}');
    expect((await server.post("/run", [{ key: "k", input: "CCO" }])).text).toBe('[{"mol_weight":46.069}]');
  });

  it("cast values to the one type of the card, and answer texts where it names several", async () => {
    await counting();
    const mixed = await serve("eos0cnt");
    expect((await mixed.post("/run?orient=values", ["CCCC"])).text).toBe("[[4.0,2.0]]");
    expect((await mixed.get("/run/example/output")).text).toBe(
      '[{"length":3.0,"half":1.5},{"length":1.0,"half":0.5}]',
    );
    await CountingModel.create(sandbox.path("texts"), {
      Identifier: "eos0txt",
      "Output Type": "[Float, Integer]",
    });
    await sandbox.json("fetch", sandbox.path("texts"));
    const texts = await serve("eos0txt");
    expect((await texts.post("/run?orient=values", ["CCCC"])).text).toBe('[["4","2.0"]]');
  });

  it("answer numbers as bytes where a heavy answer is asked for", async () => {
    const server = await serve("eos3b5e");
    const response = await fetch(`${server.url}/run?output_type=heavy`, {
      method: "POST",
      body: '["CCO","CCC"]',
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const end = bytes.indexOf("\n") + 1;
    expect(JSON.parse(bytes.subarray(0, end).toString())).toEqual({
      ...{ dims: ["mol_weight"], shape: [2, 1], dtype: "<f4" },
    });
    expect([bytes.readFloatLE(end), bytes.readFloatLE(end + 4)]).toEqual([
      Math.fround(46.069),
      Math.fround(44.097),
    ]);
    expect(bytes.length).toBe(end + 8);
  });

  it("refuse in the words of FastAPI and ersilia-pack", async () => {
    const server = await serve("eos3b5e");
    const detailOf = async (path: string, body?: unknown) => {
      const { status, json } = body === undefined ? await server.get(path) : await server.post(path, body);
      return [status, (json as { readonly detail?: unknown }).detail];
    };
    expect(await detailOf("/nothing")).toEqual([404, "Not Found"]);
    expect(await detailOf("/run")).toEqual([405, "Method Not Allowed"]);
    expect(await detailOf("/run", [])).toEqual([422, "Data is empty."]);
    expect(await detailOf("/run", ["CCO", "notsmiles"])).toEqual([
      ...[500, "Internal processing error due to a shell execution"],
    ]);
    const broken = (await server.post("/run", ["CCO", "notsmiles"])).json as { readonly traceback: string };
    expect(broken.traceback).toContain('input 2, "notsmiles"');
    const [status, details] = await detailOf("/run?orient=rows&min_workers=0&cache_only=perhaps", ["CCO"]);
    expect(status).toBe(422);
    expect((details as readonly { readonly type: string }[]).map(({ type }) => type).toSorted()).toEqual([
      ...["bool_parsing", "enum", "greater_than_equal"],
    ]);
    for (const body of [
      "{",
      "",
      '{"input":"CCO"}',
      "[1]",
      '[{"input":"CCO"}]',
      '["CCO",{"key":"k","input":"C"}]',
    ])
      expect([body, (await detailOf("/run", body))[0]]).toEqual([body, 422]);
    expect((await detailOf("/card/Licence"))[0]).toBe(422);
    expect(await detailOf("/card/Description")).toEqual([200, undefined]);
    expect(await detailOf("/job/status/none")).toEqual([404, "Job not found"]);
    // What failed is not stored, and what worked is.
    expect((await server.post("/run?cache_only=true&orient=values", ["CCO", "notsmiles"])).text).toBe(
      "[[46.069],[null]]",
    );
  });
});

describe("the caches behind it", () => {
  it("answer what was computed before, by this server or by the command line", async () => {
    const model = await counting();
    await sandbox.inputs("in.csv", ["CC", "CCC"]);
    await sandbox.json("serve", "eos0cnt", "--no-guard");
    await sandbox.json("run", "-i", "in.csv", "-o", "out.csv");
    const server = await serve("eos0cnt");
    expect((await server.post("/run?orient=values", ["CCC", "C", "CC"])).text).toBe(
      "[[3.0,1.5],[1.0,0.5],[2.0,1.0]]",
    );
    await server.post("/run", ["C"]);
    expect(model.computed).toEqual(["CC", "CCC", "C"]);
    const of = '{model="eos0cnt",release="v1.0.0",outcome=';
    expect(await server.metric(`memoir_model_predictions_total${of}"reused_local"}`)).toBe(3);
    expect(await server.metric(`memoir_model_predictions_total${of}"computed"}`)).toBe(1);
  });

  it("are left out where a request says so, and never make a request with cache_only compute", async () => {
    const model = await counting();
    const server = await serve("eos0cnt");
    const asked = async (query: string, input: string) =>
      (await server.post(`/run?orient=values&${query}`, [input])).text;
    expect(await asked("cache_only=true", "C")).toBe("[[null,null]]");
    expect(model.computed).toEqual([]);
    await asked("save_cache=false", "C");
    await asked("fetch_cache=false&save_cache=true", "C");
    expect(await asked("cache_only=true", "C")).toBe("[[null,null]]");
    await asked("fetch_cache=true&save_cache=true", "C");
    expect(await asked("cache_only=true", "C")).toBe("[[1.0,0.5]]");
    expect(model.computed).toEqual(["C", "C", "C"]);
    const always = await serve("eos0cnt", "--cache-parameters", "ignored");
    await always.post("/run?fetch_cache=false&save_cache=false", ["C"]);
    expect(model.computed).toHaveLength(3);
  });

  it("never keep the answers of a model whose output varies", async () => {
    const model = await counting({ "Output Consistency": "Variable" });
    const server = await serve("eos0cnt");
    await server.post("/run", ["C", "C"]);
    await server.post("/run", ["C"]);
    expect(model.computed).toEqual(["C", "C", "C"]);
  });

  it("give single failures as nulls where the server was started so, and do not keep them", async () => {
    const model = await counting();
    const server = await serve("eos0cnt", "--failed-rows", "null");
    expect((await server.post("/run?orient=values", ["C", "!", "CC"])).text).toBe(
      "[[1.0,0.5],[null,null],[2.0,1.0]]",
    );
    await server.post("/run", ["!"]);
    expect(model.computed.filter((input) => input === "!").length).toBeGreaterThan(1);
  });

  it("are what another Memoir asks when its model is this server", async () => {
    const model = await counting();
    const server = await serve("eos0cnt");
    await sandbox.inputs("in.csv", ["CC", "C"]);
    const other = sandbox.with({ MEMOIR_HOME: sandbox.path("other-home") });
    await other.json("serve", server.url);
    await other.json("run", "-i", "in.csv", "-o", "out.csv");
    expect(await other.rows("out.csv")).toEqual(["CC,2.0,1.0", "C,1.0,0.5"]);
    expect(model.computed).toEqual(["CC", "C"]);
  });
});

describe("many clients", () => {
  it("twenty that ask for overlapping molecules at the same time have each computed once", async () => {
    const model = await counting();
    await writeFile(model.path("hold"), "");
    const server = await serve("eos0cnt");
    const wanted = Array.from({ length: 20 }, (_, client) =>
      Array.from({ length: 30 }, (__, i) => "C".repeat(1 + ((client * 7 + i) % 60))),
    );
    const distinct = [...new Set(wanted.flat())];
    const asked = wanted.map((inputs) => server.post("/run?orient=values", inputs));
    const underWay = 'memoir_model_inputs_under_way{model="eos0cnt",release="v1.0.0"}';
    await expect.poll(() => server.metric(underWay), { timeout: limitMs }).toBe(distinct.length);
    await rm(model.path("hold"));
    for (const [client, answer] of (await Promise.all(asked)).entries())
      expect(answer.json).toEqual(wanted[client]?.map(({ length }) => [length, length / 2]));
    expect(model.computed.toSorted()).toEqual(distinct.toSorted());
    // What waited while the first batch was computed was computed together.
    expect(model.batches).toBeLessThan(20);
    for (const inputs of wanted) expect((await server.post("/run", inputs)).status).toBe(200);
    expect(model.computed).toHaveLength(distinct.length);
  });

  it("one that goes away does not end what the others wait for", async () => {
    const model = await counting();
    await writeFile(model.path("hold"), "");
    const server = await serve("eos0cnt");
    const leaving = new AbortController();
    const gone = fetch(`${server.url}/run`, {
      ...{ method: "POST", body: '["CC"]', signal: leaving.signal },
    }).catch(() => "gone");
    const underWay = 'memoir_model_inputs_under_way{model="eos0cnt",release="v1.0.0"}';
    await expect.poll(() => server.metric(underWay), { timeout: limitMs }).toBe(1);
    const other = server.post("/run?orient=values", ["CC", "CCC"]);
    await expect.poll(() => server.metric(underWay), { timeout: limitMs }).toBe(2);
    leaving.abort();
    expect(await gone).toBe("gone");
    await rm(model.path("hold"));
    expect((await other).json).toEqual([
      [2, 1],
      [3, 1.5],
    ]);
    expect(model.computed.toSorted()).toEqual(["CC", "CCC"]);
  });

  it("more requests than the limit are put off", async () => {
    const server = await serve("eos3b5e", "--rate-limit", "2/day");
    expect((await server.get("/card")).status).toBe(200);
    expect((await server.get("/card")).status).toBe(200);
    const late = await server.get("/card");
    expect([late.status, late.json]).toEqual([429, { error: "Rate limit exceeded: 2 per 1 day" }]);
    expect(Number(late.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

describe("jobs", () => {
  it("are submitted, looked at, and give the answer in the orientation that was asked for", async () => {
    const model = await counting();
    await writeFile(model.path("hold"), "");
    const server = await serve("eos0cnt");
    const { job_id: id } = (await server.post("/job/submit?orient=split", ["CC", "C", "CC"])).json as {
      readonly job_id: string;
    };
    expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect((await server.get(`/job/status/${id}`)).json).toEqual({ job_id: id, status: "pending" });
    expect((await server.get(`/job/result/${id}`)).json).toEqual({
      job_id: id,
      status: "pending",
      result: null,
    });
    await rm(model.path("hold"));
    const status = async () => (await server.get(`/job/status/${id}`)).json;
    await expect.poll(status, { timeout: limitMs }).toEqual({ job_id: id, status: "completed" });
    expect((await server.get(`/job/result/${id}`)).text).toBe(
      '{"columns":["length","half"],"index":["CC","C","CC"],"data":[[2.0,1.0],[1.0,0.5],[2.0,1.0]]}',
    );
    expect((await server.post("/job/jobs/reset")).json).toEqual({ message: "All jobs have been reset." });
    expect((await server.get(`/job/status/${id}`)).status).toBe(404);
    const { job_id: bad } = (await server.post("/job/submit", ["!"])).json as { readonly job_id: string };
    await expect
      .poll(async () => (await server.get(`/job/status/${bad}`)).json, { timeout: limitMs })
      .toEqual({ job_id: bad, status: "failed" });
  });

  it("continue with the next server after a kill, and what was answered before is found again", async () => {
    const model = await counting();
    const first = await serve("eos0cnt");
    expect((await first.post("/run?orient=values", ["CCCC"])).text).toBe("[[4.0,2.0]]");
    await writeFile(model.path("hold"), "");
    const { job_id: id } = (await first.post("/job/submit", ["CC", "CCCC"])).json as {
      readonly job_id: string;
    };
    const asking = first.post("/run", ["CCCCC"]).catch(() => "killed");
    const underWay = 'memoir_model_inputs_under_way{model="eos0cnt",release="v1.0.0"}';
    await expect.poll(() => first.metric(underWay), { timeout: limitMs }).toBe(2);
    await first.stop("SIGKILL");
    expect(await asking).toBe("killed");
    await rm(model.path("hold"));
    const second = await serve("eos0cnt");
    expect((await second.post("/run?orient=values&cache_only=true", ["CCCC"])).text).toBe("[[4.0,2.0]]");
    await expect
      .poll(async () => (await second.get(`/job/status/${id}`)).json, { timeout: limitMs })
      .toEqual({ job_id: id, status: "completed" });
    expect((await second.get(`/job/result/${id}`)).json).toEqual([
      { length: 2, half: 1 },
      { length: 4, half: 2 },
    ]);
    expect(model.computed.filter((input) => input === "CCCC")).toHaveLength(1);
  });
});

describe("who may ask", () => {
  const token = (letter: string) => letter.repeat(32);
  const keys = [
    {
      accessKeyId: "A",
      secretAccessKey: "a",
      account: "111111111111",
      token: token("a"),
      predictions: "write",
    },
    {
      accessKeyId: "B",
      secretAccessKey: "b",
      account: "222222222222",
      token: token("b"),
      predictions: "write",
    },
    {
      accessKeyId: "R",
      secretAccessKey: "r",
      account: "222222222222",
      token: token("r"),
      predictions: "read",
    },
    { accessKeyId: "N", secretAccessKey: "n", account: "333333333333", token: token("n") },
    { accessKeyId: "O", secretAccessKey: "o", account: "444444444444", token: token("o"), operator: true },
    {
      ...{ accessKeyId: "M", secretAccessKey: "m", account: "555555555555", token: token("m") },
      ...{ predictions: "write", models: ["eos9abc"] },
    },
  ];
  const as = (letter: string) => ({ authorization: `Bearer ${token(letter)}` });

  it("a server without keys listens on this machine only", async () => {
    const { code, err } = await sandbox.run("model-server", "eos3b5e", "--host", "0.0.0.0", "--port", "0");
    expect([code, err]).toEqual([2, expect.stringContaining("SERVER_KEYS_MISSING")]);
  });

  it("web pages of other origins may not use it", async () => {
    const server = await serve("eos3b5e");
    const refused = await server.post("/run", ["CCO"], { origin: "https://elsewhere.example" });
    expect(refused.status).toBe(403);
  });

  it("with keys every request says whose it is, but for probes", async () => {
    await sandbox.write("keys.json", JSON.stringify(keys));
    const server = await serve("eos3b5e", "--access-keys", "keys.json");
    expect((await server.get("/")).status).toBe(200);
    expect((await server.get("/healthz")).status).toBe(200);
    expect((await server.get("/card")).status).toBe(401);
    expect((await server.post("/run", ["CCO"], { authorization: `Bearer ${token("x")}` })).status).toBe(401);
    expect((await server.post("/run", ["CCO"], as("n"))).status).toBe(403);
    expect((await server.post("/run", ["CCO"], as("m"))).status).toBe(403);
    expect((await server.post("/run", ["CCO"], as("r"))).status).toBe(403);
    expect((await server.post("/run", ["CCO"], as("a"))).json).toEqual([{ mol_weight: 46.069 }]);
    expect((await server.post("/run", ["CCO"], as("r"))).json).toEqual([{ mol_weight: 46.069 }]);
    const basic = { authorization: `Basic ${btoa(`ersilia:${token("a")}`)}` };
    expect((await server.post("/run", ["CCO"], basic)).status).toBe(200);
    expect((await server.get("/metrics", as("a"))).status).toBe(403);
    expect((await server.get("/metrics", as("o"))).status).toBe(200);
    // Reasons may name paths of the server's machine.
    const failed = (await server.post("/run", ["bad"], as("a"))).json as { readonly traceback: string };
    expect(failed.traceback).toBe('input 1, "bad": it could not be computed\n');
  });

  it("an account sees and resets its own jobs and no others", async () => {
    await sandbox.write("keys.json", JSON.stringify(keys));
    const server = await serve("eos3b5e", "--access-keys", "keys.json");
    const submit = async (letter: string) =>
      ((await server.post("/job/submit", ["CCO"], as(letter))).json as { readonly job_id: string }).job_id;
    const [ofA, ofB] = [await submit("a"), await submit("b")];
    expect((await server.get(`/job/status/${ofA}`, as("b"))).status).toBe(404);
    expect((await server.get(`/job/result/${ofB}`, as("a"))).status).toBe(404);
    expect((await server.post("/job/jobs/reset", undefined, as("r"))).status).toBe(403);
    expect((await server.post("/job/jobs/reset")).status).toBe(401);
    expect((await server.post("/job/jobs/reset", undefined, as("b"))).status).toBe(200);
    expect((await server.get(`/job/status/${ofA}`, as("a"))).status).toBe(200);
    expect((await server.get(`/job/status/${ofB}`, as("b"))).status).toBe(404);
  });
});

describe("what cannot be served", () => {
  it("ends the command with its own message and exit code", async () => {
    const ended = async (...words: readonly string[]) => {
      const { code, err } = await sandbox.run("model-server", ...words, "--port", "0");
      return [code, /[A-Z]+(_[A-Z]+)+/.exec(err)?.[0]];
    };
    expect(await ended("eos0xyz")).toEqual([3, "MODEL_NOT_FOUND"]);
    expect(await ended()).toEqual([2, "SESSION_NOT_OPEN"]);
    expect(await ended("http://127.0.0.1:9")).toEqual([4, "MODEL_SERVER_UNREACHABLE"]);
    expect(await ended("eos3b5e", "--rate-limit", "often")).toEqual([2, "CLI_USAGE"]);
    expect(await ended("eos3b5e", "--access-keys", "none.json")).toEqual([3, "FILE_NOT_FOUND"]);
    const server = await serve("eos3b5e");
    const { code, err } = await sandbox.run("model-server", "eos3b5e", "--port", new URL(server.url).port);
    expect([code, err]).toEqual([4, expect.stringContaining("SERVER_PORT_NOT_USABLE")]);
  });
});
