import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { keptLines } from "./followed-lines.ts";
import { keepLine } from "./kept-lines.ts";
import { type CostFacts, keepCosts, secondsPerRow } from "./row-costs.ts";

describe("the mean cost of a row", () => {
  let home: string;
  const limits = { bytes: 1_000, files: 2 };
  const run = (n: number, seconds: number, computed = 10): CostFacts => ({
    ...{ at: new Date(1_800_000_000_000 + n * 1_000).toISOString(), model: "eos3b5e", release: "v1" },
    ...{ computed, seconds },
  });
  const keep = (fact: CostFacts) =>
    keepLine(
      "predictions",
      fact,
      { home },
      {
        limits,
        dropping: (facts) => keepCosts(facts as readonly CostFacts[], { home }),
      },
    );
  const kept = () => keptLines<CostFacts>("predictions", { home }, limits);
  const cost = async () => (await secondsPerRow(await kept(), { home })).get("eos3b5e v1");

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "memoir-costs-"));
  });

  it("counts every run, also those whose lines were dropped", async () => {
    for (let n = 0; n < 100; n++) await keep(run(n, n));
    expect((await kept()).length).toBeLessThan(50);
    expect(await cost()).toBeCloseTo(99 / 2 / 10, 10);
    expect(await readdir(join(home, "history"))).toContain("row-costs.json");
  });

  it("counts runs once that are dropped again after a kill", async () => {
    await keep(run(9, 60));
    const dropped = [run(1, 10), run(2, 20)];
    await keepCosts(dropped, { home });
    await keepCosts(dropped, { home });
    expect(await cost()).toBeCloseTo(90 / 30, 10);
  });

  it("does not count again what a kill left in the history after it was counted", async () => {
    const counted = [run(1, 10), run(2, 20)];
    for (const fact of counted) await keep(fact);
    await keepCosts(counted, { home });
    expect(await cost()).toBeCloseTo(30 / 20, 10);
    await keep(run(3, 60));
    expect(await cost()).toBeCloseTo(90 / 30, 10);
  });

  it("remembers the latest end, also where the lines of several machines are not in its order", async () => {
    const dropped = [run(5, 50), run(1, 10)];
    await keep(run(0, 0, 0));
    await keepCosts(dropped, { home });
    await keepCosts(dropped, { home });
    await keepCosts([run(4, 999)], { home });
    expect(await cost()).toBeCloseTo(60 / 20, 10);
  });

  it("leaves out lines that say nothing of a run", async () => {
    const odd = [{}, { at: 1 }, { ...run(1, 10), seconds: "10" }, { ...run(2, 10), computed: null }];
    await keep(run(0, 0, 0));
    await keepCosts([...odd, run(3, 5)], { home });
    expect(await cost()).toBe(0.5);
    const past = [...odd, run(4, 15)] as readonly CostFacts[];
    expect((await secondsPerRow(past, { home })).get("eos3b5e v1")).toBe(1);
  });

  it("leaves out merges and runs that computed nothing, and begins again where its file is damaged", async () => {
    await keep(run(0, 50, 0));
    await keep({ ...run(1, 70), isMerge: true });
    expect(await cost()).toBeUndefined();
    await keep(run(2, 5));
    for (const text of [
      "",
      "[]",
      '{"until":1,"releases":{"eos3b5e v1":{"rows":"x"}}}',
      '{"releases":{"eos3b5e v1":{"rows":10,"seconds":99}}}',
      '{"until":"2000-01-01T00:00:00.000Z","releases":{"eos3b5e v1":null}}',
      "{",
    ]) {
      await writeFile(join(home, "history", "row-costs.json"), text);
      expect(await cost(), text).toBe(0.5);
    }
    await writeFile(
      join(home, "history", "row-costs.json"),
      '{"releases":{"eos3b5e v1":{"rows":10,"seconds":99}}}',
    );
    await keepCosts([run(3, 15)], { home });
    expect(await cost()).toBe(1.5);
  });
});
