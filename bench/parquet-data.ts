/** Makes the data set of the Parquet benchmark: molecule-like inputs and six numbers each, in files as `compact` leaves them. */
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { md5Hex } from "../src/hash/index.ts";
import type { ModelId } from "../src/kernel/index.ts";
import { createFileWriter } from "../src/store/predictions/parquet/file-writer.ts";
import { byKeyThenInput, fileNameOf, releaseFolder } from "../src/store/predictions/parquet/layout.ts";
import type { PredictionRow, PredictionScope } from "../src/task/index.ts";

export const scope: PredictionScope = {
  modelId: "eos0bench" as ModelId,
  release: "v1",
  columns: Array.from({ length: 6 }, (_, at) => ({ name: `value_${at}`, type: "float" as const })),
};

/** 40 to 50 characters, like a drug-like SMILES. */
export function inputOf(number: number): string {
  const tail = number.toString(36).toUpperCase();
  return `CC(C)Nc1ccc(cc1)C(=O)N${"C".repeat(number % 11)}c2ccc(${tail})cc2F`;
}

export function rowOf(number: number): PredictionRow {
  return {
    input: inputOf(number),
    values: scope.columns.map((_, at) => Math.sin(number * (at + 1)) * 500),
    provenance: {
      computedAt: new Date(1.7e12 + Math.floor(number / 50_000) * 60_000).toISOString(),
      runner: "builtin",
      toolkit: "rdkit-wasm 2026.9.1",
    },
  };
}

const buckets = 256;
const fileRows = 4_000_000;

/** Writes `rows` rows below `root`, sorted by key over all files; answers the bytes written. */
export async function makeData(root: string, rows: number): Promise<number> {
  const folder = join(root, releaseFolder(scope));
  mkdirSync(folder, { recursive: true });
  // First only numbers, by the first two digits of their key; then one bucket after the other becomes rows.
  const members: number[][] = Array.from({ length: buckets }, () => []);
  for (let number = 0; number < rows; number++)
    members[Number.parseInt(md5Hex(inputOf(number)).slice(0, 2), 16)]?.push(number);
  let bytes = 0;
  let count = 0;
  let sequence = 1_700_000_000_000;
  let open = await start();
  for (const numbers of members) {
    const keyed = numbers.map((number) => ({ key: md5Hex(inputOf(number)), row: rowOf(number) }));
    keyed.sort((a, b) =>
      byKeyThenInput({ key: a.key, input: a.row.input }, { key: b.key, input: b.row.input }),
    );
    for (const row of keyed) {
      if (count > 0 && count % fileRows === 0) {
        bytes += open.end();
        open = await start();
      }
      open.writer.add(row);
      count++;
    }
    numbers.length = 0;
  }
  return bytes + open.end();

  async function start() {
    const path = join(folder, ".writing");
    const fd = openSync(path, "w");
    const writer = await createFileWriter({
      scope,
      sink: (part) => {
        for (let at = 0; at < part.byteLength; ) at += writeSync(fd, part, at);
      },
    });
    return {
      writer,
      end: () => {
        const { sizeBytes, tailDigest } = writer.finish();
        closeSync(fd);
        renameSync(path, join(folder, fileNameOf({ sequence: sequence++, tailDigest }, scope)));
        return sizeBytes;
      },
    };
  }
}
