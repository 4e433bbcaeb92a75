import { expect, test } from "vitest";
import { builtinModels } from "../builtin/builtin-models.ts";
import { exampleInputs } from "./example-inputs.ts";

const draw = (count: number, seed: string) => exampleInputs(undefined, { count, mode: "random", seed });

test("a random draw has no duplicates, and is the same for the same seed only", () => {
  expect(new Set(draw(1_000, "a")).size).toBe(1_000);
  expect(draw(50, "a")).toEqual(draw(50, "a"));
  expect(draw(50, "a")).not.toEqual(draw(50, "b"));
});

test("a larger draw begins with the smaller one of the same seed", () => {
  expect(draw(20, "a").slice(0, 5)).toEqual(draw(5, "a"));
});

test("deterministic inputs are always the first ones", () => {
  expect(exampleInputs(undefined, { count: 3, mode: "deterministic" })).toEqual(["O", "C", "CC"]);
});

test("curated inputs are the model's own, all of them", () => {
  const [model] = builtinModels;
  expect(exampleInputs(model, { count: 1, mode: "curated" })).toEqual(model?.exampleInputs);
});
