import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, test } from "vitest";
import { md5Hex } from "../../src/hash/index.ts";
import { freshAsk, type ModelId } from "../../src/kernel/index.ts";
import { createFolderStore, createS3Store, type ObjectStore } from "../../src/store/objects/index.ts";
import { createParquetTier, type ParquetTier } from "../../src/store/predictions/index.ts";
import { predictionTierContract } from "../../src/store/predictions/tier-contract.ts";
import type { PredictionRow, PredictionScope } from "../../src/task/index.ts";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { rowFor, scope } from "./parquet-rows.ts";

const ask = freshAsk();

async function s3Place(): Promise<() => ObjectStore> {
  const server = await sharedS3();
  const bucket = await makeBucket(server);
  return () =>
    createS3Store({
      bucket,
      prefix: "a/b",
      endpoint: server.endpoint,
      region: server.region,
      credentials: server,
    });
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "memoir-parquet-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openTier(store: ObjectStore): Promise<ParquetTier> {
  const tier = createParquetTier({ store, compaction: "never" });
  await tier.open(ask);
  return tier;
}

describeWith([s3Requirement], "on a real S3 server", () => {
  predictionTierContract({
    name: "Parquet on S3",
    make: async () => {
      const connect = await s3Place();
      return {
        connect: () => createParquetTier({ store: connect() }),
        persistent: true,
        dispose: async () => undefined,
      };
    },
  });

  test("merging while others read never hides a row", async () => {
    const connect = await s3Place();
    await mergeWhileReading(connect, 6);
  });

  test("a look-up of few rows reads a small part of the bytes, in few requests", async () => {
    const connect = await s3Place();
    await lookUpIsSmall(connect);
  });
});

describe("in a folder", () => {
  test("merging while others read never hides a row", () =>
    inFolder((folder) => mergeWhileReading(() => createFolderStore({ path: folder, durable: false }), 15)));

  test("a look-up of few rows reads a small part of the bytes, in few requests", () =>
    inFolder((folder) => lookUpIsSmall(() => createFolderStore({ path: folder, durable: false }))));

  test("DuckDB reads the folder by its Hive partitions and gets equal rows", () =>
    inFolder(async (folder) => {
      const tier = await openTier(createFolderStore({ path: folder }));
      const releases = ["v1.0.0", "v2/beta"];
      for (const release of releases)
        for (const part of [0, 1]) {
          const rows = Array.from({ length: 300 }, (_, i) => rowFor(`${release} ${part} ${i}`));
          await tier.putMany({ ...scope, release }, rows, ask);
        }
      const duck = await (await DuckDBInstance.create(":memory:")).connect();
      const answer = await duck.runAndReadAll(
        `SELECT model_id, release, key, input, weight, rings, label
         FROM read_parquet('${folder}/predictions/*/*/*.parquet', hive_partitioning = true)`,
      );
      const rows = answer.getRowObjects();
      expect(rows).toHaveLength(1_200);
      for (const row of rows) {
        const input = String(row["input"]);
        expect(releases).toContain(row["release"]);
        expect(input.startsWith(String(row["release"]))).toBe(true);
        expect(row["model_id"]).toBe(scope.modelId);
        expect(row["key"]).toBe(md5Hex(input));
        expect([row["weight"], Number(row["rings"]), row["label"]]).toEqual(rowFor(input).values);
      }
      duck.closeSync();
      await tier.close();
    }));

  test("the DuckDB query of the documentation gives each input once, with its newest value", () =>
    inFolder(async (folder) => {
      const tier = await openTier(createFolderStore({ path: folder }));
      const model: PredictionScope = {
        modelId: "eos3b5e" as ModelId,
        release: "v1.0.0",
        columns: [{ name: "mol_weight", type: "float" }],
      };
      for (const weight of [1, 46.069]) await tier.putMany(model, [{ input: "CCO", values: [weight] }], ask);
      await tier.putMany(model, [{ input: "CCC", values: [44.097] }], ask);
      await tier.close();
      const page = readFileSync("docs/tiers/folder.md", "utf8");
      const [, query = ""] = /```sql\n(.*?)```/s.exec(page) ?? [];
      expect(query).toContain("/data/shared/memoir");
      const duck = await (await DuckDBInstance.create(":memory:")).connect();
      const answer = await duck.runAndReadAll(query.replaceAll("/data/shared/memoir", folder));
      expect(
        answer
          .getRows()
          .map((row) => row.slice(0, 3))
          .toSorted(),
      ).toEqual([
        ["CCC", 44.097, "v1.0.0"],
        ["CCO", 46.069, "v1.0.0"],
      ]);
      duck.closeSync();
    }));

  test("many small batches become few files, and the newest value of an input stays the newest", () =>
    inFolder(async (folder) => {
      const store = createFolderStore({ path: folder, durable: false });
      const tier = createParquetTier({ store });
      await tier.open(ask);
      for (let batch = 0; batch < 70; batch++) {
        const value = (input: string): PredictionRow => ({ input, values: [batch, batch, null] });
        await tier.putMany(scope, [value("always"), value(`at ${batch % 7}`), rowFor(`own ${batch}`)], ask);
      }
      await tier.close();
      const names: string[] = [];
      for await (const { name } of store.list("predictions/", ask)) names.push(name);
      expect(names.length).toBeLessThan(25);
      const again = await openTier(store);
      const inputs = ["always", ...Array.from({ length: 7 }, (_, i) => `at ${i}`)];
      const answers = await again.getMany(scope, inputs, ask);
      expect(answers.map((row) => row?.values[0])).toEqual([69, 63, 64, 65, 66, 67, 68, 69]);
      expect(await again.count(scope, ask)).toBe(78);
      const report = await again.compact(scope, ask);
      expect(report).toMatchObject({ filesAfter: 1, rows: 78 });
      expect((await again.getMany(scope, inputs, ask)).map((row) => row?.values)).toEqual(
        answers.map((row) => row?.values),
      );
      await again.close();
    }));

  test("rows that do not fit their columns are not stored, and said so", () =>
    inFolder(async (folder) => {
      const events: unknown[] = [];
      const tier = createParquetTier({
        store: createFolderStore({ path: folder }),
        onEvent: (event) => events.push(event),
      });
      await tier.open(ask);
      const report = await tier.putMany(
        scope,
        [
          { input: "text for a number", values: ["x", 1, null] },
          { input: "fraction", values: [1, 1.5, null] },
          { input: "too large", values: [1, 2 ** 60, null] },
          { input: "half a pair \ud800", values: [1, 1, null] },
          { input: "number for a text", values: [1, 1, 1] },
          rowFor("good"),
        ],
        ask,
      );
      expect(report).toEqual({ stored: 1, alreadyThere: 0 });
      expect(events).toEqual([
        { kind: "tier-rows-not-storable", tier: tier.name, modelId: scope.modelId, rows: 5 },
      ]);
      expect(await tier.count(scope, ask)).toBe(1);
      await tier.close();
    }));

  test("what an interrupted merge left behind is ignored, and removed by the next one", () =>
    inFolder(async (folder) => {
      const store = createFolderStore({ path: folder });
      const tier = await openTier(store);
      for (const part of [0, 1, 2])
        await tier.putMany(scope, [rowFor(`a ${part}`), rowFor(`b ${part}`)], ask);
      const before: string[] = [];
      for await (const { name } of store.list("predictions/", ask)) before.push(name);
      // A store that stops the merge after the new file is published and before the old ones are removed.
      const killed = createFolderStore({ path: folder });
      killed.remove = async (names) => (names.length > 0 ? Promise.reject(new Error("killed")) : undefined);
      const stopping = createParquetTier({ store: killed, compaction: "never" });
      await stopping.open(ask);
      await expect(stopping.compact(scope, ask)).rejects.toThrow("killed");
      const all = async () => {
        const names: string[] = [];
        for await (const { name } of store.list("predictions/", ask)) names.push(name);
        return names;
      };
      expect(await all()).toHaveLength(before.length + 1);
      expect(await tier.count(scope, ask)).toBe(6);
      await tier.compact(scope, ask);
      expect(await all()).toHaveLength(1);
      expect(await tier.count(scope, ask)).toBe(6);
      await tier.close();
    }));
});

/** A reader looks up, scans, counts and samples while a writer adds and a third one merges all the time. */
async function mergeWhileReading(connect: () => ObjectStore, rounds: number): Promise<void> {
  const [reader, writer, merger] = [
    await openTier(connect()),
    await openTier(connect()),
    await openTier(connect()),
  ];
  const base = Array.from({ length: 400 }, (_, i) => rowFor(`base ${i}`));
  for (let at = 0; at < base.length; at += 100) await writer.putMany(scope, base.slice(at, at + 100), ask);
  let writing = true;
  const adding = (async () => {
    for (let round = 0; round < rounds; round++)
      await writer.putMany(scope, [rowFor(`new ${round}`), rowFor(`base ${round}`)], ask);
    writing = false;
  })();
  const merging = (async () => {
    while (writing) await merger.compact(scope, ask);
  })();
  const reading = (async () => {
    while (writing) {
      const answers = await reader.getMany(
        scope,
        base.map((row) => row.input),
        ask,
      );
      expect(answers).toEqual(base);
      const scanned = new Set<string>();
      for await (const rows of reader.scan(scope, ask)) for (const row of rows) scanned.add(row.input);
      for (const { input } of base) expect(scanned.has(input)).toBe(true);
      expect(await reader.count(scope, ask)).toBeGreaterThanOrEqual(400);
      expect(await reader.sample(scope, { count: 20, seed: "s" }, ask)).toHaveLength(20);
    }
  })();
  await Promise.all([adding, merging, reading]);
  expect(await reader.count(scope, ask)).toBe(400 + rounds);
  await Promise.all([reader, writer, merger].map((tier) => tier.close()));
}

async function lookUpIsSmall(connect: () => ObjectStore): Promise<void> {
  const writer = await openTier(connect());
  const rows = Array.from({ length: 60_000 }, (_, i) => rowFor(`CC(C)Nc1ccc(cc1)C(=O)N${i}`));
  await writer.putMany(scope, rows, ask);
  await writer.close();
  const inner = connect();
  let total = 0;
  for await (const { sizeBytes } of inner.list("predictions/", ask)) total += sizeBytes;
  let bytes = 0;
  let requests = 0;
  const openReader: ObjectStore["openReader"] = async (name, size, ask) => {
    const reader = await inner.openReader(name, size, ask);
    return {
      ...reader,
      readRanges: (ranges, ask) => {
        requests += ranges.length;
        for (const { start, end } of ranges) bytes += end - start;
        return reader.readRanges(ranges, ask);
      },
    };
  };
  // A store may be an object of a class, whose members a copy would not have.
  const tier = await openTier(
    new Proxy(inner, {
      get: (target, name) => {
        if (name === "openReader") return openReader;
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === "function" ? member.bind(target) : member;
      },
    }),
  );
  const wanted = [0, 10_000, 20_000, 30_000, 59_999].map((at) => rows[at] as PredictionRow);
  const answers = await tier.getMany(
    scope,
    wanted.map((row) => row.input),
    ask,
  );
  expect(answers).toEqual(wanted);
  expect(bytes).toBeLessThan(total / 10);
  expect(requests).toBeLessThan(40);
  const afterFirst = bytes;
  expect(await tier.getMany(scope, ["nothing of the kind"], ask)).toEqual([undefined]);
  expect(bytes - afterFirst).toBeLessThan(20_000);
  await tier.close();
}
