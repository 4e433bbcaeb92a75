import { describe, expect, test } from "vitest";
import { parseParameters } from "./index.ts";

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
  test("a YAML list is not inputs", async () => {
    expect((await yaml("- a\n- b\n")).diagnostics).toMatchObject([{ code: "inputs-not-an-object" }]);
  });
});
