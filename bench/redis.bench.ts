/**
 * The Redis tier against the same client alone: look-ups of 100,000 keys by pipelined HMGET of 1,000 fields, 16 in
 * flight, over a socket, in the same run. Prints one JSON line per result; `ratio` is ours divided by the client's.
 */
import { Redis } from "ioredis";
import { freshAsk, type ModelId } from "../src/kernel/index.ts";
import { createRedisTier } from "../src/store/predictions/index.ts";
import type { PredictionRow, PredictionScope } from "../src/task/index.ts";
import { startRedis } from "../test/servers/redis.ts";

const count = Number(process.env["BENCH_ROWS"] ?? 100_000);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 9);
const batch = 20_000;
const ask = freshAsk();
const scope: PredictionScope = {
  modelId: "eos3b5e" as ModelId,
  release: "v1",
  columns: [{ name: "mol_weight", type: "float" }],
};
const rows = makeRows(count);
const inputs = rows.map((row) => row.input);

const server = await startRedis({ unixSocket: true });
const client = new Redis(server.address);
const tier = createRedisTier({ url: server.url });
try {
  await tier.open(ask);
  const write = { ours: [] as number[], peer: [] as number[] };
  const read = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    await client.flushall();
    write.peer.push(await timed(bareWrite));
    await client.flushall();
    write.ours.push(await timed(() => tier.putMany(scope, rows, ask)));
    const steps = [
      async () => read.peer.push(await timed(bareRead)),
      async () => read.ours.push(await timed(ourRead)),
    ];
    for (const step of round % 2 === 0 ? steps : steps.toReversed()) await step();
  }
  report("redis look-up", read);
  report("redis write", write);
} finally {
  await tier.close();
  client.disconnect();
  await server.stop();
}

async function ourRead(): Promise<void> {
  let found = 0;
  for (let at = 0; at < count; at += batch)
    for (const row of await tier.getMany(scope, inputs.slice(at, at + batch), ask))
      if (row !== undefined) found++;
  if (found !== count) throw new Error(`found ${found} of ${count} rows`);
}

/** The ceiling: the same commands, nothing decoded. */
async function bareRead(): Promise<void> {
  let found = 0;
  await inFlight(16, 1000, async (from) => {
    const texts = await client.hmget("cache:eos3b5e", ...inputs.slice(from, from + 1000));
    for (const text of texts) if (text !== null) found++;
  });
  if (found !== count) throw new Error(`the client found ${found} of ${count} rows`);
}

async function bareWrite(): Promise<void> {
  await inFlight(8, 500, async (from) => {
    const flat = rows.slice(from, from + 500).flatMap((row) => [row.input, `["${row.values[0]}"]`]);
    await client.hset("bare", ...flat);
  });
}

async function inFlight(lanes: number, step: number, work: (from: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const from = next;
      next += step;
      await work(from);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/**
 * SMILES-like texts of 15 to 60 characters with weights summed as a toolkit sums them (most have few digits, some the
 * long tail of binary fractions), the same on every run.
 */
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
    return { input: `${input}${at.toString(36)}`, values: [weight(random)], provenance };
  });
}

function weight(random: () => number): number {
  let sum = 0;
  for (const mass of [12.011, 1.008, 14.007, 15.999]) sum += mass * Math.floor(random() * 20);
  return sum;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
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
      peerName: "bare ioredis",
    }),
  );
  console.log(`${bench}: ${rate(ours)} rows/s, bare ioredis ${rate(peer)} rows/s, ratio ${ratio}`);
}

function median(numbers: number[]): number {
  return numbers.toSorted((x, y) => x - y)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
