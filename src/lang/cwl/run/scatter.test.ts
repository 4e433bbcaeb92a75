import { describe, expect, it } from "vitest";
import type { Step } from "../model/process.ts";
import { type CwlRecord, cwlRecord, member } from "../values/value.ts";
import { scatter } from "./scatter.ts";

const place = { source: { name: "w.cwl", text: "" }, span: { start: 0, end: 0 } };

const step = (names: readonly string[], method: Step["scatterMethod"]) =>
  ({ name: "s", scatter: names, scatterMethod: method, place }) as unknown as Step;

/** Every job's `a` and `b`, gathered as its results would be. */
function run(method: Step["scatterMethod"], inputs: CwlRecord, names = ["a", "b"]) {
  const { jobs, gather } = scatter(step(names, method), inputs, 1000);
  return gather(jobs.map((job) => `${String(member(job, "a"))}${String(member(job, "b"))}`));
}

describe("scatter", () => {
  const inputs = cwlRecord([
    ["a", [1, 2]],
    ["b", ["x", "y"]],
  ]);

  it("takes lists in step", () => expect(run("dotproduct", inputs)).toEqual(["1x", "2y"]));
  it("nests the product", () =>
    expect(run("nested_crossproduct", inputs)).toEqual([
      ["1x", "1y"],
      ["2x", "2y"],
    ]));
  it("flattens the product", () =>
    expect(run("flat_crossproduct", inputs)).toEqual(["1x", "1y", "2x", "2y"]));

  it("keeps the shape of products with nothing in them", () => {
    const empty = cwlRecord([
      ["a", [1, 2]],
      ["b", []],
    ]);
    expect(run("nested_crossproduct", empty)).toEqual([[], []]);
    expect(run("flat_crossproduct", empty)).toEqual([]);
    expect(run("dotproduct", cwlRecord([["a", []]]), ["a"])).toEqual([]);
  });

  it("refuses products that are too large before it makes them", () => {
    const many = Array.from({ length: 100 }, (_, n) => n);
    const inputs = cwlRecord([
      ["a", many],
      ["b", many],
    ]);
    for (const method of ["flat_crossproduct", "nested_crossproduct"] as const)
      expect(() => run(method, inputs)).toThrow(/10000 jobs, the limit is 1000/);
    expect(run("dotproduct", inputs)).toHaveLength(100);
  });

  it("refuses lists of different lengths in step, and what is not a list", () => {
    const uneven = cwlRecord([
      ["a", [1]],
      ["b", []],
    ]);
    expect(() => run("dotproduct", uneven)).toThrow(/a of 1, b of 0/);
    expect(() => run("dotproduct", cwlRecord([["a", 1]]), ["a"])).toThrow(/not an array/);
  });
});
