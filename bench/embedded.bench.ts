/**
 * The embedded tier against the bare library, on the same rows in the same process: 1,000,000 look-ups and writes.
 * Prints one JSON line per result; `ratio` is ours divided by the bare library's, higher is better.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { freshAsk, type ModelId } from "../src/kernel/index.ts";
import { createEmbeddedTier } from "../src/store/predictions/index.ts";
import type { PredictionRow, PredictionScope } from "../src/task/index.ts";

const count = Number(process.env["BENCH_ROWS"] ?? 1_000_000);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);
const batch = 20_000;
const ask = freshAsk();
const scope: PredictionScope = {
  modelId: "eos3b5e" as ModelId,
  release: "v1",
  columns: [{ name: "mol_weight", type: "float" }],
};

const rows = makeRows(count);
const sorted = rows.toSorted((x, y) => (x.input < y.input ? -1 : 1));
const inputs = rows.map((row) => row.input);
const folder = mkdtempSync(join(tmpdir(), "memoir-bench-"));
const results = { write: pairs(), get: pairs(), scan: pairs() };

try {
  for (let round = 0; round < rounds; round++) {
    const steps = [bareRound, ourRound];
    for (const step of round % 2 === 0 ? steps : steps.toReversed()) await step(round);
  }
  report("embedded write of sorted rows", results.write);
  report("embedded look-up in random order", results.get);
  report("embedded scan", results.scan);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function ourRound(round: number): Promise<void> {
  const place = join(folder, `ours-${round}`);
  const tier = createEmbeddedTier({ folder: place });
  await tier.open(ask);
  results.write.ours.push(
    await timed(async () => {
      for (let at = 0; at < count; at += batch) await tier.putMany(scope, sorted.slice(at, at + batch), ask);
    }),
  );
  let found = 0;
  results.get.ours.push(
    await timed(async () => {
      for (let at = 0; at < count; at += batch)
        for (const row of await tier.getMany(scope, inputs.slice(at, at + batch), ask))
          if (row !== undefined) found++;
    }),
  );
  if (found !== count) throw new Error(`found ${found} of ${count} rows`);
  let scanned = 0;
  results.scan.ours.push(
    await timed(async () => {
      for await (const part of tier.scan(scope, ask)) scanned += part.length;
    }),
  );
  if (scanned !== count) throw new Error(`scanned ${scanned} of ${count} rows`);
  await tier.close();
  rmSync(place, { recursive: true, force: true });
}

/** The library alone: string keys, a packed double as value, a synced transaction per batch, no checks at all. */
async function bareRound(round: number): Promise<void> {
  const place = join(folder, `bare-${round}`);
  const db = open<Uint8Array, string>({
    path: place,
    noSubdir: false,
    encoding: "binary",
    overlappingSync: false,
  });
  const value = Buffer.alloc(8);
  results.write.peer.push(
    await timed(async () => {
      for (let at = 0; at < count; at += batch) {
        db.transactionSync(() => {
          for (const row of sorted.slice(at, at + batch)) {
            value.writeDoubleLE(row.values[0] as number);
            db.putSync(row.input, value);
          }
        });
      }
    }),
  );
  let found = 0;
  results.get.peer.push(
    await timed(async () => {
      for (const input of inputs) if (db.getBinaryFast(input) !== undefined) found++;
    }),
  );
  if (found !== count) throw new Error(`bare library found ${found} of ${count} rows`);
  results.scan.peer.push(
    await timed(async () => {
      for (const { value: bytes } of db.getRange()) found -= bytes.length > 0 ? 1 : 0;
    }),
  );
  await db.close();
  rmSync(place, { recursive: true, force: true });
}

/** SMILES-like texts of 20 to 60 characters in random order, the same on every run. */
function makeRows(total: number): PredictionRow[] {
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const letters = "CCCCcccccNnOo()=#1[]@F";
  const provenance = {
    computedAt: "2026-01-01T00:00:00.000Z",
    runner: "builtin",
    toolkit: "rdkit-wasm 2026.9.1",
  };
  return Array.from({ length: total }, (_, at) => {
    let input = "";
    const length = 15 + Math.floor(random() * 40);
    for (let i = 0; i < length; i++) input += letters[Math.floor(random() * letters.length)];
    return { input: `${input}${at.toString(36)}`, values: [random() * 500], provenance };
  });
}

function pairs(): { ours: number[]; peer: number[] } {
  return { ours: [], peer: [] };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function report(bench: string, { ours, peer }: { ours: number[]; peer: number[] }): void {
  const rate = (ms: number[]) => Math.round(count / (median(ms) / 1000));
  // Rounds are neighbours in time, so other load on the machine weighs on both sides of a pair.
  const ratio = Math.round(median(peer.map((ms, round) => ms / (ours[round] ?? Number.NaN))) * 100) / 100;
  console.log(
    JSON.stringify({
      bench,
      rows: count,
      ratio,
      ours: rate(ours),
      peer: rate(peer),
      unit: "rows/s",
      peerName: "bare lmdb",
    }),
  );
  console.log(`${bench}: ${rate(ours)} rows/s, bare lmdb ${rate(peer)} rows/s, ratio ${ratio}`);
}

function median(numbers: number[]): number {
  return numbers.toSorted((x, y) => x - y)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
