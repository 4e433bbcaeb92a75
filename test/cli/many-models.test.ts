/** One molecule or many, several models: `run --models` and `lookup`. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
});
afterAll(() => box.remove());

interface Many {
  readonly rows: number;
  readonly models: readonly {
    readonly model: string;
    readonly counts: { readonly computed: number; readonly reusedLocal: number; readonly failed: number };
  }[];
}

const both = ["--models", "eos3b5e,rdkit-descriptors"];

describe("run --models", () => {
  it("writes one table in the order of the inputs, with every row and the model before each column", async () => {
    await box.inputs("in.csv", ["CCO", "CCC", "CCO", "notsmiles"]);
    const first = await box.json<Many>("run", ...both, "-i", "in.csv", "-o", "out.csv", "--status-column");
    expect(first.rows).toBe(4);
    expect(first.models.map(({ model, counts }) => [model, counts.computed, counts.failed])).toEqual([
      ["eos3b5e", 3, 1],
      ["rdkit-descriptors", 3, 1],
    ]);
    const lines = (await box.read("out.csv")).trimEnd().split("\n");
    expect(lines[0]).toMatch(
      /^key,input,eos3b5e\.mol_weight,rdkit-descriptors\.mol_weight,.*,eos3b5e\.status,rdkit-descriptors\.status$/,
    );
    expect(lines.slice(1).map((line) => line.split(",").slice(1, 4))).toEqual([
      ["CCO", "46.069", "46.069"],
      ["CCC", "44.096999999999994", "44.096999999999994"],
      ["CCO", "46.069", "46.069"],
      ["notsmiles", "", ""],
    ]);
    expect(lines[4]).toMatch(/,failed,failed$/);
    expect(new Set(lines.map((line) => line.split(",").length)).size).toBe(1);
    const again = await box.json<Many>("run", ...both, "-i", "in.csv", "-o", "again.csv", "--status-column");
    expect(again.models.map(({ counts }) => [counts.computed, counts.reusedLocal])).toEqual([
      [0, 3],
      [0, 3],
    ]);
  });

  it("says of each model what it found where nothing is computed, and what a run with one model would write", async () => {
    await box.inputs("some.csv", ["CCO", "CCCC"]);
    await box.write("known.csv", "input,mol_weight\nCCCC,58\n");
    await box.json("predictions", "import", "eos3b5e", "known.csv");
    const flags = ["--local-cache-only", "-i", "some.csv", "-o", "-"];
    const { code, out } = await box.run("run", ...both, ...flags);
    expect(code).toBe(0);
    const [, first = "", second = ""] = out.trimEnd().split("\n");
    expect(first).toMatch(/,CCO,46\.069,46\.069,/);
    expect(second).toMatch(/,CCCC,58\.0(,None)+$/);
    const json = await box.run("run", ...both, ...flags, "--output-format", "json", "--status-column");
    expect(JSON.parse(json.out)[1]).toMatchObject({
      output: { "eos3b5e.mol_weight": 58, "rdkit-descriptors.mol_weight": null },
      status: { eos3b5e: "reused-local", "rdkit-descriptors": "missing" },
    });
  });

  it("joins more rows than may wait, of a model that has all of them and one that has none", async () => {
    const inputs = Array.from({ length: 9_001 }, (_, at) => "C".repeat(1 + (at % 90)));
    await box.inputs("long.csv", inputs);
    await box.json("run", "--model", "eos3b5e", "-i", "long.csv", "-o", "one.csv");
    const result = await box.json<Many>("run", ...both, "-i", "long.csv", "-o", "long-out.tsv");
    expect(result.rows).toBe(9_001);
    const rows = (await box.read("long-out.tsv")).trimEnd().split("\n").slice(1);
    expect(rows.map((line) => line.split("\t")[1])).toEqual(inputs);
    const alone = (await box.read("one.csv")).trimEnd().split("\n").slice(1);
    expect(rows.map((line) => line.split("\t")[2])).toEqual(alone.map((line) => line.split(",")[2]));
  });

  it.each([
    ["--models eos3b5e,molecular-weight", 2, "the model eos3b5e is named twice (molecular-weight)"],
    ["--models eos3b5e,,x", 2, "--models takes names separated by commas"],
    ["--models eos3b5e,eos0000", 3, "looking for model eos0000"],
    ["--models eos3b5e --model eos3b5e", 2, "--model"],
    ["--models eos3b5e --slice 1/2", 2, "--slice"],
  ])("%s ends with its own message", async (line, code, words) => {
    await box.inputs("one.csv", ["CCO"]);
    const ended = await box.run("run", ...line.split(" "), "-i", "one.csv", "-o", "x.csv");
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toContain(words);
  });

  it("refuses to write over its input", async () => {
    await box.inputs("mine.csv", ["CCO"]);
    const { code, err } = await box.run("run", ...both, "-i", "mine.csv", "-o", "mine.csv");
    expect([code, err.includes("PREDICT_INPUT_IS_OUTPUT")]).toEqual([2, true]);
    expect(await box.read("mine.csv")).toBe("smiles\nCCO\n");
  });
});

describe("lookup", () => {
  interface Found {
    readonly key: string;
    readonly missing: readonly string[];
    readonly found: readonly {
      readonly model: string;
      readonly cache: string;
      readonly state: string;
      readonly storedAs?: string;
      readonly values: Readonly<Record<string, unknown>>;
    }[];
  }
  let place: Sandbox;
  beforeAll(async () => {
    place = await Sandbox.create();
    await place.write("known.csv", "input,mol_weight\nCCO,46.069\n");
    for (const into of ["local", "cloud"])
      await place.json("predictions", "import", "eos3b5e", "known.csv", "--into", into);
  });
  afterAll(() => place.remove());

  it("shows the values of all caches with their models, and which models have none", async () => {
    const found = await place.json<Found>("lookup", "CCO");
    expect(found.key).toBe("47029b0a89b677c61d67c3a1b1071f07");
    expect(found.found.map(({ model, cache, state, values }) => [model, cache, state, values])).toEqual([
      ["eos3b5e", "local", "current", { mol_weight: 46.069 }],
      ["eos3b5e", "cloud", "current", { mol_weight: 46.069 }],
    ]);
    expect(found.missing).toEqual(["rdkit-descriptors"]);
    expect((await place.run("lookup", "CCO")).out).toContain("mol_weight 46.069");
  });

  it("computes nothing, and exits with 1 where nothing is stored", async () => {
    const { code, out } = await place.run("lookup", "CCCCC");
    expect([code, out]).toEqual([1, "nothing is stored for CCCCC\n"]);
    expect((await place.run("lookup", "OCC")).code).toBe(1);
  });

  it("with --match canonical shows under which spelling a row was stored", async () => {
    await place.inputs("in.csv", ["C(O)C"]);
    await place.json(
      "run",
      "--model",
      "rdkit-descriptors",
      "-i",
      "in.csv",
      "-o",
      "o.csv",
      "--match",
      "canonical",
    );
    const { found } = await place.json<Found>("lookup", "OCC", "--match", "canonical");
    expect(found.map(({ model, storedAs }) => [model, storedAs])).toContainEqual([
      "rdkit-descriptors",
      "C(O)C",
    ]);
  });

  it.each([
    ["", 2, "its SMILES is empty"],
    ["not a molecule", 3, "by its canonical form"],
  ])("%j ends with its own message", async (molecule, code, words) => {
    const ended = await place.run("lookup", molecule, "--match", "canonical");
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toContain(words);
  });

  it("does not say that nothing is stored where a cache does not answer", async () => {
    const { code, err } = await place.run("lookup", "N", "--local", "redis://127.0.0.1:1/0");
    expect([code, err.includes("127.0.0.1:1")]).toEqual([4, true]);
  });
});
