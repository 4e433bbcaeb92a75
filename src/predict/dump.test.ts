import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freshAsk, isAppError } from "../kernel/index.ts";
import { createFlakyTier, createMemoryTier, type PredictionTier } from "../store/predictions/index.ts";
import { type DumpRequest, dumpPredictions } from "./dump.ts";
import { scriptedModel } from "./scripted-runner.ts";

let folder = "";
let local: PredictionTier;
let cloud: PredictionTier;
const model = scriptedModel();
const scope = { modelId: model.id, release: model.release, columns: model.columns };
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-dump-"));
  local = createMemoryTier();
  cloud = createMemoryTier();
  const put = (tier: PredictionTier, inputs: readonly string[], value: number) =>
    tier.putMany(
      scope,
      inputs.map((input) => ({ input, values: [value] })),
      freshAsk(),
    );
  await put(local, ["L0", "L1", "B0", "B1"], 1);
  await put(cloud, ["B0", "B1", ...names("K", 20)], 2);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function dump(request: Partial<DumpRequest> & Pick<DumpRequest, "mode">, tiers = { local, cloud }) {
  const output = join(folder, "out.csv");
  const result = await dumpPredictions(
    { output, seed: "s", statusColumn: "without", ...request },
    { model, ...tiers, emit: () => {} },
    freshAsk(),
  );
  const lines = (await readFile(output, "utf8")).split("\n").slice(1, -1);
  return { result, inputs: lines.map((line) => line.split(",")[1] ?? ""), lines };
}

it("writes every local row: 4 entries are 4 rows", async () => {
  const { inputs, result } = await dump({ mode: "local-cache-only" });
  expect(inputs.toSorted()).toEqual(["B0", "B1", "L0", "L1"]);
  expect(result).toMatchObject({ rows: 4, counts: { local: 4, cloud: 0 } });
  expect(result.seed).toBeUndefined();
});

it("writes every cloud row", async () => {
  expect((await dump({ mode: "cloud-cache-only" })).inputs.toSorted()).toEqual(
    ["B0", "B1", ...names("K", 20)].toSorted(),
  );
});

it("writes local rows, then the cloud rows that are not written yet", async () => {
  const { inputs, result } = await dump({ mode: "cache-only" });
  expect(inputs.slice(0, 4).toSorted()).toEqual(["B0", "B1", "L0", "L1"]);
  expect(inputs.slice(4).toSorted()).toEqual(names("K", 20).toSorted());
  expect(result.counts).toEqual({ local: 4, cloud: 20 });
});

it.each(["local-cache-only", "cloud-cache-only"] as const)(
  "%s -n: a sample that its seed repeats",
  async (mode) => {
    const size = mode === "local-cache-only" ? 4 : 22;
    const draw = (seed: string) => dump({ mode, count: size / 2, seed }).then(({ inputs }) => inputs);
    const first = await draw("1");
    expect(new Set(first).size).toBe(size / 2);
    expect(await draw("1")).toEqual(first);
    const samples: string[] = [];
    for (const seed of ["2", "3", "4", "5", "6"]) samples.push((await draw(seed)).join());
    expect(new Set([...samples, first.join()]).size).toBeGreaterThan(1);
    expect((await dump({ mode, count: 1000 })).inputs).toHaveLength(size);
  },
);

it("cache-only -n: the first local rows; if they are too few, all of them and random cloud rows", async () => {
  const all = (await dump({ mode: "local-cache-only" })).inputs;
  expect((await dump({ mode: "cache-only", count: 2 })).inputs).toEqual(all.slice(0, 2));
  const { inputs, result } = await dump({ mode: "cache-only", count: 10 });
  expect(inputs.slice(0, 4)).toEqual(all);
  expect(new Set(inputs).size).toBe(10);
  expect(inputs.slice(4).every((input) => input.startsWith("K"))).toBe(true);
  expect(result.counts).toEqual({ local: 4, cloud: 6 });
  expect((await dump({ mode: "cache-only", count: 10, seed: "other" })).inputs).not.toEqual(inputs);
  expect((await dump({ mode: "cache-only", count: 500 })).inputs).toHaveLength(24);
  expect((await dump({ mode: "cache-only", count: 0 })).inputs).toEqual([]);
});

it("draws the cloud rows evenly", async () => {
  const drawn = new Map<string, number>();
  for (let seed = 0; seed < 400; seed++) {
    const { inputs } = await dump({ mode: "cache-only", count: 9, seed: String(seed) });
    for (const input of inputs.slice(4)) drawn.set(input, (drawn.get(input) ?? 0) + 1);
  }
  // Each of 20 rows is drawn with probability 1/4: 100 times of 400, standard deviation 8.7.
  expect(drawn.size).toBe(20);
  for (const count of drawn.values()) expect(Math.abs(count - 100)).toBeLessThan(45);
});

it("needs a mode", async () => {
  const error: unknown = await dump({ mode: "compute" }).catch((thrown: unknown) => thrown);
  expect(isAppError(error, "PREDICT_DUMP_NEEDS_MODE")).toBe(true);
  expect(existsSync(join(folder, "out.csv"))).toBe(false);
});

it("leaves nothing behind when the tier fails half-way", async () => {
  const flaky = createFlakyTier(cloud, (verb) => (verb === "scan" ? "unreachable" : "none"));
  const error: unknown = await dump({ mode: "cache-only" }, { local, cloud: flaky }).catch(
    (thrown: unknown) => thrown,
  );
  expect(isAppError(error, "STORE_TIER_UNREACHABLE")).toBe(true);
  expect(existsSync(join(folder, "out.csv"))).toBe(false);
  expect(existsSync(join(folder, "out.csv.memoir-partial"))).toBe(false);
});
