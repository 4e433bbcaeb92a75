import { describe, expect, it } from "vitest";
import { createSampler, sampleHash } from "./sample.ts";

const inputs = Array.from({ length: 200 }, (_, at) => `C${"C".repeat(at % 17)}O${at}`);

function sample(seed: string, count: number, from: readonly string[] = inputs): readonly string[] {
  const sampler = createSampler<string>({ seed, count });
  for (const input of from) sampler.offer(input, () => input);
  return sampler.items();
}

describe("sampling", () => {
  it("gives the same rows in the same order whatever order they are offered in", () => {
    expect(sample("a", 20, inputs.toReversed())).toEqual(sample("a", 20));
    expect(sample("a", 20, inputs.toSorted())).toEqual(sample("a", 20));
  });

  it("gives a larger sample that starts with the smaller one of the same seed", () => {
    expect(sample("a", 50).slice(0, 20)).toEqual(sample("a", 20));
  });

  it("draws every row equally often over many seeds (chi-square, 200 rows, 2,000 fixed seeds)", () => {
    const seen = new Map(inputs.map((input) => [input, 0]));
    for (let seed = 0; seed < 2000; seed++)
      for (const input of sample(`seed ${seed}`, 20)) seen.set(input, (seen.get(input) ?? 0) + 1);
    const expected = (2000 * 20) / 200;
    // Drawing without replacement makes the variance smaller by (1 - 20/200).
    const chi = [...seen.values()].reduce((sum, n) => sum + (n - expected) ** 2 / (expected * 0.9), 0);
    // 199 degrees of freedom: 99.9 % lie between 136 and 267.
    expect(chi).toBeGreaterThan(136);
    expect(chi).toBeLessThan(267);
  });

  it("puts every row equally often in the first place", () => {
    const first = new Map<string, number>();
    for (let seed = 0; seed < 4000; seed++) {
      const winner = sample(`s${seed}`, 1, inputs.slice(0, 20))[0] ?? "";
      first.set(winner, (first.get(winner) ?? 0) + 1);
    }
    const chi = [...first.values()].reduce((sum, n) => sum + (n - 200) ** 2 / 200, 0);
    // 19 degrees of freedom: 99.9 % are below 43.8.
    expect(first.size).toBe(20);
    expect(chi).toBeLessThan(43.8);
  });

  it("keeps its hash for ever: samples made with a seed today are made again by later versions", () => {
    expect([
      sampleHash("42")("CCO"),
      sampleHash("42")(""),
      sampleHash("")("CCO"),
      sampleHash("42")("分子"),
    ]).toEqual([8342432427668942, 5000935702430454, 3568539037899302, 583008926785927]);
  });

  it("takes nothing for a count of 0 and everything for a count above the number of rows", () => {
    expect(sample("a", 0)).toEqual([]);
    expect(new Set(sample("a", 1000)).size).toBe(inputs.length);
  });
});
