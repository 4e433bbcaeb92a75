import { expect, test } from "vitest";
import { InputPlaces } from "./input-places.ts";

function shown(text: string, name: string, of: "name" | "value"): string {
  const { start, end } = new InputPlaces({ name: "inputs", text }).spanOf(name === "" ? [] : [name], of);
  return text.slice(start, end);
}

test("in JSON the name or the value is found, wherever else the text stands", () => {
  const json = '{"w.other": "w.n", "w.n": [1,\n 2]}';
  expect(shown(json, "w.n", "name")).toBe('"w.n"');
  expect(shown(json, "w.n", "value")).toBe("[1,\n 2]");
});

test("in YAML the name is found where it begins", () => {
  const yaml = "w.name: x\nw.n: 3\n";
  const { start } = new InputPlaces({ name: "inputs.yaml", text: yaml }).spanOf(["w.n"], "value");
  expect(start).toBe(10);
});

test("what is missing is missing from the whole", () => {
  expect(shown("{}", "", "name")).toBe("{");
});
