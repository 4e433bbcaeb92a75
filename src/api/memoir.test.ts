import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryTier } from "../store/predictions/index.ts";
import { openMemoir } from "./index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-api-"));
  await writeFile(
    join(folder, "next.wdl"),
    "version 1.1\nworkflow next { input { Int n } output { Int m = n + 1 } }\n",
  );
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (more = {}) => openMemoir({ home: join(folder, "home"), cwd: folder, ...more });

describe("a run of a workflow", () => {
  it("answers its result when it is awaited, and its events when they are read", async () => {
    await using memoir = await open();
    const run = memoir.run("next.wdl", {
      inputs: { n: 9_007_199_254_740_993n },
      executor: "host",
      cache: false,
    });
    const kinds: string[] = [];
    for await (const { kind } of run.events) kinds.push(kind);
    expect(kinds[0]).toBe("run.started");
    expect(kinds.at(-1)).toBe("run.ended");
    const result = await run;
    expect(result.state).toBe("succeeded");
    expect(result.outputs.text).toContain("9007199254740994");
  });

  it("throws what went wrong when it is awaited, and ends its events", async () => {
    await using memoir = await open();
    const run = memoir.run("none.wdl");
    for await (const { kind } of run.events) expect(kind).toBe("never");
    await expect(run).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    await expect(memoir.run("next.wdl", { inputs: { n: 1 }, executor: "moon" })).rejects.toMatchObject({
      code: "CLI_USAGE",
    });
  });

  it("stops by its signal, by cancel and when Memoir is closed", async () => {
    const memoir = await open();
    const aborted = memoir.run("next.wdl", { inputs: { n: 1 }, signal: AbortSignal.abort(), cache: false });
    const cancelled = memoir.run("next.wdl", { inputs: { n: 1 }, cache: false });
    await cancelled.cancel();
    await memoir.close();
    for (const run of [aborted, cancelled, memoir.run("next.wdl", { inputs: { n: 1 }, cache: false })]) {
      const end = await run.result.then(
        ({ state }) => state,
        (error) => error.code,
      );
      expect(["cancelled", "RUN_INTERRUPTED"]).toContain(end);
    }
  });

  it("is found among the runs, and its workflow can be checked", async () => {
    await using memoir = await open();
    const { run } = await memoir.run("next.wdl", { inputs: { n: 1 }, executor: "host", cache: false });
    expect((await memoir.runs.list({})).runs.map(({ id }) => id)).toEqual([run]);
    expect((await memoir.runs.outputs({ run })).outputs.toJSON()).toEqual({ "next.m": 2 });
    expect(await memoir.check("next.wdl")).toMatchObject({ errors: 0, language: "wdl" });
    expect((await memoir.inputs("next.wdl")).template).toEqual({ "next.n": "Int" });
  });
});

describe("what a signal or the end of Memoir stops", () => {
  it("is every function, those that only list or show included", async () => {
    await using memoir = await open();
    const { run } = await memoir.run("next.wdl", { inputs: { n: 1 }, executor: "host", cache: false });
    const stopped = { signal: AbortSignal.abort() };
    const calls = {
      list: () => memoir.runs.list({}, stopped),
      show: () => memoir.runs.show({ run }, stopped),
      logs: () => memoir.runs.logs({ run }, stopped),
      outputs: () => memoir.runs.outputs({ run }, stopped),
      dryRun: () => memoir.dryRun("next.wdl", { inputs: { n: 1 }, ...stopped }),
      caches: () => memoir.caches.list(stopped),
      doctor: () => memoir.doctor(stopped),
    };
    for (const [name, call] of Object.entries(calls))
      await expect(call(), name).rejects.toMatchObject({ code: "RUN_INTERRUPTED" });
    expect(await memoir.runs.show({ run })).toMatchObject({ id: run });
  });
});

describe("doctor", () => {
  it("opens the tiers that the program brings", async () => {
    const broken = {
      ...createMemoryTier(),
      name: "brought",
      open: () => Promise.reject(new Error("no disk")),
    };
    await using memoir = await open({ tiers: { local: () => createMemoryTier(), cloud: () => broken } });
    const { findings } = await memoir.doctor();
    const of = (name: string) => findings.find((finding) => finding.name === name);
    expect(of("local cache")).toMatchObject({ state: "ok", detail: createMemoryTier().name });
    expect(of("cloud cache")).toMatchObject({ state: "trouble", detail: expect.stringContaining("no disk") });
  });
});

describe("predictions for inputs that are handed over", () => {
  const inputs = ["CCO", "no molecule(", "", "CCO", 'a,"b"\nc'];

  it("come in the inputs' order, one for each, whatever is in them", async () => {
    await using memoir = await open();
    const rows = [];
    for await (const row of memoir.predict("molecular-weight", inputs)) rows.push(row);
    expect(rows.map(({ input }) => input)).toEqual(inputs);
    expect(rows.map(({ status }) => status)).toEqual([
      "computed",
      "failed",
      expect.any(String),
      "computed",
      "failed",
    ]);
    expect(rows[0]?.values).toEqual({ mol_weight: expect.closeTo(46.069, 3) });
  });

  it("are looked up the next time, in a tier that the program brings", async () => {
    const tier = createMemoryTier();
    const local = () => ({ ...tier, close: async () => {} });
    await using memoir = await open({ tiers: { local } });
    const statuses = async () => {
      const found = [];
      for await (const { status } of memoir.predict("molecular-weight", ["CCO"])) found.push(status);
      return found;
    };
    expect(await statuses()).toEqual(["computed"]);
    expect(await statuses()).toEqual(["reused-local"]);
  });

  it("stop when nobody reads them any more, and ask for no more inputs than that", async () => {
    await using memoir = await open();
    let asked = 0;
    async function* endless() {
      for (;;) {
        asked++;
        yield `${"C".repeat((asked % 50) + 1)}O`;
      }
    }
    for await (const { status } of memoir.predict("molecular-weight", endless())) {
      expect(status).toBe("computed");
      break;
    }
    const then = asked;
    await memoir.close();
    expect(asked - then).toBeLessThan(3_000);
  });

  it("end with the error of the run", async () => {
    await using memoir = await open();
    const rows = memoir.predict("no-such-model", ["CCO"]);
    await expect(rows[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    await expect(rows.result).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});
