import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { md5Hex } from "../../../hash/index.ts";
import { freshAsk, type ModelId } from "../../../kernel/index.ts";
import type { Cell, PredictionRow, PredictionScope } from "../../../task/index.ts";
import { createFolderStore, type ObjectStore } from "../../objects/index.ts";
import { readFileIndex } from "./file-index.ts";
import { type FileHandle, lookUp, readRows, walk } from "./file-reader.ts";
import { createFileWriter } from "./file-writer.ts";
import { sortedByKey } from "./foreign.ts";
import { fileColumns } from "./layout.ts";
import { loadCodec } from "./page-decode.ts";

const ask = freshAsk();
let folder: string;
let store: ObjectStore;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "memoir-parquet-format-"));
  store = createFolderStore({ path: folder, durable: false });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scope: PredictionScope = {
  modelId: "eos1abc" as ModelId,
  release: "v1",
  columns: [
    { name: "weight", type: "float" },
    { name: "rings", type: "integer" },
    { name: "label", type: "string" },
    { name: "KEY", type: "float" },
  ],
};

async function bytesOf(
  rows: readonly PredictionRow[],
  of = scope,
): Promise<{ bytes: Buffer; tailDigest: string }> {
  const parts: Uint8Array[] = [];
  const writer = await createFileWriter({ scope: of, sink: (part) => parts.push(part) });
  for (const row of sortedByKey(rows.map((row) => ({ key: md5Hex(row.input), row })))) writer.add(row);
  const { tailDigest } = writer.finish();
  return { bytes: Buffer.concat(parts), tailDigest };
}

async function withFile<T>(
  rows: readonly PredictionRow[],
  work: (file: FileHandle, path: string) => Promise<T>,
  of = scope,
): Promise<T> {
  const { bytes, tailDigest } = await bytesOf(rows, of);
  await store.put("file.parquet", bytes, ask);
  const reader = await store.openReader("file.parquet", bytes.length, ask);
  const answer = await readFileIndex(reader, of, tailDigest, ask);
  if (answer.kind !== "index") throw new Error(answer.kind);
  try {
    return await work(
      {
        name: "file.parquet",
        scope: of,
        index: answer.index,
        codec: await loadCodec(),
        gapBytes: 100,
        blooms: new Map(),
        reader,
        onDamage: (reason) => {
          throw new Error(reason);
        },
      },
      join(folder, "file.parquet"),
    );
  } finally {
    await reader.close();
  }
}

const byInput = (x: PredictionRow, y: PredictionRow) => (x.input < y.input ? -1 : 1);

async function checkRoundTrip(rows: readonly PredictionRow[]): Promise<void> {
  await withFile(rows, async (file) => {
    const walked: PredictionRow[] = [];
    const places = [];
    for await (const batch of walk(file, { projection: "whole" }, ask))
      for (const { row, place } of batch) {
        walked.push(row);
        places.push({ place, input: row.input });
      }
    expect(walked.toSorted(byInput)).toEqual(rows.toSorted(byInput));
    expect(await readRows(file, places, ask)).toEqual(walked);
    const wanted = rows
      .flatMap(({ input }) => [input, `${input} not`])
      .map((input) => ({ key: md5Hex(input), input }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const known = new Map(rows.map((row) => [row.input, row]));
    const found = await lookUp(file, wanted, ask);
    wanted.forEach(({ input }, at) => {
      expect(found.get(at)).toEqual(known.get(input));
    });
  });
}

const text = fc.string({ unit: "binary", maxLength: 20 });
const cell = <T extends Cell>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 4 });
const anyRow: fc.Arbitrary<PredictionRow> = fc.record(
  {
    input: text,
    values: fc.tuple(
      cell(fc.double()),
      cell(fc.maxSafeInteger().map((n) => n + 0)),
      cell(text),
      cell(fc.double()),
    ),
    provenance: fc.record(
      {
        computedAt: fc.constantFrom("2026-11-21T10:20:30.456Z", "2026-11-22T00:00:00.000Z"),
        runner: fc.constantFrom("builtin", "script"),
        toolkit: text,
      },
      { requiredKeys: ["computedAt"] },
    ),
    canonical: text,
  },
  { requiredKeys: ["input", "values"] },
);

describe("prediction files", () => {
  test("give back what was written, row by row, for any rows", async () => {
    const rows = fc.uniqueArray(anyRow, { selector: (row) => row.input, maxLength: 700, size: "max" });
    await fc.assert(fc.asyncProperty(rows, checkRoundTrip), { numRuns: 25, seed: 20261122 });
  });

  test("give back rows at the edges of pages and row groups", async () => {
    for (const count of [1, 63, 64, 65, 66, 127, 128, 129, 255, 256, 257, 512, 16_383, 16_384, 16_385]) {
      const rows = Array.from({ length: count }, (_, i): PredictionRow => {
        const sparse = i % 300 < 257;
        return {
          input: `input ${i}`,
          values: [i / 3, sparse ? null : i, sparse ? null : `text ${i % 5}`, null],
        };
      });
      await checkRoundTrip(rows);
    }
  });

  test("give back long texts next to short ones", async () => {
    const rows = Array.from({ length: 600 }, (_, i): PredictionRow => {
      const long = i % 100 === 0 ? "x".repeat(300_000) : "";
      return { input: `${i}${long}`, values: [i, i, `label ${i}${long}`, i] };
    });
    await checkRoundTrip(rows);
  });

  test("are read equally by hyparquet and by DuckDB", async () => {
    const rows = Array.from(
      { length: 20_000 },
      (_, i): PredictionRow => ({
        input: `CC${i}`,
        values: [
          i % 7 === 0 ? null : i / 7,
          i * 1000,
          i % 3 === 0 ? null : `label, "${i}"`,
          i % 2 === 0 ? -0.5 : 2.5,
        ],
        provenance: { computedAt: `2026-11-${10 + (i % 9)}T00:00:00.000Z`, runner: "builtin" },
      }),
    );
    await withFile(rows, async (_, path) => {
      const expected = rows
        .map((row) => ({
          key: md5Hex(row.input),
          input: row.input,
          weight: row.values[0],
          rings: row.values[1],
          label: row.values[2],
          KEY_: row.values[3],
          canonical: null,
          computed_at: row.provenance?.computedAt,
          runner: "builtin",
          toolkit: null,
        }))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
      const bytes = await store.read("file.parquet", ask);
      const objects = await parquetReadObjects({ file: Uint8Array.from(bytes ?? []).buffer });
      expect(objects.map((row) => ({ ...row, rings: Number(row["rings"]) }))).toEqual(expected);
      const connection = await (await DuckDBInstance.create(":memory:")).connect();
      const answer = await connection.runAndReadAll(`SELECT * FROM '${path}' ORDER BY key`);
      expect(answer.getRowObjects().map((row) => ({ ...row, rings: Number(row["rings"]) }))).toEqual(
        expected,
      );
      const types = await connection.runAndReadAll(`DESCRIBE SELECT * FROM '${path}'`);
      expect(types.getRowObjects().map((row) => `${row["column_name"]} ${row["column_type"]}`)).toEqual([
        "key VARCHAR",
        "input VARCHAR",
        "weight DOUBLE",
        "rings BIGINT",
        "label VARCHAR",
        "KEY_ DOUBLE",
        "canonical VARCHAR",
        "computed_at VARCHAR",
        "runner VARCHAR",
        "toolkit VARCHAR",
      ]);
      // Filters that use statistics and bloom filters must not hide rows.
      for (const at of [0, 1, 7, 19_999]) {
        const hit = await connection.runAndReadAll(
          `SELECT input FROM '${path}' WHERE key = '${md5Hex(`CC${at}`)}'`,
        );
        expect(hit.getRows()).toEqual([[`CC${at}`]]);
      }
      const sum = await connection.runAndReadAll(`SELECT count(*) FROM '${path}' WHERE rings >= 19990000`);
      expect(sum.getRows()).toEqual([[10n]]);
      connection.closeSync();
    });
  });

  test("are found out when a byte is flipped anywhere: a wrong value never comes back", async () => {
    const rows = Array.from(
      { length: 600 },
      (_, i): PredictionRow => ({ input: `C${i}`, values: [i, i, `l${i}`, i] }),
    );
    const right = new Map(rows.map((row) => [row.input, row]));
    const { bytes, tailDigest } = await bytesOf(rows);
    let damaged = 0;
    for (let at = 0; at < bytes.length; at += 331) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(join(folder, "flipped.parquet"), flipped);
      const reader = await store.openReader("flipped.parquet", flipped.length, ask);
      const file: Omit<FileHandle, "index"> = {
        name: "flipped.parquet",
        scope,
        codec: await loadCodec(),
        gapBytes: 100,
        blooms: new Map(),
        reader,
        onDamage: () => damaged++,
      };
      const answer = await readFileIndex(reader, scope, tailDigest, ask).catch(() => undefined);
      if (answer?.kind === "index") {
        for await (const batch of walk({ ...file, index: answer.index }, { projection: "whole" }, ask))
          for (const { row } of batch) expect(row).toEqual(right.get(row.input));
        const wanted = rows
          .map(({ input }) => ({ key: md5Hex(input), input }))
          .sort((a, b) => (a.key < b.key ? -1 : 1));
        const found = await lookUp({ ...file, index: answer.index }, wanted, ask);
        for (const row of found.values()) expect(row).toEqual(right.get(row.input));
      } else damaged++;
      await reader.close();
    }
    expect(damaged).toBeGreaterThan(bytes.length / 331 / 2);
  });

  test("are never taken for a file of other columns", async () => {
    const { bytes, tailDigest } = await bytesOf([{ input: "C", values: [1, 1, "x", 1] }]);
    await store.put("other.parquet", bytes, ask);
    const reader = await store.openReader("other.parquet", bytes.length, ask);
    const other = { ...scope, columns: scope.columns.toReversed() };
    expect(await readFileIndex(reader, other, tailDigest, ask)).toMatchObject({ kind: "other-columns" });
    await reader.close();
    expect(fileColumns(scope).map(({ name }) => name)).toContain("KEY_");
  });
});
