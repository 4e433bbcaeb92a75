import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { keepLine, keptLines } from "./kept-lines.ts";
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

  it("leaves out merges and runs that computed nothing, and begins again where its file is damaged", async () => {
    await keep(run(0, 50, 0));
    await keep({ ...run(1, 70), isMerge: true });
    expect(await cost()).toBeUndefined();
    await keep(run(2, 5));
    for (const text of ["", "[]", '{"until":1,"releases":{"eos3b5e v1":{"rows":"x"}}}', "{"]) {
      await writeFile(join(home, "history", "row-costs.json"), text);
      expect(await cost(), text).toBe(0.5);
    }
  });
});
