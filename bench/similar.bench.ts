/**
 * The five most similar of 1,000,000 stored fingerprints against a bare scan that counts the common bits of the same
 * fingerprints and keeps nothing. The fingerprints are synthetic, with the density of drug-like molecules. Prints one
 * JSON line per result; `ratio` is the time of the bare scan divided by ours, higher is better.
 */

import { FingerprintIndex } from "../src/predict/similar/fingerprint-index.ts";
import { createPopcountKernel } from "../src/predict/similar/popcount-kernel.ts";

const count = Number(process.env["BENCH_ROWS"] ?? 1_000_000);
const queries = Number(process.env["BENCH_ROUNDS"] ?? 20);
const bytes = 128;

let state = 42;
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

/** 30 to 70 of 1,024 bits, low ones more often, as in Morgan fingerprints of drugs. */
function print(): Uint8Array {
  const one = new Uint8Array(bytes);
  const bits = 30 + Math.floor(random() * 41);
  for (let n = 0; n < bits; n++) {
    const bit = Math.floor(random() ** 1.5 * 1_024);
    one[bit >> 3] = (one[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  return one;
}

const molecules = Array.from({ length: count }, (_, at) => ({ input: `m${at}`, fingerprint: print() }));
const index = FingerprintIndex.of(
  {
    ...{
      model: "bench",
      release: "v1",
      columns: "c",
      tier: "t",
      fingerprints: "f",
      rows: count,
      unreadable: [],
    },
    builtAt: "2026-01-01T00:00:00.000Z",
  },
  molecules,
);
const rowsAt = bytes + 1024;
const kernel = createPopcountKernel(rowsAt + count * bytes);
for (const [at, { fingerprint }] of molecules.entries()) kernel.bytes.set(fingerprint, rowsAt + at * bytes);

for (const similarity of [0.7, 0.001]) {
  const bare: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < queries; round++) {
    const near = molecules[Math.floor(random() * count)]?.fingerprint ?? print();
    const query = Uint8Array.from(near);
    for (let n = 0; n < 4; n++) query[Math.floor(random() * bytes)] = 0;
    kernel.bytes.set(query, 0);
    const begun = performance.now();
    kernel.scan(0, rowsAt, count, 2_000, bytes);
    const between = performance.now();
    index.nearest(query, { count: 5, similarity });
    bare.push(between - begun);
    ours.push(performance.now() - between);
  }
  const [bareMs, oursMs] = [median(bare), median(ours)];
  console.log(
    JSON.stringify({
      bench: `five nearest of ${count} fingerprints, similarity ${similarity} or more, against a popcount scan that keeps nothing`,
      ratio: bareMs / oursMs,
      ours: oursMs,
      peer: bareMs,
      unit: "ms",
    }),
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
