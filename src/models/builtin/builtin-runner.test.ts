import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshAsk, isAppError } from "../../kernel/index.ts";
import type { Prediction } from "../../task/index.ts";
import { exampleMolecules } from "../examples/molecules.ts";
import type { Model } from "../model.ts";
import { builtinModels } from "./builtin-models.ts";
import { BuiltinRunner } from "./builtin-runner.ts";
import { createCanonicalizer } from "./canonicalizer.ts";
import { ToolkitPool } from "./toolkit-pool.ts";

const model = (id: string) => builtinModels.find((one) => one.id === id) as Model;
const weights = new BuiltinRunner(model("eos3b5e"), 1);
const descriptors = new BuiltinRunner(model("rdkit-descriptors"), 1);

beforeAll(async () => {
  await weights.open(freshAsk());
  await descriptors.open(freshAsk());
});
afterAll(async () => {
  await weights.close();
  await descriptors.close();
});

const values = (predictions: readonly Prediction[]) =>
  predictions.map((prediction) => (prediction.kind === "computed" ? prediction.values : prediction.kind));

describe("molecular-weight", () => {
  test.each([
    ["Nc1cccc(c1)-c1cc2c(Oc3cccc(O)c3)ncnc2[nH]1", 318.336],
    ["C1=CN=CC=C1C(=O)NN", 137.14199999999997],
    ["CC(CN1C=NC2=C(N=CN=C21)N)OCP(=O)(O)O", 287.21599999999995],
    ["CCO", 46.069],
    ["CCC", 44.096999999999994],
    ["OCC", 46.069],
    ["CN1CCc2cccc-3c2[C@H]1Cc1ccc(O)c(O)c-31", 267.328],
    ["COc1ccc(cc1OC1CCCC1)[C@@H]1CNC(=O)C1", 275.348],
    ["COC(=O)C1=CC=CC2=C1C(=O)C1=CC([N+](=O)[O-])=CC=C21", 283.239],
    ["CN(C)CCC1=CN(C)C2=CC=C(O)C=C12", 218.3],
  ])("%s weighs %d to the last digit", async (smiles, weight) => {
    expect(values(await weights.predict([smiles], freshAsk()))).toEqual([[weight]]);
  });

  test("is to the last digit what RDKit itself computes, isotopes, charges and dummy atoms included", async () => {
    const special = [
      "[2H]O[2H]",
      "[13CH4]",
      "[NH4+]",
      "[Na+].[Cl-]",
      "CC*",
      "[1*]C",
      "[U]",
      "[H][H]",
      "O=[18O]",
      "[CH3]",
    ];
    const molecules = [...special, ...exampleMolecules().filter((_, i) => i < 200 || i % 20 === 0)];
    const ours = values(await weights.predict(molecules, freshAsk()));
    const theirs = values(await descriptors.predict(molecules, freshAsk()));
    const column = model("rdkit-descriptors").columns.findIndex(({ name }) => name === "mol_weight");
    expect(ours).toEqual(theirs.map((row) => [row[column]]));
  });
});

describe("rdkit-descriptors", () => {
  test("gives a number for every column, whole numbers where the column says so", async () => {
    const [row] = await descriptors.predict(["CC(=O)Oc1ccccc1C(=O)O"], freshAsk());
    const { columns } = model("rdkit-descriptors");
    const cells = row?.kind === "computed" ? row.values : [];
    expect(cells).toHaveLength(columns.length);
    for (const [i, column] of columns.entries()) {
      expect(typeof cells[i], column.name).toBe("number");
      if (column.type === "integer") expect(Number.isInteger(cells[i]), column.name).toBe(true);
    }
    const cell = (name: string) => cells[columns.findIndex((column) => column.name === name)];
    expect([cell("heavy_atoms"), cell("rings"), cell("hbd")]).toEqual([13, 1, 1]);
    expect(cell("tpsa")).toBeCloseTo(63.6, 6);
  });

  test("carries the toolkit's release in its own, so that other toolkits' values are never mixed in", () => {
    const [, version] = /^rdkit-wasm (\d+\.\d+)\./.exec(descriptors.toolkit ?? "") ?? [];
    expect(model("rdkit-descriptors").release).toBe(`v1.0.0-rdkit${version}`);
  });
});

describe("inputs that are not molecules", () => {
  test("fail alone: the rows around them keep their values", async () => {
    const inputs = ["CCO", "notsmiles", "", "CCC", "   ", "c1ccccc", "F(F)(F)F", "CCO>>CC", "CCO"];
    const answers = values(await weights.predict(inputs, freshAsk()));
    const failed = "failed";
    expect(answers).toEqual([
      [46.069],
      failed,
      failed,
      [44.096999999999994],
      failed,
      failed,
      failed,
      failed,
      [46.069],
    ]);
  });

  test("molecules that are too large for the toolkit are refused, and those after them are right", async () => {
    const chain = "C".repeat(5_000);
    const branches = `${"C(".repeat(900)}C${")".repeat(900)}`;
    const answers = await weights.predict([chain, "CCO", branches, "CCC"], freshAsk());
    expect(values(answers)).toEqual(["failed", [46.069], "failed", [44.096999999999994]]);
    expect(answers[0]).toMatchObject({ reason: expect.stringContaining("5000 atoms") });
  });

  test("a molecule of 300 atoms is computed", async () => {
    const [answer] = values(await weights.predict(["C".repeat(300)], freshAsk()));
    expect((answer as readonly number[])[0]).toBeCloseTo(300 * 12.011 + 602 * 1.008, 6);
  });
});

describe("texts around a SMILES", () => {
  test.each([
    ["C\nC", "a line break"],
    ["C\tC", "a tab"],
    ["CCO\r", "a carriage return"],
    ["C\u0000C", "a control character"],
    ["CCO ethanol", 'text follows the SMILES: "ethanol"'],
    ["CCO C", 'text follows the SMILES: "C"'],
  ])("%j is refused, because the toolkit would read a part of it", async (input, reason) => {
    const predictions = await weights.predict([input, "CCO"], freshAsk());
    expect(predictions[0]).toMatchObject({ kind: "failed", reason: expect.stringContaining(reason) });
    expect(predictions[1]).toEqual({ kind: "computed", values: [46.069] });
  });

  test("blanks before and after it change nothing, and a CXSMILES extension is read", async () => {
    const inputs = [" CCO", "CCO ", "C[C@H](F)Cl |&1:1|"];
    expect(values(await weights.predict(inputs, freshAsk()))).toEqual([
      [46.069],
      [46.069],
      [expect.closeTo(82.505, 2)],
    ]);
  });

  test("have no canonical form with line breaks, titles or extensions", async () => {
    const canonicalizer = await createCanonicalizer();
    const inputs = ["OCC", "C\nC", "OCC ethanol", "C[C@H](F)Cl |&1:1|", " OCC"];
    const forms = await canonicalizer.canonicalize(inputs, freshAsk());
    expect(forms.map((form) => form?.canonical)).toEqual(["CCO", undefined, undefined, undefined, "CCO"]);
    await canonicalizer.close();
  });
});

describe("threads", () => {
  test("several of them answer a large batch in the inputs' order", async () => {
    const pool = new ToolkitPool({ threads: 2 });
    await pool.open(freshAsk());
    const inputs = Array.from({ length: 3_000 }, (_, i) => "C".repeat(1 + (i % 40)));
    const answers = await pool.run("canonical", inputs, freshAsk());
    expect(answers.map((answer) => (answer.kind === "text" ? answer.text : ""))).toEqual(inputs);
    await pool.close();
  });

  test("a job that takes too long costs its own rows only", async () => {
    const pool = new ToolkitPool({ threads: 1, jobTimeoutMs: 0 });
    await pool.open(freshAsk());
    const [answer] = await pool.run("descriptors", ["C1CCCCC1".repeat(35)], freshAsk());
    expect(answer).toMatchObject({ kind: "failed", reason: expect.stringContaining("no answer") });
    await pool.close();
  });

  test("an interrupted batch ends at once with the interruption", async () => {
    const pool = new ToolkitPool({ threads: 1 });
    await pool.open(freshAsk());
    const controller = new AbortController();
    const running = pool.run("descriptors", exampleMolecules(), { signal: controller.signal });
    controller.abort();
    const error = await running.catch((thrown: unknown) => thrown);
    expect(isAppError(error, "RUN_INTERRUPTED")).toBe(true);
    await pool.close();
  });
});
