import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { freshAsk, type ModelId } from "../../src/kernel/index.ts";
import { createFolderStore } from "../../src/store/objects/index.ts";
import { createParquetTier, type ParquetTier, type TierEvent } from "../../src/store/predictions/index.ts";
import type { Column, PredictionScope } from "../../src/task/index.ts";

const ask = freshAsk();
const hash = "0123456789abcdef0123456789abcdef";
let duck: DuckDBConnection;
let root: string;
let tier: ParquetTier;
let events: TierEvent[];

beforeAll(async () => {
  duck = await (await DuckDBInstance.create(":memory:")).connect();
});
afterAll(() => duck.closeSync());
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "memoir-legacy-"));
  events = [];
  tier = createParquetTier({
    store: createFolderStore({ path: root }),
    onEvent: (event) => events.push(event),
  });
  await tier.open(ask);
  return async () => {
    await tier.close();
    rmSync(root, { recursive: true, force: true });
  };
});

function scopeOf(modelId: string, ...columns: Column[]): PredictionScope {
  return { modelId: modelId as ModelId, release: "v1.0.0", columns };
}
const weight = scopeOf("eos3b5e", { name: "mol_weight", type: "float" });
const likeness = scopeOf(
  "eos8ioa",
  { name: "nplikeness", type: "float" },
  { name: "confidence", type: "float" },
);

/** Writes what DuckDB answers to a query as a file of the model's folder. */
async function file(
  modelId: string,
  name: string,
  query: string,
  options = "COMPRESSION snappy",
): Promise<string> {
  const path = join(root, "predictions", `model_id=${modelId}`, name);
  mkdirSync(dirname(path), { recursive: true });
  await duck.run(`COPY (${query}) TO '${path}' (FORMAT parquet, ${options})`);
  return path;
}

async function values(scope: PredictionScope, ...inputs: string[]) {
  return (await tier.getMany(scope, inputs, ask)).map((row) => row?.values);
}

describe("files of Ersilia's earlier stores", () => {
  test("a legacy file answers for every release of the model, with typed values", async () => {
    await file(
      "eos3b5e",
      `${hash}.snappy.parquet`,
      `SELECT * FROM (VALUES ('47029b0a89b677c61d67c3a1b1071f07', 'CCO', '46.069'),
        ('defb99e69a9f1f6e06f15006b1f166ae', 'CCC', '44.096999999999994')) t(key, input, output)`,
    );
    expect(await values(weight, "CCC", "CCO", "OCC")).toEqual([[44.096999999999994], [46.069], undefined]);
    expect(await values({ ...weight, release: "v9" }, "CCO")).toEqual([[46.069]]);
    expect(await tier.count(weight, ask)).toBe(2);
    expect((await tier.getMany(weight, ["CCO"], ask))[0]?.provenance).toEqual({ runner: "import" });
    expect(events).toEqual([]);
  });

  test("a row of two columns keeps both of its values", async () => {
    await file(
      "eos8ioa",
      `${hash}.snappy.parquet`,
      "SELECT 'k' AS key, 'Cc1nc2sccn2c' AS input, '-1.37102176232333,0.9795918367346939' AS output",
    );
    expect(await values(likeness, "Cc1nc2sccn2c")).toEqual([[-1.37102176232333, 0.9795918367346939]]);
  });

  test("Python's words for no value are null, and its other numbers are numbers", async () => {
    await file(
      "eos8ioa",
      `${hash}.snappy.parquet`,
      `SELECT 'k' AS key, * FROM (VALUES ('a', 'nan,0.5'), ('b', '1e-05,inf'), ('c', '-inf,5'), ('d', ',1.5'), ('e', '2,None'),
        ('failed', 'nan,None')) t(input, output)`,
    );
    expect(await values(likeness, "a", "b", "c", "d", "e", "failed")).toEqual([
      [null, 0.5],
      [1e-5, Number.POSITIVE_INFINITY],
      [Number.NEGATIVE_INFINITY, 5],
      [null, 1.5],
      [2, null],
      // A row without any value is how a failure was kept: it is computed again.
      undefined,
    ]);
  });

  test("a row that cannot be identified with certainty is a miss and is reported", async () => {
    const scope = scopeOf("eos1txt", { name: "score", type: "integer" }, { name: "remark", type: "string" });
    await file(
      "eos1txt",
      `${hash}.snappy.parquet`,
      `SELECT 'k' AS key, * FROM (VALUES ('good', '3,fine'), ('commas', '3,fine, mostly'), ('short', '3'),
        ('text', 'x,fine'), ('fraction', '3.5,fine'), ('json', '{"score": 3}'), ('whole', '3.0,ok')) t(input, output)`,
    );
    expect(await values(scope, "good", "commas", "short", "text", "fraction", "json", "whole")).toEqual([
      [3, "fine"],
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      [3, "ok"],
    ]);
    expect(events).toEqual([{ kind: "tier-rows-damaged", tier: tier.name, modelId: "eos1txt", rows: 5 }]);
  });

  test("chunk files with one column per value are read by column name, whatever their order and types", async () => {
    await file(
      "eos8ioa",
      "chunk_1.parquet",
      "SELECT '0.5' AS confidence, 'k' AS key, 'CCO' AS input, 1.25::FLOAT AS nplikeness, 'x' AS more",
      "COMPRESSION zstd",
    );
    await file(
      "eos8ioa",
      "release=v1.0.0/chunk_2.parquet",
      "SELECT 'CCC' AS input, 7::INTEGER AS nplikeness, NULL::DOUBLE AS confidence",
      "COMPRESSION gzip",
    );
    expect(await values(likeness, "CCO", "CCC")).toEqual([
      [1.25, 0.5],
      [7, null],
    ]);
    expect(await values({ ...likeness, release: "v2" }, "CCO", "CCC")).toEqual([[1.25, 0.5], undefined]);
  });

  test("what Memoir stored itself counts more than a legacy file, and both are counted once", async () => {
    await file(
      "eos3b5e",
      `${hash}.snappy.parquet`,
      "SELECT 'k' AS key, * FROM (VALUES ('CCO', '1'), ('CCC', '2')) t(input, output)",
    );
    await tier.putMany(weight, [{ input: "CCO", values: [46.069] }], ask);
    expect(await tier.putMany(weight, [{ input: "CCC", values: [2] }], ask)).toEqual({
      stored: 0,
      alreadyThere: 1,
    });
    expect(await values(weight, "CCO", "CCC")).toEqual([[46.069], [2]]);
    expect(await tier.count(weight, ask)).toBe(2);
    await tier.compact(weight, ask);
    expect(await values(weight, "CCO", "CCC")).toEqual([[46.069], [2]]);
    // What Memoir stored goes; the legacy file belongs to somebody else.
    expect(await tier.drop(weight, ask)).toBe(1);
    expect(await values(weight, "CCO", "CCC")).toEqual([[1], [2]]);
  });

  test("a large unsorted file is scanned and sampled as if it were ours", async () => {
    await file(
      "eos3b5e",
      `${hash}.snappy.parquet`,
      "SELECT md5('C' || i) AS key, 'C' || i AS input, (i / 4)::VARCHAR AS output FROM range(30000) t(i) ORDER BY hash(i)",
    );
    let rows = 0;
    for await (const batch of tier.scan(weight, ask)) rows += batch.length;
    expect(rows).toBe(30_000);
    const sample = await tier.sample(weight, { count: 5, seed: "s" }, ask);
    expect(sample.map((row) => row.values[0])).toEqual(sample.map((row) => Number(row.input.slice(1)) / 4));
  });
});

describe("files that say nothing", () => {
  test("torn, empty and foreign files are skipped and named once; the others still answer", async () => {
    await tier.putMany(weight, [{ input: "CCO", values: [46.069] }], ask);
    const good = await file("eos3b5e", "good.parquet", "SELECT 'CCC' AS input, '44.1' AS output");
    const folder = dirname(good);
    const bytes = readFileSync(good);
    writeFileSync(join(folder, "torn.parquet"), bytes.subarray(0, bytes.length - 20));
    writeFileSync(join(folder, "empty.parquet"), "");
    writeFileSync(join(folder, "text.parquet"), "this is not a Parquet file");
    writeFileSync(join(folder, "readme.txt"), "not even by name");
    await file("eos3b5e", "other.parquet", "SELECT 1 AS a, 2 AS b");
    await file("eos3b5e", "columns.parquet", "SELECT 'CCC' AS input, 2 AS other");
    for (let round = 0; round < 2; round++)
      expect(await values(weight, "CCO", "CCC")).toEqual([[46.069], [44.1]]);
    expect(
      events.map((event) => (event.kind === "tier-file-skipped" ? event.file : event.kind)).sort(),
    ).toEqual(
      ["columns", "empty", "other", "text", "torn"].map(
        (name) => `predictions/model_id=eos3b5e/${name}.parquet`,
      ),
    );
  });

  test("a file of Memoir's that was cut or changed is skipped and named; one that was renamed is still read", async () => {
    await tier.putMany(weight, [{ input: "CCO", values: [46.069] }], ask);
    const [name] = await ownFiles();
    const path = join(root, name ?? "");
    const bytes = readFileSync(path);
    copyFileSync(path, join(dirname(path), "renamed.parquet"));
    const changed = Buffer.from(bytes);
    changed[changed.length - 40] = (changed[changed.length - 40] ?? 0) ^ 1;
    writeFileSync(path, changed);
    expect(await values(weight, "CCO")).toEqual([[46.069]]);
    writeFileSync(path, bytes.subarray(0, 100));
    expect(await values(weight, "CCO")).toEqual([[46.069]]);
    expect(events.length).toBeGreaterThan(0);
    expect(events.every((event) => event.kind === "tier-file-skipped" && event.file === name)).toBe(true);
  });
});

async function ownFiles(): Promise<string[]> {
  const store = createFolderStore({ path: root });
  const names: string[] = [];
  for await (const { name } of store.list("predictions/", ask)) names.push(name);
  return names;
}
