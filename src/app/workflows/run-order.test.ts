import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import { createApp } from "../app.ts";
import type { RunRequest } from "./run-order.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-order-"));
  await writeFile(
    join(folder, "next.wdl"),
    "version 1.1\nworkflow next {\n  input { Int n  Array[String] names = [] }\n" +
      "  output { Int m = n + 1  Array[String] all = names }\n}\n",
  );
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const app = () =>
  createApp({ env: { MEMOIR_HOME: join(folder, "home"), TOKEN: "t" }, cwd: folder, parentPid: process.pid });

const request = (inputs: RunRequest["inputs"]): RunRequest => ({
  program: { workflow: "next.wdl" },
  inputs,
  cache: { place: "./cache", hostTasks: true },
  executor: { name: "host", options: { "no-guard": true } },
  limits: { cpus: 1 },
  env: ["TOKEN", "A=b"],
  failure: "fast",
});

const outputsOf = async (asked: RunRequest) => {
  const { workflows } = app();
  // What a queue, a server or another process would be given.
  const order = structuredClone(await workflows.order(asked, freshAsk()));
  const events: string[] = [];
  const result = await workflows.run(order, { onEvent: ({ kind }) => void events.push(kind) }, freshAsk());
  expect(events).toContain("run.ended");
  return result.outputs.toJSON();
};

describe("an order of a run", () => {
  it("is data: a copy of it runs the same, with exact integers and words that win", async () => {
    await writeFile(join(folder, "in.json"), '{"n": 9007199254740993, "names": ["x"]}');
    expect(await outputsOf(request({ file: "in.json" }))).toMatchObject({ "next.all": ["x"] });
    expect(await outputsOf(request({ file: "in.json", words: ["n=4", "names=7"] }))).toEqual({
      "next.m": 5,
      "next.all": ["7"],
    });
  });

  it("takes inputs as values, without a file", async () => {
    expect(await outputsOf(request({ values: { "next.n": 1n, names: ["a"] } }))).toEqual({
      "next.m": 2,
      "next.all": ["a"],
    });
  });

  it("holds what was named by name: the cache's record and the values of variables", async () => {
    const order = await app().workflows.order(request({}), freshAsk());
    expect(order.cache).toMatchObject({ kind: "record", record: { location: join(folder, "cache") } });
    expect(order.env).toEqual({ TOKEN: "t", A: "b" });
    await expect(
      app().workflows.order({ ...request({}), env: ["NOT_SET"] }, freshAsk()),
    ).rejects.toMatchObject({
      code: "CLI_USAGE",
    });
  });
});
