import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, it } from "vitest";
import { md5Hex } from "../hash/index.ts";
import { freshAsk, isAppError } from "../kernel/index.ts";
import { createMemoryTier, type PredictionTier } from "../store/predictions/index.ts";
import { rowFormatFor } from "./files/row-formats.ts";
import { importPredictions } from "./import.ts";
import { importTree } from "./import-tree.ts";
import { scriptedModel } from "./scripted-runner.ts";

let folder = "";
let tier: PredictionTier;
const model = scriptedModel({
  columns: [
    { name: "size", type: "integer" },
    { name: "label", type: "string" },
  ],
});
const scope = { modelId: model.id, release: model.release, columns: model.columns };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-import-"));
  tier = createMemoryTier();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function take(content: string | Uint8Array, name = "in.csv") {
  const path = join(folder, name);
  await writeFile(path, content);
  return await importPredictions({ path, model, tier }, freshAsk());
}
const problem = (content: string | Uint8Array, name?: string) =>
  take(content, name).then(
    () => "no error",
    (error: unknown) =>
      isAppError(error) ? `${error.code}: ${error.message.replaceAll(folder, "<dir>")}` : String(error),
  );

it("finds columns by name in any order, types the values, and says that they were imported", async () => {
  const report = await take('label,key,size,input\n"a, ""b""\nc",k,3,CCO\n,k,4,CCC\n');
  expect(report).toEqual({ read: 2, stored: 2, alreadyThere: 0, skipped: 0 });
  const rows = await tier.getMany(scope, ["CCO", "CCC"], freshAsk());
  expect(rows[0]).toEqual({ input: "CCO", values: [3, 'a, "b"\nc'], provenance: { runner: "import" } });
  expect(rows[1]?.values).toEqual([4, null]);
});

it("leaves out rows without any value: failures and misses are not results", async () => {
  const report = await take("input,size,label\nA,,\nB,None,\nC,\\N,\nD,5,\n,6,x\n");
  expect(report).toEqual({ read: 5, stored: 1, alreadyThere: 0, skipped: 4 });
});

it("refuses two columns of one name: one of their values would be stored as the answer", async () => {
  for (const header of ["input,size,label,size", "input,size,label,Input", "smiles,size,label,SMILES"])
    expect(await problem(`${header}\nA,1,x,2\n`)).toMatch(
      /^PREDICT_INPUT_COLUMNS_UNCLEAR: cannot import predictions from <dir>\/in.csv: it has two columns called /,
    );
});

it.each([" ", "0x10", "0b1", "1_000", "9007199254740993", "1.5"])(
  "refuses %j as a whole number: blanks are not 0, and no integer is rounded",
  async (cell) => {
    expect(await problem(`input,size,label\nA,${cell},x\n`)).toBe(
      `PREDICT_INPUT_MALFORMED: cannot read <dir>/in.csv, line 2: the column size holds "${cell}", expected a whole number`,
    );
  },
);

it("changes nothing when it is done again", async () => {
  const text = "input,size,label\nA,1,x\n";
  await take(text);
  expect(await take(text)).toEqual({ read: 1, stored: 0, alreadyThere: 1, skipped: 0 });
});

it("distinguishes markers of missing values from equal texts in quotes", async () => {
  const words = ["None", "\\N", "nan", "NaN", "null", ""];
  await take(
    `input,size,label\n${words.map((word, i) => `A${i},5,${word}\nB${i},5,"${word}"\nC${i},${word},${word}\n`).join("")}`,
  );
  for (const [i, word] of words.entries()) {
    const rows = await tier.getMany(scope, [`A${i}`, `B${i}`, `C${i}`], freshAsk());
    expect(rows.map((row) => row?.values)).toEqual([[5, null], [5, word], undefined]);
  }
});

it("reads back what is written of such texts, whatever word a missing value has", async () => {
  const texts = ["None", "\\N", "nan", "null", "n/a", 'say "None"', "a,b"];
  const inputs = texts.map((_, i) => `A${i}`);
  for (const missing of ["None", "", "n/a"]) {
    const format = rowFormatFor("csv", { columns: model.columns, missing, statusColumn: "without" });
    const found = { values: texts.map((text) => [1, text]), status: new Uint8Array(texts.length).fill(1) };
    const lost = { inputs: ["lost"], values: [undefined], status: new Uint8Array(1) };
    const text = `${format.begin()}${format.rows({ inputs, ...found }, 0)}${format.rows(lost, texts.length)}`;
    const back = createMemoryTier();
    const path = join(folder, "back.csv");
    await writeFile(path, text);
    expect(await importPredictions({ path, model, tier: back, missing }, freshAsk())).toMatchObject({
      skipped: 1,
    });
    const rows = await back.getMany(scope, [...inputs, "lost"], freshAsk());
    expect(rows.map((row) => row?.values[1])).toEqual([...texts, undefined]);
  }
});

it("ignores quotes where every field has them, and reads two quotes alone as no value", async () => {
  expect(await take('"input","size","label"\n"A","5","None"\n"B","","None"\n')).toMatchObject({ skipped: 1 });
  expect((await tier.getMany(scope, ["A"], freshAsk()))[0]?.values).toEqual([5, null]);
  expect(await take('input,size,label\nC,,""\n')).toMatchObject({ skipped: 1 });
});

it("leaves out rows whose status says that they have no answer", async () => {
  const text = "input,size,label,status\nA,5,n/a,missing\nB,5,x,computed\nC,,?,failed\n";
  expect(await take(text)).toMatchObject({ read: 3, stored: 1, skipped: 2 });
});

it("reads CSV that is packed with gzip, and a shard that has no header", async () => {
  const shard = `${md5Hex("CCO")},CCO,3,"x,y"\n${md5Hex("CCC")},CCC,\\N,\\N\n`;
  expect(await take(gzipSync("input,size,label\nA,1,x\n"), "in.csv.gz")).toMatchObject({
    read: 1,
    stored: 1,
  });
  expect(await take(gzipSync(shard), "0001.gz")).toMatchObject({ read: 2, stored: 1, skipped: 1 });
  expect((await tier.getMany(scope, ["CCO"], freshAsk()))[0]?.values).toEqual([3, "x,y"]);
  expect(await problem(gzipSync(shard).subarray(0, 30), "cut.gz")).toMatch(
    /^PREDICT_INPUT_MALFORMED: cannot read <dir>.cut.gz: it cannot be unpacked: /,
  );
});

it("reads Parquet: a column per value, or joined values", async () => {
  const chunks = join(folder, "chunks");
  await mkdir(chunks);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const write = (rows: string, columns: string, path: string) =>
    connection.run(`COPY (SELECT * FROM (VALUES ${rows}) t(${columns})) TO '${path}' (FORMAT PARQUET)`);
  await write("('A', 1, 'x'), ('B', NULL, NULL)", "input, size, label", join(folder, "one.parquet"));
  await write("('C', '3,y'), ('D', 'four,z')", "smiles, output", join(chunks, "chunk_1.parquet"));
  await write("('E', '5,w')", "smiles, output", join(chunks, "chunk_2.parquet"));
  await write("('F', 6)", "input, size", join(folder, "other.parquet"));
  connection.closeSync();
  const load = (path: string) => importPredictions({ path, model, tier }, freshAsk());
  expect(await load(join(folder, "one.parquet"))).toEqual({
    read: 2,
    stored: 1,
    alreadyThere: 0,
    skipped: 1,
  });
  const files = ["chunk_1.parquet", "chunk_2.parquet"].map((name) => ({
    name,
    relative: name,
    sizeBytes: 1,
    read: <T>(work: (path: string) => Promise<T>) => work(join(chunks, name)),
  }));
  expect(await importTree({ place: "chunks", files, model, tier }, freshAsk())).toEqual({
    read: 3,
    stored: 2,
    alreadyThere: 0,
    skipped: 1,
    files: 2,
    otherFiles: { count: 0, names: [] },
    leftOut: { count: 0, files: [] },
  });
  const rows = await tier.getMany(scope, ["A", "C", "E"], freshAsk());
  expect(rows.map((row) => row?.values)).toEqual([
    [1, "x"],
    [3, "y"],
    [5, "w"],
  ]);
  await expect(load(join(folder, "other.parquet"))).rejects.toMatchObject({
    code: "PREDICT_INPUT_COLUMNS_UNCLEAR",
    message: `cannot import predictions from ${join(folder, "other.parquet")}: it has no column label`,
  });
  await expect(load(join(folder, "none.parquet"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
});

it("finds the separator that takes the header apart into the model's columns", async () => {
  for (const separator of [";", "\t", "|", ","]) {
    const text = "input,size,label\nA,1,x y\n".replaceAll(",", separator);
    for (const name of ["in.csv", "in.tsv"]) expect((await take(text, name)).read).toBe(1);
  }
  expect((await tier.getMany(scope, ["A"], freshAsk()))[0]?.values).toEqual([1, "x y"]);
});

it("reads TSV", async () => {
  expect((await take("smiles\tsize\tlabel\nA\t1\tx\n", "in.tsv")).stored).toBe(1);
});

it.each([
  ["", "PREDICT_INPUT_EMPTY: cannot import predictions from <dir>/in.csv: the file is empty"],
  [
    "input,size\nA,1\n",
    "PREDICT_INPUT_COLUMNS_UNCLEAR: cannot import predictions from <dir>/in.csv: it has no column label; got input, size",
  ],
  [
    "size,label\n1,x\n",
    "PREDICT_INPUT_COLUMNS_UNCLEAR: cannot import predictions from <dir>/in.csv: it has no column input; got size, label",
  ],
  [
    "input,size,label\nA,1,x\nB,many,x\n",
    'PREDICT_INPUT_MALFORMED: cannot read <dir>/in.csv, line 3: the column size holds "many", expected a whole number',
  ],
  [
    "input,size,label\nA,1.5,x\n",
    'PREDICT_INPUT_MALFORMED: cannot read <dir>/in.csv, line 2: the column size holds "1.5", expected a whole number',
  ],
  [
    "input,size,label\nA,1\n",
    "PREDICT_INPUT_MALFORMED: cannot read <dir>/in.csv, line 2: got 2 cells, expected 3",
  ],
])("refuses %j and says where and why", async (content, words) => {
  expect(await problem(content)).toBe(words);
});

it("refuses JSON by name", async () => {
  expect(await problem("[]", "in.json")).toMatch(
    /^PREDICT_FORMAT_UNKNOWN: .* expected \.csv, \.tsv, \.gz or \.parquet$/,
  );
});
