/** The command line among other programs: pipes that close early, colours, JSON that machines read. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
});
afterAll(() => box.remove());

it("a reader that stops early is not an error", () => {
  const { code, out, err } = box.shell("set -o pipefail; memoir example -n 5000 | head -n 1");
  expect([code, err]).toEqual([0, ""]);
  expect(out.trim().split("\n")).toHaveLength(1);
});

it("examples can be piped into a file and predicted", async () => {
  const { code } = box.shell(
    "(echo smiles; memoir example -n 3 --seed 2) > piped.csv && memoir run --model eos3b5e -i piped.csv -o piped-out.csv",
  );
  expect(code).toBe(0);
  expect(await box.rows("piped-out.csv")).toHaveLength(3);
});

it("nothing is coloured outside a terminal, unless asked for", async () => {
  expect((await box.run("catalog")).out).not.toContain("\u001b");
  expect((await box.with({ FORCE_COLOR: "1" }).run("catalog")).out).toContain("\u001b[1m");
  expect((await box.with({ FORCE_COLOR: "1", NO_COLOR: "1" }).run("catalog")).out).not.toContain("\u001b");
});

it("--json prints exactly the result, with every number that the summary has", async () => {
  await box.inputs("in.csv", ["CCO", "CCC", "notsmiles"]);
  const result = await box.json("run", "--model", "eos3b5e", "-i", "in.csv", "-o", "out.csv");
  expect(result).toMatchObject({
    model: "eos3b5e",
    mode: "compute",
    output: box.path("out.csv"),
    rows: 3,
    counts: { reusedLocal: 0, reusedCloud: 0, computed: 2, failed: 1, missing: 0 },
    resumedRows: 0,
    failures: [{ row: 3, input: "notsmiles", reason: expect.any(String) }],
    warnings: [],
  });
});

it("--json of every asking command is JSON", async () => {
  for (const words of [
    ["catalog"],
    ["catalog", "eos3b5e", "--card"],
    ["info", "eos3b5e"],
    ["example", "-n", "2"],
    ["predictions", "stats"],
    ["close"],
  ])
    expect(await box.json(...words)).toBeTypeOf("object");
});

it("a long run reports its progress on standard error, line by line", async () => {
  const rows = Array.from({ length: 4 }, (_, i) => `C${i}`);
  await box.inputs("few.csv", rows);
  const { out, err } = await box.run("run", "--model", "eos3b5e", "-i", "few.csv", "-o", "few-out.csv");
  expect(out).toMatch(/^predicted 4 rows with eos3b5e: /);
  expect(out).toMatch(/\nwritten to few-out\.csv in .* rows\/s\)\n$/);
  expect(err).not.toContain("\r");
});
