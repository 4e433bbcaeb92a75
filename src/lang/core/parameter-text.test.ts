import { describe, expect, test } from "vitest";
import { membersInOrder, parseParameters } from "./index.ts";

async function yaml(text: string) {
  return parseParameters({ name: "inputs.yaml", text });
}

describe("files", () => {
  test("JSON must be an object", async () => {
    const { values, diagnostics } = await parseParameters({ name: "inputs.json", text: "[1]" });
    expect(values).toBeUndefined();
    expect(diagnostics).toMatchObject([{ code: "inputs-not-an-object", span: { start: 0, end: 3 } }]);
  });
  test("YAML reads as the same data, large integers whole", async () => {
    const { values } = await yaml(
      "# inputs\nw.n: 3\nw.big: 9007199254740993\nw.x: 1.5\nw.files:\n  - a.txt\n  - b.txt\nw.none: null\n",
    );
    expect(values).toEqual({
      "w.n": 3,
      "w.big": 9007199254740993n,
      "w.x": 1.5,
      "w.files": ["a.txt", "b.txt"],
      "w.none": null,
    });
  });
  test("an empty YAML file means no inputs", async () => {
    expect((await yaml("# nothing yet\n")).values).toEqual({});
  });
  test("broken YAML is shown where it is broken", async () => {
    const { values, diagnostics } = await yaml("a: 1\nb: [1, 2\nc: 3\n");
    expect(values).toBeUndefined();
    expect(diagnostics[0]).toMatchObject({ code: "inputs-yaml", severity: "error" });
    expect(diagnostics[0]?.message).not.toMatch(/line \d/);
  });
  test("YAML of 40,000 names is read, and of one name 40,000 times each repetition is an error", async () => {
    const names = Array.from({ length: 40_000 }, (_, n) => `w.x${n}: ${n}\n`).join("");
    expect(Object.keys((await yaml(names)).values ?? {})).toHaveLength(40_000);
    const { values, diagnostics } = await yaml("w.n: 1\n".repeat(40_000));
    expect(values).toBeUndefined();
    expect(diagnostics).toHaveLength(39_999);
    expect(diagnostics[0]).toMatchObject({ message: "Map keys must be unique", span: { start: 7, end: 10 } });
    expect((await yaml("w.n: {a: 1, b: {a: 1, a: 2}}\n")).diagnostics).toHaveLength(1);
  });
  test("YAML that is wrong in every line is refused with every error", async () => {
    for (const line of ["\tw.n: 1\n", "w.n: [1, 2\n"])
      expect((await yaml(line.repeat(20_000))).diagnostics.length).toBeGreaterThan(10_000);
  });
  test("a YAML list is not inputs", async () => {
    expect((await yaml("- a\n- b\n")).diagnostics).toMatchObject([{ code: "inputs-not-an-object" }]);
  });
});

test.each([
  ["inputs.json", '{"m": {"b": 1, "10": 2, "2": {"7": 1, "3": 2}, "a": 3}}'],
  ["inputs.yaml", "m:\n  b: 1\n  10: 2\n  2: {7: 1, 3: 2}\n  a: 3\n"],
])("names keep their order, also those that look like numbers: %s", async (name, text) => {
  const { values } = await parseParameters({ name, text });
  const m = values?.["m"] as Record<string, unknown>;
  expect(membersInOrder(m).map(([key]) => key)).toEqual(["b", "10", "2", "a"]);
  expect(membersInOrder(m["2"] as Record<string, unknown>)).toEqual([
    ["7", 1],
    ["3", 2],
  ]);
  expect(m).toEqual({ b: 1, 10: 2, 2: { 7: 1, 3: 2 }, a: 3 });
});

test.each([
  ["inputs.yml", `x: ${"[".repeat(20_000)}${"]".repeat(20_000)}\n`],
  ["inputs.json", `{"x": ${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
  ["job", `x: ${"{a: ".repeat(20_000)}${"}".repeat(20_000)}\n`],
])("inputs that are nested too deeply are reported as a diagnostic: %s", async (name, text) => {
  const { values, diagnostics } = await parseParameters({ name, text });
  expect(values).toBeUndefined();
  expect(diagnostics.map((each) => each.message).join()).toContain("nested too deeply");
});

test("a name without an ending is JSON when the text begins so, and YAML otherwise", async () => {
  expect((await parseParameters({ name: "job", text: '{"a": 1}' })).values).toEqual({ a: 1 });
  expect((await parseParameters({ name: "job.txt", text: "a: [1, x]\n" })).values).toEqual({ a: [1, "x"] });
});
