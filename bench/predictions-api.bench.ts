/**
 * Look-ups through `/v1` against the tier behind it, in the same process: one of 1,000 inputs, and 100,000 of them, over
 * the embedded store, Redis and S3. And a load into an empty DynamoDB table and look-ups in it against its client alone;
 * the server is in this process, so its time counts on both sides. `ratio` is rows/s of ours divided by the peer's.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BatchGetItemCommand, BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createRouter, listen } from "../src/http/index.ts";
import { createJobs } from "../src/jobs/index.ts";
import { freshAsk, type ModelId } from "../src/kernel/index.ts";
import { openObjectStore } from "../src/store/objects/index.ts";
import { itemOf, keyOf, sortKeyOf } from "../src/store/predictions/dynamodb/item.ts";
import {
  createDynamoTier,
  createEmbeddedTier,
  createParquetTier,
  createRedisTier,
  createRemoteTier,
  type PredictionTier,
} from "../src/store/predictions/index.ts";
import type { PredictionScope } from "../src/task/index.ts";
import { dynamoCredentials, startDynamo } from "../test/servers/dynalite.ts";
import { startRedis } from "../test/servers/redis.ts";
import { missingOf } from "../test/servers/requirement.ts";
import { makeBucket, s3Requirement, startS3 } from "../test/servers/s3.ts";

const count = Number(process.env["BENCH_ROWS"] ?? 100_000);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 5);
const ask = freshAsk();
const scope: PredictionScope = {
  modelId: "eos3b5e" as ModelId,
  release: "v1",
  columns: [{ name: "mol_weight", type: "float" }],
};
const rows = Array.from({ length: count }, (_, at) => ({
  input: `CC(C)C${"C".repeat(at % 20)}N${at}`,
  values: [at / 7],
}));
/** In an order that is not that of the files. */
const inputs = rows.map((_, at) => rows[(at * 7_919 + 13) % count]?.input ?? "");
const folder = mkdtempSync(join(tmpdir(), "memoir-api-bench-"));
const say = (line: string) => console.error(line);

try {
  await measure("embedded", createEmbeddedTier({ folder: join(folder, "embedded") }));
  const redis = await startRedis({});
  await measure("redis", createRedisTier({ url: redis.url }));
  await redis.stop();
  const missing = missingOf(s3Requirement);
  if (missing !== undefined) say(`S3 not measured: ${missing}`);
  else {
    const s3 = await startS3();
    const bucket = await makeBucket(s3, "bench");
    const access = { endpoint: s3.endpoint, region: s3.region, credentials: s3 };
    await measure("S3", createParquetTier({ store: openObjectStore(`s3://${bucket}/x`, { s3: access }) }));
    await s3.stop();
  }
  await load();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(name: string, tier: PredictionTier): Promise<void> {
  await tier.open(ask);
  await tier.putMany(scope, rows, ask);
  const jobs = createJobs({
    served: { tier, models: async () => [], jobsFolder: join(folder, `jobs of ${name}`) },
    ...{ keys: [], openAccount: "000000000000", region: "us-east-1", now: () => new Date() },
  });
  const listening = await listen(
    createRouter([jobs], () => {}),
    { host: "127.0.0.1", port: 0 },
  );
  const api = createRemoteTier({ url: `http://127.0.0.1:${listening.port}` });
  // Compiled code on both sides.
  for (let round = 0; round < 3; round++) await lookUp(api, inputs.slice(0, 10_000));
  for (const size of [1_000, count]) {
    const asked = inputs.slice(0, size);
    const ours: number[] = [];
    const peer: number[] = [];
    // A few milliseconds each: on a busy machine most of them wait for their turn.
    const times = size < count ? 20 * rounds : rounds;
    for (let round = 0; round < times; round++) {
      const steps = [
        async () => ours.push(await timed(() => lookUp(api, asked))),
        async () => peer.push(await timed(() => lookUp(tier, asked))),
      ];
      for (const step of round % 2 === 0 ? steps : steps.toReversed()) await step();
    }
    report(`${size} look-ups through the API against ${name}`, size, ours, peer);
  }
  await api.close();
  await listening.close();
  await jobs.close();
  await tier.close();
}

async function lookUp(tier: PredictionTier, asked: readonly string[]): Promise<void> {
  const found = await tier.getMany(scope, asked, ask);
  if (found.some((row, at) => row?.input !== asked[at])) throw new Error("a wrong answer");
}

/** New rows each time: rows that exist are not written again. */
async function load(): Promise<void> {
  const size = Math.min(count, 10_000);
  const server = await startDynamo();
  const client = new DynamoDBClient({
    ...{ endpoint: server.endpoint, region: "us-east-1", credentials: dynamoCredentials },
  });
  const ours: number[] = [];
  const peer: number[] = [];
  const ourLooks: number[] = [];
  const peerLooks: number[] = [];
  const loaded = new Set(rows.slice(0, size).map((row) => row.input));
  const asked = inputs.filter((input) => loaded.has(input));
  for (let round = 0; round < rounds; round++) {
    const [mine, theirs] = [await server.createTable(), await server.createTable()];
    const tier = createDynamoTier({
      table: mine,
      access: { endpoint: server.endpoint, credentials: dynamoCredentials },
    });
    await tier.open(ask);
    const steps = [
      async () => ours.push(await timed(() => tier.putMany(scope, rows.slice(0, size), ask))),
      async () => peer.push(await timed(() => clientAlone(client, theirs, size))),
    ];
    for (const step of round % 2 === 0 ? steps : steps.toReversed()) await step();
    const looks = [
      async () => ourLooks.push(await timed(() => lookUp(tier, asked))),
      async () => peerLooks.push(await timed(() => clientLooks(client, theirs, asked))),
    ];
    for (const step of round % 2 === 0 ? looks : looks.toReversed()) await step();
    await tier.close();
  }
  report("look-ups in DynamoDB against its client alone", size, ourLooks, peerLooks);
  report("load into DynamoDB against its client alone", size, ours, peer);
  client.destroy();
  await server.stop();
}

/** Batches of 25, eight at a time; what is there is not read first. */
async function clientAlone(client: DynamoDBClient, table: string, size: number): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < size) {
      const at = next;
      next += 25;
      const items = rows.slice(at, Math.min(at + 25, size)).map((row) => itemOf(scope, row, undefined));
      const requests = items.map((Item) => ({ PutRequest: { Item } }));
      await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

/** Batches of 100, eight at a time; answers are taken as they come. */
async function clientLooks(client: DynamoDBClient, table: string, asked: readonly string[]): Promise<void> {
  const m = { S: sortKeyOf(scope) };
  let next = 0;
  const work = async () => {
    while (next < asked.length) {
      const at = next;
      next += 100;
      const Keys = asked.slice(at, at + 100).map((input) => ({ k: { B: keyOf(input) }, m }));
      await client.send(new BatchGetItemCommand({ RequestItems: { [table]: { Keys } } }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

function report(bench: string, size: number, ours: readonly number[], peer: readonly number[]): void {
  const rate = (seconds: readonly number[]) => Math.round(size / (seconds.toSorted((a, b) => a - b)[0] ?? 1));
  const [mine, theirs] = [rate(ours), rate(peer)];
  const ratio = Number((mine / theirs).toFixed(3));
  console.log(JSON.stringify({ bench, ratio, ours: mine, peer: theirs, unit: "rows/s" }));
}
