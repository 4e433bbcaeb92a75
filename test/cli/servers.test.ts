/** Models that run somewhere else: a server in Ersilia's protocol, named by its URL. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ErsiliaPackServer, startErsiliaPack } from "../servers/ersilia-pack.ts";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
let server: ErsiliaPackServer;
beforeAll(async () => {
  box = await Sandbox.create({ MEMOIR_SESSION: "server" });
  server = await startErsiliaPack({
    id: "eos0srv",
    slug: "served-elsewhere",
    columns: ["length", "first"],
    outputType: "Float",
    examples: ["CCO"],
    answer: (input) => (input.includes("bad") ? undefined : [input.length, 1]),
  });
});
afterAll(async () => {
  await server.close();
  box.remove();
});

it("serve takes the URL; run asks the server once per input and finds bad rows by itself", async () => {
  const served = await box.json("serve", server.url);
  expect(served).toMatchObject({ model: "eos0srv", runner: `http ${server.url}` });
  await box.inputs("in.csv", ["CCO", "bad1", "CCCC", "CCO", "bad2"]);
  const { counts } = await box.json<{ counts: unknown }>("run", "-i", "in.csv", "-o", "out.csv");
  expect(counts).toMatchObject({ computed: 3, failed: 2 });
  expect(await box.rows("out.csv")).toEqual([
    "CCO,3.0,1.0",
    "bad1,,",
    "CCCC,4.0,1.0",
    "CCO,3.0,1.0",
    "bad2,,",
  ]);
});

it("what it answered is reused when the server has gone", async () => {
  await box.json("fetch", server.url);
  await box.inputs("one.csv", ["CCO"]);
  const before = server.runs.length;
  await box.json("run", "--model", "eos0srv", "-i", "one.csv", "-o", "one-out.csv");
  await box.json("run", "--model", "eos0srv", "-i", "one.csv", "-o", "one-out.csv");
  expect(server.runs.length - before).toBeLessThanOrEqual(1);
  expect(await box.rows("one-out.csv")).toEqual(["CCO,3.0,1.0"]);
});

it("--runner-url runs a model that is here on a server", async () => {
  const other = await startErsiliaPack({
    id: "eos3b5e",
    slug: "molecular-weight",
    columns: ["mol_weight"],
    examples: ["CCO"],
    answer: () => [42],
  });
  try {
    await box.inputs("weight.csv", ["CCN"]);
    const where = ["--model", "eos3b5e", "--runner-url", other.url, "--local", "runner-local"];
    await box.json("run", ...where, "-i", "weight.csv", "-o", "weight-out.csv");
    expect(await box.rows("weight-out.csv")).toEqual(["CCN,42.0"]);
  } finally {
    await other.close();
  }
});

it("a server that cannot be reached ends with exit code 4 and its address", async () => {
  const { code, err } = await box.run("serve", "http://127.0.0.1:9");
  expect(code).toBe(4);
  expect(err).toContain("127.0.0.1:9");
});
