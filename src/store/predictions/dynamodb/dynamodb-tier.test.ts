import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DynamoServer, dynamoCredentials, startDynamo } from "../../../../test/servers/dynalite.ts";
import { type Ask, freshAsk, type ModelId } from "../../../kernel/index.ts";
import { createFolderStore } from "../../objects/index.ts";
import type { TierEvent } from "../events.ts";
import { guardTier } from "../guarded-tier.ts";
import { createParquetTier } from "../parquet/parquet-tier.ts";
import { inputAndValues, manyRows, predictionTierContract, row, scopeOf } from "../tier-contract.ts";
import { createDynamoTier } from "./dynamodb-tier.ts";
import { itemOf } from "./item.ts";

let server: DynamoServer;
beforeAll(async () => {
  server = await startDynamo();
});
afterAll(() => server.stop());

const ask: Ask = freshAsk();
const access = () => ({ endpoint: server.endpoint, credentials: dynamoCredentials });

predictionTierContract({
  name: "DynamoDB with Parquet in a folder",
  make: async () => {
    const folder = mkdtempSync(join(tmpdir(), "memoir-dynamo-"));
    const table = await server.createTable();
    const parquet = () => createParquetTier({ store: createFolderStore({ path: folder, durable: false }) });
    return {
      connect: () => createDynamoTier({ table, access: access(), parquet: parquet() }),
      persistent: true,
      dispose: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
});

async function alone(more: Partial<Parameters<typeof createDynamoTier>[0]> = {}) {
  const table = more.table ?? (await server.createTable());
  const tier = createDynamoTier({ table, access: access(), ...more });
  await tier.open(ask);
  return { tier, table };
}

describe("a DynamoDB table", () => {
  it("answers look-ups by itself, and refuses to be counted, sampled or read as a whole", async () => {
    const { tier } = await alone();
    const rows = manyRows(230);
    expect(await tier.putMany(scopeOf(), rows, ask)).toEqual({ stored: 230, alreadyThere: 0 });
    expect(await tier.putMany(scopeOf(), rows, ask)).toEqual({ stored: 0, alreadyThere: 230 });
    const answers = await tier.getMany(scopeOf(), ["input 7", "nothing", "input 229", "input 7"], ask);
    expect(answers.map((answer) => answer?.input)).toEqual(["input 7", undefined, "input 229", "input 7"]);
    for (const refused of [
      () => tier.count(scopeOf(), ask),
      () => tier.sample(scopeOf(), { count: 3, seed: "s" }, ask),
      () => tier.listScopes(ask),
      async () => {
        for await (const _ of tier.scan(scopeOf(), ask));
      },
    ])
      await expect(refused()).rejects.toMatchObject({ code: "STORE_TABLE_WITHOUT_FILES" });
    expect(await tier.drop(scopeOf(), ask)).toBe(230);
    expect(await tier.getMany(scopeOf(), ["input 7"], ask)).toEqual([undefined]);
    await tier.close();
  });

  it("takes an item of another input, or one that cannot be read, for a miss", async () => {
    const events: TierEvent[] = [];
    const { tier, table } = await alone({ onEvent: (event) => events.push(event) });
    const put = (changes: object, input: string) =>
      server.client.send(
        new PutItemCommand({
          TableName: table,
          Item: { ...itemOf(scopeOf(), row(input, 1, 1, "x"), undefined), ...changes },
        }),
      );
    await put({ i: { S: "somebody else" } }, "collision");
    await put({ v: { B: Buffer.from([9, 9, 9]) } }, "other format");
    await put({ v: { B: Buffer.alloc(4) } }, "cut");
    await put({ x: { N: "0" } }, "long ago");
    await put({}, "good");
    const inputs = ["collision", "other format", "cut", "long ago", "good"];
    const answers = await tier.getMany(scopeOf(), inputs, ask);
    expect(answers.map((answer) => answer?.values[2])).toEqual([
      ...[undefined, undefined, undefined, undefined, "x"],
    ]);
    expect(events).toEqual([
      { kind: "tier-rows-damaged", tier: tier.name, modelId: scopeOf().modelId, rows: 3 },
    ]);
    await tier.close();
  });

  it("no longer answers rows after their time, still stored or not, and writes them again", async () => {
    let now = Date.parse("2026-11-30T08:00:00Z");
    const { tier, table } = await alone({ keepMs: 3_600_000, now: () => now });
    await tier.putMany(scopeOf(), manyRows(1), ask);
    now += 3_599_000;
    expect((await tier.getMany(scopeOf(), ["input 0"], ask))[0]?.input).toBe("input 0");
    now += 2_000;
    expect(await tier.getMany(scopeOf(), ["input 0"], ask)).toEqual([undefined]);
    const stored = await server.client.send(new ScanCommand({ TableName: table }));
    expect(stored.Items?.map((item) => item["x"]?.N)).toEqual([
      String(Date.parse("2026-11-30T09:00:00Z") / 1000),
    ]);
    expect(await tier.putMany(scopeOf(), manyRows(1), ask)).toEqual({ stored: 1, alreadyThere: 0 });
    expect((await tier.getMany(scopeOf(), ["input 0"], ask))[0]?.input).toBe("input 0");
    await tier.close();
  });

  it("reports rows that no item can hold, and stores the others", async () => {
    const events: TierEvent[] = [];
    const { tier } = await alone({ onEvent: (event) => events.push(event) });
    const large = row("large", 1, 1, "x".repeat(400 * 1024));
    expect(await tier.putMany(scopeOf(), [large, row("small", 1, 1, "x")], ask)).toEqual({
      stored: 1,
      alreadyThere: 0,
    });
    expect(events).toMatchObject([{ kind: "tier-rows-not-storable", rows: 1 }]);
    await tier.close();
  });

  it("leaves other models' items of the same molecule alone when one model is dropped", async () => {
    const { tier } = await alone();
    const other = scopeOf({ modelId: "eos9zzz" as ModelId });
    await tier.putMany(scopeOf(), manyRows(40), ask);
    await tier.putMany(other, manyRows(40), ask);
    expect(await tier.drop(scopeOf(), ask)).toBe(40);
    expect((await tier.getMany(other, ["input 3"], ask)).map(inputAndValues)).toEqual(
      manyRows(40).slice(3, 4).map(inputAndValues),
    );
    await tier.close();
  });

  it("says what a load costs before anything is written", async () => {
    const { tier, table } = await alone();
    const guarded = guardTier(tier, { use: "required" });
    await tier.putMany(scopeOf(), manyRows(10), ask);
    const plan = await guarded.planPut(scopeOf(), manyRows(1000), ask);
    expect(plan).toMatchObject({ stored: 990, alreadyThere: 10 });
    // 990 writes of one unit and 1,000 look-ups of half a unit.
    expect(plan.price?.once).toBeCloseTo((990 * 0.625 + 500 * 0.125) / 1e6, 12);
    const stored = await server.client.send(new ScanCommand({ TableName: table, Select: "COUNT" }));
    expect(stored.Count).toBe(10);
    await tier.close();
  });

  it("looks up no row that it writes into an empty table, and each row otherwise", async () => {
    const proxy = await faultyProxy(server.endpoint, "never");
    const { tier } = await alone({ access: { ...access(), endpoint: proxy.endpoint } });
    const looks = () => proxy.operations.splice(0).filter((each) => each === "BatchGetItem").length;
    looks();
    expect(await tier.putMany(scopeOf(), manyRows(250), ask)).toEqual({ stored: 250, alreadyThere: 0 });
    expect(looks()).toBe(0);
    // Half of them are there already.
    const more = manyRows(400).slice(125);
    expect(await tier.putMany(scopeOf(), more, ask)).toEqual({ stored: 150, alreadyThere: 125 });
    expect(looks()).toBe(2);
    const other = createDynamoTier({
      table: tier.name.slice("dynamodb://".length),
      access: { ...access(), endpoint: proxy.endpoint },
    });
    await other.open(ask);
    looks();
    expect(await other.putMany(scopeOf(), manyRows(500), ask)).toEqual({ stored: 100, alreadyThere: 400 });
    expect(looks()).toBe(5);
    const answers = await other.getMany(scopeOf(), ["input 0", "input 499"], ask);
    expect(answers.map(inputAndValues)).toEqual([0, 499].map((at) => inputAndValues(manyRows(500)[at])));
    await Promise.all([tier.close(), other.close(), proxy.stop()]);
  });

  it("looks up no row that is new to the Parquet files, also in a table with rows, and each row otherwise", async () => {
    const proxy = await faultyProxy(server.endpoint, "never", "Scan");
    const folder = mkdtempSync(join(tmpdir(), "memoir-dynamo-"));
    const parquet = createParquetTier({ store: createFolderStore({ path: folder, durable: false }) });
    const { tier } = await alone({ access: { ...access(), endpoint: proxy.endpoint }, parquet });
    const looks = () => proxy.operations.splice(0).filter((each) => each === "BatchGetItem").length;
    await tier.putMany(scopeOf(), manyRows(250), ask);
    looks();
    const more = manyRows(500).slice(250);
    expect(await tier.putMany(scopeOf(), more, ask)).toEqual({ stored: 250, alreadyThere: 0 });
    expect(looks()).toBe(0);
    expect(await tier.putMany(scopeOf(), manyRows(510), ask)).toEqual({ stored: 10, alreadyThere: 500 });
    expect(looks()).toBe(6);
    const stored = await server.client.send(
      new ScanCommand({ TableName: /^dynamodb:\/\/([^?]+)/.exec(tier.name)?.[1], Select: "COUNT" }),
    );
    expect(stored.Count).toBe(510);
    await Promise.all([tier.close(), proxy.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("loads into a table with rows without a warning about listeners", async () => {
    const warnings: string[] = [];
    const listen = ({ name }: Error) => warnings.push(name);
    process.on("warning", listen);
    const { tier, table } = await alone();
    await tier.putMany(scopeOf(), manyRows(10), ask);
    const { tier: other } = await alone({ table });
    const fresh = freshAsk();
    expect(await other.putMany(scopeOf(), manyRows(2_500), fresh)).toMatchObject({ alreadyThere: 10 });
    await new Promise(setImmediate);
    process.off("warning", listen);
    expect(warnings.filter((name) => name.startsWith("MaxListeners"))).toEqual([]);
    await Promise.all([tier.close(), other.close()]);
  });

  it("stores rows also with a role that may not ask whether the table is empty", async () => {
    const proxy = await faultyProxy(server.endpoint, "never", "Scan");
    const { tier } = await alone({ access: { ...access(), endpoint: proxy.endpoint } });
    expect(await tier.putMany(scopeOf(), manyRows(130), ask)).toEqual({ stored: 130, alreadyThere: 0 });
    expect(await tier.putMany(scopeOf(), manyRows(130), ask)).toEqual({ stored: 0, alreadyThere: 130 });
    await Promise.all([tier.close(), proxy.stop()]);
  });

  it("sends every kind of text and byte as it is", async () => {
    const { tier } = await alone();
    const odd = {
      input: 'quote " backslash \\ \u0000 \u2028 é 🧪',
      values: ['\n\t"', Number.NaN, null] as const,
    };
    const scope = scopeOf({
      columns: [
        { name: "a", type: "string" },
        { name: "b", type: "float" },
        { name: "c", type: "integer" },
      ],
    });
    await tier.putMany(scope, [odd], ask);
    expect((await tier.getMany(scope, [odd.input], ask)).map(inputAndValues)).toEqual([inputAndValues(odd)]);
    await tier.close();
  });

  it("says that a table does not exist or has other keys when it is opened", async () => {
    const tier = createDynamoTier({ table: "no-such-table", access: access() });
    await expect(tier.open(ask)).rejects.toMatchObject({ code: "STORE_TABLE_NOT_USABLE" });
  });

  it("is unreachable, and not empty, where nothing listens", async () => {
    const tier = createDynamoTier({
      table: "predictions",
      access: { endpoint: "http://127.0.0.1:9", credentials: dynamoCredentials },
    });
    await expect(tier.open(ask)).rejects.toMatchObject({ code: "STORE_TIER_UNREACHABLE" });
  });
});

describe("a DynamoDB table behind a network that throttles", () => {
  it("finds and stores every row although batches are refused or done in part", async () => {
    const proxy = await faultyProxy(server.endpoint);
    const { tier, table } = await alone({ access: { ...access(), endpoint: proxy.endpoint } });
    const rows = manyRows(250);
    expect(await tier.putMany(scopeOf(), rows, ask)).toEqual({ stored: 250, alreadyThere: 0 });
    const inputs = rows.map((each) => each.input);
    const answers = await tier.getMany(scopeOf(), inputs, ask);
    expect(answers.map(inputAndValues)).toEqual(rows.map(inputAndValues));
    const direct = await alone({ table });
    expect((await direct.tier.getMany(scopeOf(), inputs, ask)).filter((each) => each)).toHaveLength(250);
    expect(proxy.faults).toMatchObject({ throttled: expect.any(Number), partly: expect.any(Number) });
    expect(proxy.faults.throttled).toBeGreaterThan(3);
    expect(proxy.faults.partly).toBeGreaterThan(3);
    await Promise.all([tier.close(), direct.tier.close(), proxy.stop()]);
  });

  it("gives up with an error, never with misses, when the table does nothing but throttle", async () => {
    const proxy = await faultyProxy(server.endpoint, "always");
    const { tier } = await alone();
    const throttled = createDynamoTier({
      table: tier.name.slice("dynamodb://".length),
      access: { ...access(), endpoint: proxy.endpoint },
    });
    const stop = new AbortController();
    const opening = throttled.open({ signal: stop.signal });
    await proxy.sawRequest;
    stop.abort();
    await expect(opening).rejects.toMatchObject({ code: "RUN_INTERRUPTED" });
    await Promise.all([tier.close(), throttled.close(), proxy.stop()]);
  });
});

/** Every third batch is throttled, every third done by half: what is left over is said to be unprocessed. */
async function faultyProxy(
  endpoint: string,
  throttles: "sometimes" | "always" | "never" = "sometimes",
  denied = "none",
) {
  const faults = { throttled: 0, partly: 0 };
  const operations: string[] = [];
  let saw = () => {};
  const sawRequest = new Promise<void>((done) => {
    saw = done;
  });
  let turn = 0;
  const proxy = createServer((incoming, outgoing) => {
    saw();
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { RequestItems?: Batch };
      const operation = String(incoming.headers["x-amz-target"]).replace(/.*\./u, "");
      operations.push(operation);
      if (operation === denied)
        return answer(outgoing, 400, {
          __type: "com.amazonaws.dynamodb.v20120810#AccessDeniedException",
          message: `not authorized to perform dynamodb:${denied}`,
        });
      const fault = throttles === "never" ? 0 : turn++ % 3;
      if (throttles === "always" || fault === 1) {
        faults.throttled++;
        return answer(outgoing, 400, {
          __type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
          message: "slow down",
        });
      }
      const { done, left } = fault === 2 ? halves(body.RequestItems) : { done: body.RequestItems, left: {} };
      if (Object.keys(left).length > 0) faults.partly++;
      const isRead = String(incoming.headers["x-amz-target"]).includes("BatchGet");
      const text = JSON.stringify(done === undefined ? body : { ...body, RequestItems: done });
      const headers = { ...incoming.headers, "content-length": String(Buffer.byteLength(text)) };
      request(endpoint, { method: "POST", headers }, (reply) => {
        const parts: Buffer[] = [];
        reply.on("data", (chunk: Buffer) => parts.push(chunk));
        reply.on("end", () => {
          const answered = JSON.parse(Buffer.concat(parts).toString()) as object;
          const unprocessed = { [isRead ? "UnprocessedKeys" : "UnprocessedItems"]: left };
          answer(
            outgoing,
            reply.statusCode ?? 500,
            done === undefined ? answered : { ...answered, ...unprocessed },
          );
        });
      }).end(text);
    });
  });
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
  return {
    endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    faults,
    operations,
    sawRequest,
    stop: async () => {
      proxy.closeAllConnections();
      await new Promise<void>((done) => proxy.close(() => done()));
    },
  };
}

type Batch = Record<string, { Keys: unknown[] } | unknown[]>;

function halves(batch: Batch | undefined): { done: Batch | undefined; left: Batch } {
  if (batch === undefined) return { done: undefined, left: {} };
  const [[table, of] = ["", []]] = Object.entries(batch);
  const all = Array.isArray(of) ? of : of.Keys;
  const middle = Math.ceil(all.length / 2);
  if (middle === all.length) return { done: batch, left: {} };
  const as = (items: unknown[]) => ({ [table]: Array.isArray(of) ? items : { Keys: items } });
  return { done: as(all.slice(0, middle)), left: as(all.slice(middle)) };
}

function answer(outgoing: ServerResponse, status: number, body: object): void {
  outgoing.writeHead(status, { "content-type": "application/x-amz-json-1.0" });
  outgoing.end(JSON.stringify(body));
}
