/**
 * 1,000 random inputs out of 10 million rows of one model, from a folder and from a real S3 server: bytes read and time,
 * against a full scan and against DuckDB over the same files. PARQUET_BENCH_ROWS changes the number of rows.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { md5Hex } from "../src/hash/index.ts";
import { freshAsk } from "../src/kernel/index.ts";
import { createFolderStore, createS3Store, type ObjectStore } from "../src/store/objects/index.ts";
import { createParquetTier } from "../src/store/predictions/index.ts";
import { releaseFolder } from "../src/store/predictions/parquet/layout.ts";
import { missingOf } from "../test/servers/requirement.ts";
import { makeBucket, s3Requirement, startS3 } from "../test/servers/s3.ts";
import { inputOf, makeData, rowOf, scope } from "./parquet-data.ts";

const rows = Number(process.env["PARQUET_BENCH_ROWS"] ?? 10_000_000);
const lookups = 1_000;
const ask = freshAsk();
const kept = process.env["PARQUET_BENCH_DATA"];
const root = kept ?? mkdtempSync(join(tmpdir(), "memoir-parquet-bench-"));

try {
  const folder = join(root, releaseFolder(scope));
  const started = performance.now();
  if (kept === undefined || !exists(folder)) {
    await makeData(root, rows);
    const seconds = (performance.now() - started) / 1000;
    say(`wrote ${rows} rows in ${seconds.toFixed(0)} s: ${Math.round(rows / seconds)} rows/s`);
  }
  const files = readdirSync(folder).filter((name) => name.endsWith(".parquet"));
  const total = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  say(`${rows} rows in ${files.length} files, ${(total / 1e6).toFixed(0)} MB`);

  const duck = await duckdb(folder);
  const local = await measure("folder", () => createFolderStore({ path: root }), total);
  result("1,000 of 10M Parquet rows, folder, cold, ms against DuckDB", local.coldMs, duck, "ms");

  const missing = missingOf(s3Requirement);
  if (missing !== undefined) say(`S3 not measured: ${missing}`);
  else {
    const server = await startS3();
    try {
      const bucket = await makeBucket(server, "bench");
      const make = () =>
        createS3Store({ bucket, endpoint: server.endpoint, region: server.region, credentials: server });
      const store = make();
      for (const name of files)
        await store.putFile(`${releaseFolder(scope)}${name}`, join(folder, name), ask);
      await store.close();
      await measure("S3", make, total);
    } finally {
      await server.stop();
    }
  }
} finally {
  if (kept === undefined) rmSync(root, { recursive: true, force: true });
}

async function measure(where: string, make: () => ObjectStore, total: number): Promise<{ coldMs: number }> {
  const counted = counting(make());
  const tier = createParquetTier({ store: counted.store });
  await tier.open(ask);
  const run = async (offset: number) => {
    counted.reset();
    const inputs = Array.from({ length: lookups }, (_, i) => inputOf(pick(i + offset)));
    const begun = performance.now();
    const answers = await tier.getMany(scope, inputs, ask);
    const ms = performance.now() - begun;
    answers.forEach((answer, i) => {
      const expected = rowOf(pick(i + offset));
      if (answer?.values.join() !== expected.values.join())
        throw new Error(`wrong answer for ${expected.input}`);
    });
    return { ms, ...counted.seen() };
  };
  const cold = await run(0);
  const warm = await run(lookups);
  const missedAt = performance.now();
  counted.reset();
  const misses = await tier.getMany(
    scope,
    Array.from({ length: lookups }, (_, i) => `missing ${i}`),
    ask,
  );
  if (misses.some((answer) => answer !== undefined)) throw new Error("an answer for a missing input");
  const missMs = performance.now() - missedAt;
  const missed = counted.seen();
  say(
    `${where}: cold ${cold.ms.toFixed(0)} ms, ${cold.requests} reads, ${(cold.bytes / 1e6).toFixed(1)} MB; ` +
      `again, other inputs ${warm.ms.toFixed(0)} ms, ${warm.requests} reads, ${(warm.bytes / 1e6).toFixed(1)} MB; ` +
      `1,000 misses ${missMs.toFixed(0)} ms, ${missed.requests} reads, ${(missed.bytes / 1e6).toFixed(1)} MB`,
  );
  result(`1,000 of 10M Parquet rows, ${where}, cold, bytes against a full scan`, cold.bytes, total, "bytes");
  counted.reset();
  const begun = performance.now();
  let count = 0;
  for await (const batch of tier.scan(scope, ask)) count += batch.length;
  const scanMs = performance.now() - begun;
  if (count !== rows) throw new Error(`a scan of ${count} rows, expected ${rows}`);
  say(`${where}: full scan ${(scanMs / 1000).toFixed(1)} s, ${Math.round((rows / scanMs) * 1000)} rows/s`);
  result(`1,000 of 10M Parquet rows, ${where}, cold, ms against a full scan`, cold.ms, scanMs, "ms");
  result(
    `1,000 of 10M Parquet rows, ${where}, indexes in memory, ms against a full scan`,
    warm.ms,
    scanMs,
    "ms",
  );
  await tier.close();
  return { coldMs: cold.ms };
}

/** The n-th of a fixed shuffle of all row numbers. */
function pick(n: number): number {
  return (n * 7_919_777 + 12_345) % rows;
}

function counting(inner: ObjectStore) {
  let bytes = 0;
  let requests = 0;
  const openReader: ObjectStore["openReader"] = async (name, size, ask) => {
    const reader = await inner.openReader(name, size, ask);
    return {
      sizeBytes: reader.sizeBytes,
      close: () => reader.close(),
      readRanges: (ranges, ask) => {
        requests += ranges.length;
        for (const { start, end } of ranges) bytes += end - start;
        return reader.readRanges(ranges, ask);
      },
    };
  };
  // The stores are classes with private fields: their methods have to be called on themselves.
  const store = new Proxy(inner, {
    get(target, name) {
      if (name === "openReader") return openReader;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    store,
    seen: () => ({ bytes, requests }),
    reset: () => {
      bytes = 0;
      requests = 0;
    },
  };
}

async function duckdb(folder: string): Promise<number> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const keys = Array.from({ length: lookups }, (_, i) => `'${md5Hex(inputOf(pick(i)))}'`).join(",");
  const begun = performance.now();
  const reader = await connection.runAndReadAll(
    `SELECT * FROM read_parquet('${folder}/*.parquet') WHERE key IN (${keys})`,
  );
  const ms = performance.now() - begun;
  if (reader.currentRowCount !== lookups) throw new Error(`DuckDB found ${reader.currentRowCount} rows`);
  say(`DuckDB, folder: ${ms.toFixed(0)} ms`);
  connection.closeSync();
  return ms;
}

function exists(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    return false;
  }
}

function say(words: string): void {
  console.log(words);
}

function result(bench: string, ours: number, peer: number, unit: string): void {
  console.log(JSON.stringify({ bench, ratio: ours / peer, ours, peer, unit }));
}
