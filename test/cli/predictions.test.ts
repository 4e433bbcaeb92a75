/** Published values of models and the behaviours that users of prediction caches were promised. */
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { md5Hex } from "../../src/hash/index.ts";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
});
afterAll(() => box.remove());

interface Counts {
  readonly reusedLocal: number;
  readonly reusedCloud: number;
  readonly computed: number;
  readonly failed: number;
  readonly missing: number;
}
interface Result {
  readonly rows: number;
  readonly counts: Counts;
}
const model = ["--model", "molecular-weight"] as const;

/** Published outputs of eos3b5e, with keys. */
const published = [
  ["3f5892589d67cac9d543eab44f5a37b8", "Nc1cccc(c1)-c1cc2c(Oc3cccc(O)c3)ncnc2[nH]1", 318.336],
  ["a9d900084af04c6480c18dff5b552db5", "C1=CN=CC=C1C(=O)NN", 137.14199999999997],
  ["fcb5f55f8d085bcd27fa0608ae09f3b5", "CC(CN1C=NC2=C(N=CN=C21)N)OCP(=O)(O)O", 287.21599999999995],
  ["47029b0a89b677c61d67c3a1b1071f07", "CCO", 46.069],
  ["defb99e69a9f1f6e06f15006b1f166ae", "CCC", 44.096999999999994],
  ["dcb1c29255ec9645f8be15096fae7b93", "OCC", 46.069],
  ["912fb0ba6c7b36f9a39eaa96e172cf46", "Cc1occc(=O)c1O[V](=O)Oc1c(C)occc1=O", 317.14700000000005],
  [undefined, "CN1CCc2cccc-3c2[C@H]1Cc1ccc(O)c(O)c-31", 267.328],
  [undefined, "COc1ccc(cc1OC1CCCC1)[C@@H]1CNC(=O)C1", 275.348],
  [undefined, "COC(=O)C1=CC=CC2=C1C(=O)C1=CC([N+](=O)[O-])=CC=C21", 283.239],
  [undefined, "CN(C)CCC1=CN(C)C2=CC=C(O)C=C12", 218.3],
  ["a5d5e3d97e05ab0ea5d009ad3a4beccc", "C\\C(=C/c1ccc(cc1)C(O)=O)c1ccc2c(c1)C(C)(C)CCC2(C)C", undefined],
  ["625cbcfe3a4de32f2f89df5333e44505", "O=C1C(=Cc2cccnc2)C(=O)c2ccccc12", undefined],
  ["0f1b0ddf1b7e3a021a05c756c0838e86", "CN(C)C(=O)Nc1cccc(c1)-c1ccc(cc1)N(C)C", undefined],
] as const;

describe("values", () => {
  it("are those that Ersilia publishes, with its keys, computed and reused alike", async () => {
    await box.inputs(
      "vectors.csv",
      published.map(([, smiles]) => smiles),
    );
    for (const output of ["computed.csv", "reused.csv"]) {
      await box.json("run", ...model, "-i", "vectors.csv", "-o", output);
      const [header, ...lines] = (await box.read(output)).trimEnd().split("\n");
      expect(header).toBe("key,input,mol_weight");
      expect(lines).toHaveLength(published.length);
      for (const [i, [key, smiles, value]] of published.entries()) {
        const [gotKey, gotInput, got] = lines[i]?.split(",") ?? [];
        expect([gotKey, gotInput]).toEqual([key ?? md5Hex(smiles), smiles]);
        if (value !== undefined) expect(Math.abs(Number(got) - value)).toBeLessThan(1e-9);
      }
    }
  });
});

describe("a thousand molecules", () => {
  it("weigh together what RDKit 2022.09 under Python says", async () => {
    await box.json("example", "-n", "1000", "--mode", "deterministic", "-o", "thousand.csv");
    await box.json("run", ...model, "-i", "thousand.csv", "-o", "thousand-out.csv");
    const weights = (await box.rows("thousand-out.csv")).map((row) => Number(row.split(",").at(-1)));
    expect(weights).toHaveLength(1_000);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    expect(Math.abs(sum - 162_495.083)).toBeLessThan(1e-6);
  });
});

describe("promises", () => {
  it("duplicates stay: CCO, CCC, CCO are three rows in this order", async () => {
    await box.inputs("dup.csv", ["CCO", "CCC", "CCO"]);
    await box.json("run", ...model, "-i", "dup.csv", "-o", "dup-out.csv");
    expect((await box.rows("dup-out.csv")).map((row) => row.split(",")[0])).toEqual(["CCO", "CCC", "CCO"]);
  });

  it("one bad molecule is one failed row; the others have values and it is never stored", async () => {
    await box.inputs("bad.csv", ["CCO", "notsmiles"]);
    const { code, err } = await box.run("run", ...model, "-i", "bad.csv", "-o", "bad-out.csv");
    expect(code).toBe(0);
    expect(err).toContain('failed: row 2 ("notsmiles"): ');
    expect(await box.rows("bad-out.csv")).toEqual(["CCO,46.069", "notsmiles,"]);
    await box.json("run", ...model, "-i", "bad.csv", "-o", "bad-out.csv", "--local-cache-only");
    expect(await box.rows("bad-out.csv")).toEqual(["CCO,46.069", "notsmiles,None"]);
  });

  it("when every row fails the output says so and the exit code is 1", async () => {
    await box.inputs("worse.csv", ["notsmiles", "C1CC"]);
    const { code, err } = await box.run(
      "run",
      ...model,
      "-i",
      "worse.csv",
      "-o",
      "worse-out.csv",
      "--status-column",
    );
    expect(code).toBe(1);
    expect(err).toContain("no row could be computed");
    expect(await box.rows("worse-out.csv")).toEqual(["notsmiles,,failed", "C1CC,,failed"]);
  });

  it.each([
    [29, 50],
    [101, 50],
    [7, 3],
  ])("%i inputs in batches of %i give every row exactly once", async (count, batch) => {
    const rows = Array.from({ length: count }, (_, i) => "C".repeat(i + 1));
    await box.inputs("slices.csv", rows);
    const { counts } = await box.json<Result>(
      ...["run", ...model, "-i", "slices.csv", "-o", "slices-out.csv", "-b", String(batch)],
      ...["--local", `slices-${count}`],
    );
    expect(counts).toMatchObject({ computed: count, failed: 0 });
    expect((await box.rows("slices-out.csv")).map((row) => row.split(",")[0])).toEqual(rows);
  });

  it("a model with two columns keeps both values through the cloud cache", async () => {
    await box.inputs("two.csv", ["CCO", "c1ccccc1"]);
    const letters = ["--model", `${import.meta.dirname}/../fixtures/models/letters`];
    const mine = ["--local", "two-local", "--cloud", "two-cloud"];
    await box.json("run", ...letters, ...mine, "-i", "two.csv", "-o", "two-a.csv", "--cache-only");
    const { counts } = await box.json<Result>(
      ...["run", ...letters, ...mine, "-i", "two.csv", "-o", "two-b.csv", "--cloud-cache-only"],
    );
    expect(counts.reusedCloud).toBe(2);
    expect(await box.read("two-b.csv")).toBe(await box.read("two-a.csv"));
    expect((await box.rows("two-b.csv"))[0]?.split(",")).toHaveLength(3);
  });

  it("text values come back with their commas and quotes", async () => {
    await box.inputs("text.csv", ["CCO"]);
    const texts = ["--model", `${import.meta.dirname}/../fixtures/models/texts`, "--local", "text-local"];
    await box.json("run", ...texts, "-i", "text.csv", "-o", "text-a.csv");
    await box.json("run", ...texts, "-i", "text.csv", "-o", "text-b.csv", "--local-cache-only");
    expect(await box.read("text-b.csv")).toBe(await box.read("text-a.csv"));
    expect(await box.rows("text-b.csv")).toEqual(['CCO,"a, ""b"" and CCO",3']);
  });

  it("a model whose output varies is computed again each time", async () => {
    await box.inputs("dice.csv", ["CCO", "CCO"]);
    const dice = ["--model", `${import.meta.dirname}/../fixtures/models/dice`];
    await box.json("run", ...dice, "-i", "dice.csv", "-o", "dice-a.csv");
    const { code, err } = await box.run("run", ...dice, "-i", "dice.csv", "-o", "dice-b.csv");
    expect(code).toBe(0);
    expect(err).toContain("never reused");
    const { rows } = await box.json("dump", ...dice, "--local-cache-only", "-o", "dice-d.csv");
    expect(rows).toBe(0);
  });

  it("more than 50,000 inputs work without a question, from every cache", async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => `C${"C".repeat(i % 40)}N${i}`);
    await box.write(
      "many-known.csv",
      `input,mol_weight\n${rows.map((row, i) => `${row},${i}.5\n`).join("")}`,
    );
    await box.inputs("many.csv", rows);
    for (const [cache, flag] of [
      ["local", "--local-cache-only"],
      ["cloud", "--cloud-cache-only"],
    ] as const) {
      const mine = ["--local", "many-local", "--cloud", "many-cloud"];
      await box.json("predictions", "import", "eos3b5e", "many-known.csv", "--into", cache, ...mine);
      const { counts } = await box.json<Result>(
        "run",
        ...model,
        ...mine,
        flag,
        "-i",
        "many.csv",
        "-o",
        "many-out.csv",
      );
      expect(counts.missing).toBe(0);
      expect(await box.rows("many-out.csv")).toEqual(rows.map((row, i) => `${row},${i}.5`));
      const dumped = await box.json<Result>(
        "dump",
        ...model,
        ...mine,
        flag,
        "-n",
        "55000",
        "-o",
        "many-dump.csv",
      );
      expect(dumped.rows).toBe(55_000);
      const whole = await box.json<Result>("dump", ...model, ...mine, flag, "-o", "many-dump.csv");
      expect(whole.rows).toBe(60_000);
      const lines = (await box.read("many-dump.csv")).trimEnd().split("\n").slice(1);
      expect(lines.toSorted()).toEqual(rows.map((row, i) => `${md5Hex(row)},${row},${i}.5`).toSorted());
    }
  });

  it("another spelling is reused only with --match canonical", async () => {
    const mine = ["--local", "match-local", ...model];
    await box.inputs("cco.csv", ["CCO"]);
    await box.inputs("occ.csv", ["OCC", "C(O)C"]);
    await box.json("run", ...mine, "-i", "cco.csv", "-o", "match.csv", "--match", "canonical");
    const exact = await box.json<Result>(
      ...["run", ...mine, "-i", "occ.csv", "-o", "match.csv", "--local-cache-only"],
    );
    expect(exact.counts.missing).toBe(2);
    const canonical = await box.json<Result>(
      ...["run", ...mine, "-i", "occ.csv", "-o", "match.csv", "--local-cache-only", "--match", "canonical"],
    );
    expect(canonical.counts.reusedLocal).toBe(2);
    expect(await box.rows("match.csv")).toEqual(["OCC,46.069", "C(O)C,46.069"]);
  });

  it("every output format holds the same values", async () => {
    const { File, ready } = await import("h5wasm/node");
    await ready;
    await box.inputs("formats-in.csv", ["CCO", "CCC"]);
    for (const extension of ["csv", "tsv", "json", "h5"])
      await box.json("run", ...model, "-i", "formats-in.csv", "-o", `formats.${extension}`);
    expect((await box.read("formats.tsv")).split("\n")[1]).toBe(
      "47029b0a89b677c61d67c3a1b1071f07\tCCO\t46.069",
    );
    const json = JSON.parse(await box.read("formats.json")) as { output: { mol_weight: number } }[];
    expect(json.map((row) => row.output.mol_weight)).toEqual([46.069, 44.096999999999994]);
    const file = new File(box.path("formats.h5"), "r");
    const values = file.get("Values");
    expect([...((values as { value: Float64Array } | null)?.value ?? [])]).toEqual([
      46.069, 44.096999999999994,
    ]);
    file.close();
  });

  it("reads its own JSON output and TSV as inputs", async () => {
    await box.write("again.json", JSON.stringify([{ input: "CCO" }, "CCC"]));
    await box.write("again.tsv", "name\tsmiles\nethanol\tCCO\npropane\tCCC\n");
    for (const input of ["again.json", "again.tsv"]) {
      await box.json("run", ...model, "-i", input, "-o", "again-out.csv");
      expect(await box.rows("again-out.csv")).toEqual(["CCO,46.069", "CCC,44.096999999999994"]);
    }
  });

  it("keys of Ersilia's flags are understood: -rs, -ws, --batch_size, --enable-cache", async () => {
    mkdirSync(box.path("rs-cloud"), { recursive: true });
    const env = { MEMOIR_SESSION: "gen3", MEMOIR_LOCAL: "rs-local", MEMOIR_CLOUD: "rs-cloud" };
    const old = box.with(env);
    await old.inputs("rs.csv", ["CCO", "CCCC"]);
    const served = await old.json("serve", "eos3b5e", "-ws", "-a", "private", "--enable-cache", "-p", "1234");
    expect(served["mode"]).toBe("cache-only");
    await old.json("run", "-i", "rs.csv", "--output_file", "rs-out.csv", "--batch_size", "1");
    await old.json("serve", "eos3b5e", "-rs", "--disable-cache");
    const read = await old.json<Result>("run", "-i", "rs.csv", "-o", "rs-out.csv");
    expect(read.counts).toMatchObject({ reusedCloud: 2, reusedLocal: 0, computed: 0 });
    await old.inputs("rs2.csv", ["CCCCC"]);
    await old.json("run", "-i", "rs2.csv", "-o", "rs2-out.csv");
    const again = await old.json<Result>("run", "-i", "rs2.csv", "-o", "rs2-out.csv");
    expect(again.counts.computed).toBe(1);
  });
});
