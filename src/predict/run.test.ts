import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { md5Hex } from "../hash/index.ts";
import { freshAsk, isAppError } from "../kernel/index.ts";
import type { Canonicalizer, Runner } from "../models/index.ts";
import { thisOwner } from "../process/index.ts";
import {
  createFlakyTier,
  createMemoryTier,
  type Mishap,
  type PredictionTier,
  type TierVerb,
} from "../store/predictions/index.ts";
import type { Cell } from "../task/index.ts";
import type { PredictEvent } from "./events.ts";
import type { Mode } from "./mode.ts";
import { runPredictions } from "./run.ts";
import type { RunParts, RunRequest } from "./run-request.ts";
import { createScriptedRunner, scriptedModel } from "./scripted-runner.ts";

let folder = "";
let local: PredictionTier;
let cloud: PredictionTier;
const model = scriptedModel();
const scope = { modelId: model.id, release: model.release, columns: model.columns };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-run-"));
  local = createMemoryTier({ name: "local" });
  cloud = createMemoryTier({ name: "cloud" });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const path = (name: string) => join(folder, name);

async function inputs(rows: readonly string[], name = "in.csv"): Promise<string> {
  await writeFile(path(name), `smiles\n${rows.map((row) => `${row}\n`).join("")}`);
  return path(name);
}

interface Options extends Partial<RunRequest>, Partial<Pick<RunParts, "model" | "canonicalizer">> {
  readonly runner?: Runner;
  readonly tiers?: { local?: PredictionTier; cloud?: PredictionTier };
  readonly signal?: AbortSignal;
}

async function run(rows: readonly string[], mode: Mode, options: Options = {}) {
  const events: PredictEvent[] = [];
  const output = options.output ?? path("out.csv");
  const result = await runPredictions(
    {
      statusColumn: "without",
      match: "exact",
      ...options,
      mode,
      input: options.input ?? (await inputs(rows)),
      output,
    },
    {
      model: options.model ?? model,
      local: options.tiers?.local ?? local,
      cloud: options.tiers?.cloud ?? cloud,
      runner: options.runner ?? createScriptedRunner(),
      canonicalizer: options.canonicalizer ?? (() => Promise.reject(new Error("not asked for"))),
      emit: (event) => events.push(event),
    },
    options.signal === undefined ? freshAsk() : { signal: options.signal },
  );
  const text = await readFile(output, "utf8");
  return { result, text, lines: text.split("\n").slice(1, -1), events };
}

const failureCode = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: unknown) => (isAppError(error) ? error.code : String(error)),
  );

const put = (tier: PredictionTier, rows: Readonly<Record<string, Cell>>) =>
  tier.putMany(
    scope,
    Object.entries(rows).map(([input, value]) => ({ input, values: [value] })),
    freshAsk(),
  );
const holds = async (tier: PredictionTier, input: string) =>
  (await tier.getMany(scope, [input], freshAsk()))[0]?.values[0];
const line = (input: string, value: string | number) => `${md5Hex(input)},${input},${value}`;

describe("answering", () => {
  it("keeps rows, order and duplicates, and computes each distinct input once", async () => {
    const runner = createScriptedRunner();
    const { lines, result } = await run(["CCO", "CCC", "CCO"], "compute", { runner });
    expect(lines).toEqual([line("CCO", 3), line("CCC", 3), line("CCO", 3)]);
    expect(runner.batches.flat()).toEqual(["CCO", "CCC"]);
    expect(result.counts).toEqual({ reusedLocal: 0, reusedCloud: 0, computed: 3, failed: 0, missing: 0 });
    expect(runner.closes).toBe(1);
  });

  it("hands the model more inputs at once after it has worked, or as many as the user says", async () => {
    const rows = Array.from({ length: 1200 }, (_, i) => `C${i}`);
    const grows = createScriptedRunner();
    await run(rows, "compute", { runner: grows });
    expect(grows.batches[0]).toHaveLength(100);
    expect(grows.batches.length).toBeLessThan(12);
    expect(grows.batches.flat()).toEqual(rows);
    const fixed = createScriptedRunner();
    const others = rows.map((row) => `N${row}`);
    await run(others, "compute", { runner: fixed, batchSize: 100 });
    expect(fixed.batches.map((batch) => batch.length)).toEqual(new Array(12).fill(100));
  });

  it("reports how much of the input has results, not how much of it was read", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => "C".repeat(10 + (i % 3)));
    const { events } = await run(
      rows.map((row, i) => `${row}N${i}`),
      "compute",
      { batchSize: 4 },
    );
    const shares = events.flatMap((event) =>
      event.kind === "progress" ? [event.bytesAnswered / (event.bytesTotal ?? 0)] : [],
    );
    expect(shares.length).toBeGreaterThan(4);
    expect(shares[0]).toBeLessThan(0.2);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual(shares.toSorted((x, y) => x - y));
  });

  it("computes nothing and does not even open the model when everything is stored", async () => {
    await run(["CCO"], "compute");
    const runner = createScriptedRunner();
    const { result } = await run(["CCO"], "compute", { runner });
    expect(result.counts.reusedLocal).toBe(1);
    expect(runner.opens).toBe(0);
  });

  it("records what it computed, with where it came from", async () => {
    await run(["CCO"], "compute");
    const [row] = await local.getMany(scope, ["CCO"], freshAsk());
    expect(row).toMatchObject({ values: [3], provenance: { runner: "scripted", toolkit: "script 1" } });
    expect(row?.provenance?.computedAt).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(await cloud.count(scope, freshAsk())).toBe(0);
  });

  it("answers one value and one failure for a good and a bad input, and stores only the value", async () => {
    const runner = createScriptedRunner({ answer: (input) => (input === "notsmiles" ? "failed" : [46.069]) });
    const { lines, result } = await run(["CCO", "notsmiles", "notsmiles"], "compute", { runner });
    expect(lines).toEqual([line("CCO", 46.069), line("notsmiles", ""), line("notsmiles", "")]);
    expect(result.counts).toMatchObject({ computed: 1, failed: 2 });
    expect(result.failures).toEqual([
      { row: 2, input: "notsmiles", reason: "made to fail for notsmiles" },
      { row: 3, input: "notsmiles", reason: "made to fail for notsmiles" },
    ]);
    expect(await holds(local, "notsmiles")).toBeUndefined();
  });

  it("tries a bad input once although it is in many chunks", async () => {
    const runner = createScriptedRunner({ answer: (input) => (input === "bad" ? "failed" : [1]) });
    const wide = scriptedModel({
      columns: Array.from({ length: 1 }, () => ({ name: "a", type: "float" as const })),
    });
    const rows = Array.from({ length: 45_000 }, (_, i) => (i % 9000 === 0 ? "bad" : `C${i % 7}`));
    const { result } = await run(rows, "compute", { runner, model: wide, batchSize: 10_000 });
    expect(result.counts).toMatchObject({ failed: 5 });
    expect(result.rows).toBe(45_000);
    expect(runner.batches.flat().toSorted()).toEqual(["C0", "C1", "C2", "C3", "C4", "C5", "C6", "bad"]);
  });

  it("distinguishes empty, missing and failed values in the status column", async () => {
    await put(local, { null: null });
    await put(cloud, { cloudy: 7 });
    const runner = createScriptedRunner({ answer: (input) => (input === "bad" ? "failed" : [1]) });
    await writeFile(path("in.csv"), 'smiles\nnull\ncloudy\nbad\nnew\n""\n');
    const { text } = await run([], "cache-only", { input: path("in.csv"), statusColumn: "with", runner });
    expect(text.split("\n").map((row) => row.replace(/^[^,]*,/, ""))).toEqual([
      "input,length,status",
      "null,,reused-local",
      "cloudy,7,reused-cloud",
      "bad,,failed",
      "new,1,computed",
      ",,failed",
      "",
    ]);
  });

  it("hands the model batches of the asked size, several at a time", async () => {
    let most = 0;
    let now = 0;
    const runner = createScriptedRunner({
      before: async () => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setImmediate(resolve));
        now--;
      },
    });
    await run(
      Array.from({ length: 95 }, (_, i) => `C${i}`),
      "compute",
      { runner, batchSize: 10, parallel: 3 },
    );
    expect(runner.batches.map((batch) => batch.length)).toEqual([...Array(9).fill(10), 5]);
    expect(most).toBe(3);
  });

  it("never stores or shares answers of a model whose output varies, and says so", async () => {
    const varying = scriptedModel({ reusable: { kind: "never", reason: "its output varies" } });
    let count = 0;
    const runner = createScriptedRunner({ answer: () => [count++] });
    const { lines, result } = await run(["CCO", "CCO"], "compute", { model: varying, runner });
    expect(lines).toEqual([line("CCO", 0), line("CCO", 1)]);
    expect(await local.count(scope, freshAsk())).toBe(0);
    expect(result.warnings).toEqual(["answers of eos0len are never reused: its output varies"]);
  });

  it("writes only a header for an input of only a header", async () => {
    const { text, result } = await run([], "compute");
    expect(text).toBe("key,input,length\n");
    expect(result.rows).toBe(0);
  });
});

describe("modes", () => {
  beforeEach(async () => {
    await put(local, { inLocal: 1, inBoth: 2 });
    await put(cloud, { inCloud: 3, inBoth: 4 });
  });
  const rows = ["inLocal", "inBoth", "inCloud", "nowhere"];
  const values = (lines: readonly string[]) => lines.map((text) => text.split(",")[2]);

  it("no flag: local, then compute; the cloud is not asked", async () => {
    const { lines } = await run(rows, "compute", { runner: createScriptedRunner({ answer: () => [9] }) });
    expect(values(lines)).toEqual(["1", "2", "9", "9"]);
    expect(await holds(local, "nowhere")).toBe(9);
  });

  it("--local-cache-only: never computes, missing is None", async () => {
    const runner = createScriptedRunner();
    const { lines, result } = await run(rows, "local-cache-only", { runner });
    expect(values(lines)).toEqual(["1", "2", "None", "None"]);
    expect(runner.opens).toBe(0);
    expect(result.counts).toMatchObject({ reusedLocal: 2, missing: 2 });
  });

  it("--cloud-cache-only: never computes, missing is \\N, the local tier is neither asked nor filled", async () => {
    const { lines } = await run(rows, "cloud-cache-only");
    expect(values(lines)).toEqual(["\\N", "4", "3", "\\N"]);
    expect(await holds(local, "inCloud")).toBeUndefined();
  });

  it("--cache-only: local, cloud, compute; answers go back to the tiers before", async () => {
    const { lines, result } = await run(rows, "cache-only", {
      runner: createScriptedRunner({ answer: () => [9] }),
    });
    expect(values(lines)).toEqual(["1", "2", "3", "9"]);
    expect(result.counts).toEqual({ reusedLocal: 2, reusedCloud: 1, computed: 1, failed: 0, missing: 0 });
    expect(await holds(local, "inCloud")).toBe(3);
    expect(await holds(local, "nowhere")).toBe(9);
    expect(await holds(cloud, "nowhere")).toBe(9);
    expect(await holds(cloud, "inLocal")).toBeUndefined();
  });

  it("--cache-only --no-compute: stops after the cloud, missing is empty", async () => {
    const { lines } = await run(rows, "cache-only", { computes: "never" });
    expect(values(lines)).toEqual(["1", "2", "3", ""]);
    expect(await holds(local, "inCloud")).toBe(3);
  });

  it("--missing overrides the word for missing values, in every column", async () => {
    const two = scriptedModel({
      columns: [
        { name: "a", type: "float" },
        { name: "b", type: "string" },
      ],
    });
    const { lines } = await run(["x"], "local-cache-only", { missing: "NA", model: two });
    expect(lines).toEqual([line("x", "NA,NA")]);
  });
});

describe("trouble with tiers", () => {
  const broken = (verbs: readonly TierVerb[], mishap: Mishap, inner = createMemoryTier()) =>
    createFlakyTier(inner, (verb) => (verbs.includes(verb) ? mishap : "none"));

  it("computes when a tier cannot be reached, and warns once", async () => {
    const tiers = { local: broken(["open", "getMany", "putMany"], "unreachable") };
    const { lines, result } = await run(["CCO"], "compute", { tiers });
    expect(lines).toEqual([line("CCO", 3)]);
    expect(result.warnings).toHaveLength(1);
    expect(result.warnings[0]).toContain("local cache");
  });

  it("continues when the tier fails during the run", async () => {
    let calls = 0;
    const dying = createFlakyTier(local, () => (++calls > 2 ? "unreachable" : "none"));
    const rows = Array.from({ length: 50_000 }, (_, i) => `C${i}`);
    const { result } = await run(rows, "compute", { tiers: { local: dying }, batchSize: 5000 });
    expect(result.counts.computed).toBe(50_000);
  });

  it.each(["local-cache-only", "cloud-cache-only", "cache-only"] as const)(
    "%s without computing ends with the tier's error instead of a file of misses",
    async (mode) => {
      const source = mode === "cloud-cache-only" ? "cloud" : "local";
      const tiers = { [source]: broken(["getMany"], "unreachable") };
      expect(await failureCode(run(["CCO"], mode, { tiers, computes: "never" }))).toBe(
        "STORE_TIER_UNREACHABLE",
      );
      expect(existsSync(path("out.csv"))).toBe(false);
      expect(existsSync(path("out.csv.memoir-partial"))).toBe(false);
    },
  );

  it("writes the answers although they could not be recorded", async () => {
    const { lines, result } = await run(["CCO"], "compute", {
      tiers: { local: broken(["putMany"], "full") },
    });
    expect(lines).toEqual([line("CCO", 3)]);
    expect(result.warnings).toHaveLength(1);
  });

  it("does not hide a bug as trouble", async () => {
    await expect(run(["CCO"], "compute", { tiers: { local: broken(["getMany"], "bug") } })).rejects.toThrow();
  });
});

describe("matching by canonical form", () => {
  const canonicalizer = async (): Promise<Canonicalizer> => ({
    toolkit: "sorter 1",
    canonicalize: async (asked) =>
      asked.map((input) => ({ canonical: [...input].toSorted().join(""), toolkit: "sorter 1" })),
    close: async () => {},
  });

  it("reuses another spelling only when asked, and does not record it as this spelling", async () => {
    const asked = { match: "canonical", canonicalizer } as const;
    await run(["CCO"], "compute", asked);
    const runner = createScriptedRunner({ answer: () => [99] });
    const { lines, result } = await run(["OCC", "CCO", "OCC", "N"], "compute", { ...asked, runner });
    expect(lines).toEqual([line("OCC", 3), line("CCO", 3), line("OCC", 3), line("N", 99)]);
    expect(result.counts).toMatchObject({ reusedLocal: 3, computed: 1 });
    expect(await holds(local, "OCC")).toBeUndefined();
    const exact = await run(["OCC"], "compute", { runner });
    expect(exact.lines).toEqual([line("OCC", 99)]);
  });
});

describe("the output", () => {
  it("quotes what needs it, in CSV and TSV", async () => {
    const text = scriptedModel({ columns: [{ name: "a,b", type: "string" }] });
    const runner = createScriptedRunner({ answer: () => ['x"y,z\t'] });
    await writeFile(path("in.csv"), 'smiles\n"a,b"\n');
    const csv = await run([], "compute", { model: text, runner, input: path("in.csv") });
    expect(csv.text).toBe(`key,input,"a,b"\n${md5Hex("a,b")},"a,b","x""y,z\t"\n`);
    const tsv = await run([], "compute", {
      model: text,
      runner,
      input: path("in.csv"),
      output: path("out.tsv"),
    });
    expect(tsv.text).toBe(`key\tinput\ta,b\n${md5Hex("a,b")}\ta,b\t"x""y,z\t"\n`);
  });

  it("writes JSON as Ersilia does, with null for what is missing", async () => {
    await put(local, { CCO: 46.069 });
    const { text } = await run(["CCO", "x"], "local-cache-only", { output: path("out.json") });
    expect(JSON.parse(text)).toEqual([
      { input: { key: md5Hex("CCO"), input: "CCO", text: "CCO" }, output: { length: 46.069 } },
      { input: { key: md5Hex("x"), input: "x", text: "x" }, output: { length: null } },
    ]);
    expect(text).toContain('\n        "input": {\n            "key"');
    const empty = await run([], "local-cache-only", { output: path("empty.json") });
    expect(JSON.parse(empty.text)).toEqual([]);
  });

  it("writes HDF5 with the datasets Values, Keys, Inputs and Features", async () => {
    const { File, ready } = await import("h5wasm/node");
    await ready;
    const rows = Array.from({ length: 10_000 }, (_, i) => `C${"C".repeat(i % 50)}é${i}`);
    const runner = createScriptedRunner({
      answer: (input) => (input.endsWith("77") ? "failed" : [input.length / 3]),
    });
    await run(rows, "compute", { output: path("out.h5"), runner, batchSize: 5000 });
    const file = new File(path("out.h5"), "r");
    const value = (name: string) => (file.get(name) as { value: unknown } | null)?.value;
    expect(value("Features")).toEqual(["length"]);
    expect(value("Inputs")).toEqual(rows);
    expect((value("Keys") as string[])[9999]).toBe(md5Hex(rows[9999] ?? ""));
    const expected = rows.map((row) => (row.endsWith("77") ? Number.NaN : row.length / 3));
    expect([...(value("Values") as Float64Array)]).toEqual(expected);
    file.close();
  });

  it.runIf(process.platform === "linux")("refuses a folder in which nothing can be made", async () => {
    expect(await failureCode(run(["CCO"], "compute", { output: "/proc/out.csv" }))).toBe("FILE_NOT_WRITABLE");
  });

  it("follows a link and leaves the link in place", async () => {
    await writeFile(path("real.csv"), "old");
    await symlink(path("real.csv"), path("link.csv"));
    await run(["CCO"], "compute", { output: path("link.csv") });
    expect(await readFile(path("real.csv"), "utf8")).toContain("CCO,3");
  });

  it("refuses a folder, a missing folder and the input itself, before any work", async () => {
    await mkdir(path("dir.csv"));
    const runner = createScriptedRunner();
    const code = (output: string) => failureCode(run(["CCO"], "compute", { output, runner }));
    expect(await code(path("dir.csv"))).toBe("FILE_NOT_WRITABLE");
    expect(await code(path("no/where.csv"))).toBe("FILE_NOT_WRITABLE");
    expect(await code(path("in.csv"))).toBe("PREDICT_INPUT_IS_OUTPUT");
    await symlink("in.csv", path("to-in.csv"));
    expect(await code(path("to-in.csv"))).toBe("PREDICT_INPUT_IS_OUTPUT");
    expect(await code(path("out.xlsx"))).toBe("PREDICT_FORMAT_UNKNOWN");
    expect(runner.opens).toBe(0);
  });
});

describe("interruption", () => {
  const rows = Array.from({ length: 70_000 }, (_, i) => `C${i % 60_000}`);

  it("resumes after the rows that were written, and gives the output of an uninterrupted run", async () => {
    const undisturbed = await run(rows, "compute", { output: path("whole.csv"), batchSize: 5000 });
    local = createMemoryTier();
    const stop = new AbortController();
    const first = createScriptedRunner({ before: (call) => (call === 9 ? stop.abort() : undefined) });
    const interrupted = run(rows, "compute", { runner: first, signal: stop.signal, batchSize: 5000 });
    expect(await failureCode(interrupted)).toBe("RUN_INTERRUPTED");
    expect(existsSync(path("out.csv"))).toBe(false);
    expect(first.closes).toBe(1);

    const second = createScriptedRunner();
    const again = await run(rows, "compute", { runner: second, batchSize: 5000 });
    expect(again.text).toBe(undisturbed.text);
    expect(again.result.resumedRows).toBeGreaterThan(0);
    expect(again.result.rows).toBe(70_000);
    expect(again.events).toContainEqual({ kind: "resumed", rows: again.result.resumedRows });
    expect(existsSync(path("out.csv.memoir-partial"))).toBe(false);
    // Everything that the first run computed was recorded, so nothing of it is computed again.
    const both = new Set([...first.batches.slice(0, 8).flat()]);
    expect(second.batches.flat().filter((input) => both.has(input))).toEqual([]);
  });

  it("starts again when the inputs or the options have changed", async () => {
    const stop = new AbortController();
    const runner = createScriptedRunner({ before: (call) => (call === 9 ? stop.abort() : undefined) });
    await failureCode(run(rows, "compute", { runner, signal: stop.signal, batchSize: 5000 }));
    const others = await run(["X", ...rows.slice(1)], "compute", { batchSize: 5000 });
    expect(others.result.resumedRows).toBe(0);
    expect(others.lines[0]).toBe(line("X", 1));
    expect(others.lines).toHaveLength(70_000);
    expect(others.result.warnings.join()).toContain("starting again");
  });

  it("resumes after a run whose model broke", async () => {
    const runner = createScriptedRunner({
      before: (call) => {
        if (call === 9) throw new Error("out of memory");
      },
    });
    expect(await failureCode(run(rows, "compute", { runner, batchSize: 5000 }))).toBe("PREDICT_RUNNER_BROKE");
    const again = await run(rows, "compute", { batchSize: 5000 });
    expect(again.result.resumedRows).toBeGreaterThan(0);
    expect(again.lines).toHaveLength(70_000);
  });

  it("refuses an output that another living process is writing", async () => {
    await mkdir(path("out.csv.memoir-partial"));
    const parent = { ...thisOwner(), pid: process.ppid, startTicks: await startTicks(process.ppid) };
    await writeFile(path("out.csv.memoir-partial/lock"), JSON.stringify(parent));
    expect(await failureCode(run(["CCO"], "compute"))).toBe("PREDICT_OUTPUT_BUSY");
    // A process that has ended, a living one that took over its id, and a writer killed before it said who it is.
    const gone = [
      { ...parent, pid: 999_999_999 },
      { ...parent, startTicks: "1" },
    ];
    for (const left of [...gone.map((owner) => JSON.stringify(owner)), ""]) {
      await mkdir(path("out.csv.memoir-partial"), { recursive: true });
      await writeFile(path("out.csv.memoir-partial/lock"), left);
      expect((await run(["CCO"], "compute")).lines).toHaveLength(1);
    }
  });

  it("takes an output over from a killed process that nobody has buried yet", async () => {
    // The shell becomes a program that never waits for its child, which ends only then: a shell that still
    // is one might ask.
    const child = "until grep -q sleep /proc/$PPID/comm; do :; done";
    const shell = spawn("sh", ["-c", `sh -c '${child}' & echo $!; exec sleep 600`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [said] = (await once(shell.stdout, "data")) as [Buffer];
      const pid = Number(said.toString());
      await expect.poll(() => readFile(`/proc/${pid}/stat`, "utf8")).toContain(") Z ");
      await mkdir(path("out.csv.memoir-partial"));
      const holder = { ...thisOwner(), pid, startTicks: await startTicks(pid) };
      await writeFile(path("out.csv.memoir-partial/lock"), JSON.stringify(holder));
      expect((await run(["CCO"], "compute")).lines).toHaveLength(1);
    } finally {
      shell.kill("SIGKILL");
    }
  });

  it("ignores a state that is torn or whose rows were changed", async () => {
    await mkdir(path("out.csv.memoir-partial"));
    await writeFile(path("out.csv.memoir-partial/state.json"), '{"format":1,');
    await writeFile(path("out.csv.memoir-partial/rows"), "rubbish");
    expect((await run(["CCO"], "compute")).text).toBe(`key,input,length\n${line("CCO", 3)}\n`);
  });
});

async function startTicks(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
