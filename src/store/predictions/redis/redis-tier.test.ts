import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RedisServer, redisRequirement, startRedis } from "../../../../test/servers/redis.ts";
import { describeWith } from "../../../../test/servers/requirement.ts";
import { freshAsk, type ModelId } from "../../../kernel/index.ts";
import type { PredictionScope } from "../../../task/index.ts";
import type { TierEvent } from "../events.ts";
import type { PredictionTier } from "../tier.ts";
import { collect, manyRows, predictionTierContract, row, scopeOf } from "../tier-contract.ts";
import { createRedisTier, type RedisTierOptions } from "./redis-tier.ts";

const ask = freshAsk();
const weight: PredictionScope = {
  modelId: "eos3b5e" as ModelId,
  release: "v1",
  columns: [{ name: "mol_weight", type: "float" }],
};

describeWith([redisRequirement], "with a Redis server", () => {
  let server: RedisServer;
  let raw: Redis;
  beforeAll(async () => {
    server = await startRedis({ unixSocket: true });
    raw = new Redis(server.address);
  });
  afterAll(async () => {
    raw.disconnect();
    await server.stop();
  });

  predictionTierContract({
    name: "Redis tier",
    make: async () => ({
      connect: () => createRedisTier({ url: server.url }),
      persistent: true,
      dispose: async () => void (await raw.flushall()),
    }),
  });

  describe("the Redis tier next to Ersilia", () => {
    let events: TierEvent[] = [];
    let opened: PredictionTier[] = [];
    const connect = async (options: Partial<RedisTierOptions> = {}): Promise<PredictionTier> => {
      const tier = createRedisTier({ url: server.url, onEvent: (event) => events.push(event), ...options });
      opened.push(tier);
      await tier.open(ask);
      return tier;
    };
    /** As ersilia-pack writes: texts of CSV cells, Python's JSON, seven days to live. */
    const asErsilia = async (
      model: string,
      header: readonly string[],
      rows: Record<string, readonly string[]>,
    ) => {
      await raw.setex(`${model}:header`, 604_800, pythonJson(header));
      for (const [input, cells] of Object.entries(rows))
        await raw.hset(`cache:${model}`, input, pythonJson(cells));
      await raw.expire(`cache:${model}`, 604_800);
    };
    beforeEach(() => {
      events = [];
      opened = [];
    });
    afterEach(async () => {
      await Promise.all(opened.map((tier) => tier.close()));
      await raw.flushall();
    });

    it("reads what Ersilia wrote on the spot, typed by the model's columns", async () => {
      await asErsilia("eos3b5e", ["mol_weight"], { CCO: ["46.069"], CCC: ["44.096999999999994"] });
      const tier = await connect();
      const answers = await tier.getMany(weight, ["CCC", "OCC", "CCO"], ask);
      expect(answers.map((answer) => answer?.values)).toEqual([[44.096999999999994], undefined, [46.069]]);
      expect(answers[0]?.provenance).toBeUndefined();
      expect(await tier.count(weight, ask)).toBe(2);
      expect((await tier.sample(weight, { count: 5, seed: "s" }, ask)).length).toBe(2);
      expect(events).toEqual([]);
    });

    it("writes what Ersilia can read: JSON arrays of CSV texts under its own names, and no time to live", async () => {
      const tier = await connect();
      await tier.putMany(
        weight,
        [row("CCO", 46.069), row("CCC", 44.096999999999994), row("N", 17), row("X", null)],
        ask,
      );
      expect(JSON.parse((await raw.get("eos3b5e:header")) ?? "")).toEqual(["mol_weight"]);
      const stored = await raw.hgetall("cache:eos3b5e");
      expect(Object.fromEntries(Object.entries(stored).map(([k, v]) => [k, JSON.parse(v)]))).toEqual({
        CCO: ["46.069"],
        CCC: ["44.096999999999994"],
        N: ["17.0"],
        X: [""],
      });
      expect(await raw.ttl("cache:eos3b5e")).toBe(-1);
      expect(await raw.ttl("eos3b5e:header")).toBe(-1);
    });

    it("renews the time to live that Ersilia gave, as Ersilia's own writes do", async () => {
      await asErsilia("eos3b5e", ["mol_weight"], { CCO: ["46.069"] });
      await raw.expire("cache:eos3b5e", 100);
      await raw.expire("eos3b5e:header", 100);
      const tier = await connect();
      await tier.putMany(weight, [row("CCC", 44.1)], ask);
      expect(await raw.ttl("cache:eos3b5e")).toBeGreaterThan(604_000);
      expect(await raw.ttl("eos3b5e:header")).toBeGreaterThan(604_000);
    });

    it("keeps texts texts and numbers numbers, whatever they look like", async () => {
      const scope = scopeOf({ modelId: "eos4mix" as ModelId });
      await asErsilia("eos4mix", ["weight", "rings", "label"], {
        a: ["1e5", "3", "1e5"],
        b: ["", "", "nan"],
        c: ["inf", "3.0", ""],
        d: ["abc", "3", "x"],
        e: ["1.5", "3.5", "x"],
        f: ["0x10", "3", "x"],
        g: ["1.5", "9007199254740993", "x"],
      });
      const tier = await connect();
      const answers = await tier.getMany(scope, ["a", "b", "c", "d", "e", "f", "g"], ask);
      expect(answers.map((answer) => answer?.values)).toEqual([
        [100000, 3, "1e5"],
        [null, null, "nan"],
        [Number.POSITIVE_INFINITY, 3, ""],
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
    });

    it("takes the empty results that Ersilia keeps of failures as missing", async () => {
      await asErsilia("eos3b5e", ["mol_weight"], { bad: [""], CCO: ["46.069"] });
      await asErsilia("eos4mix", ["weight", "rings", "label"], { bad: ["", "", ""] });
      const tier = await connect();
      expect(await tier.getMany(weight, ["bad"], ask)).toEqual([undefined]);
      expect(await tier.getMany(scopeOf({ modelId: "eos4mix" as ModelId }), ["bad"], ask)).toEqual([
        undefined,
      ]);
      expect(await tier.count(weight, ask)).toBe(1);
    });

    it("matches columns by name: another order is put right, other names or numbers make every row a miss", async () => {
      const scope = scopeOf({ modelId: "eos4mix" as ModelId });
      await asErsilia("eos4mix", ["label", "weight", "rings"], { CCO: ["ethanol", "46.069", "0"] });
      const tier = await connect();
      expect((await tier.getMany(scope, ["CCO"], ask))[0]?.values).toEqual([46.069, 0, "ethanol"]);
      for (const header of [
        ["weight", "rings"],
        ["weight", "rings", "name"],
        ["weight", "rings", "label", "x"],
      ]) {
        await asErsilia("eos4mix", header, { CCO: header.map(() => "1") });
        const fresh = await connect();
        events = [];
        expect(await fresh.getMany(scope, ["CCO"], ask)).toEqual([undefined]);
        expect(await collect(fresh, scope, ask)).toEqual([]);
        expect(events).toEqual([
          {
            kind: "tier-header-mismatch",
            tier: fresh.name,
            modelId: "eos4mix",
            expected: ["weight", "rings", "label"],
            found: header,
            rows: "not-used",
          },
        ]);
      }
    });

    it("does not use Ersilia's rows when their header is missing, and never gives them one", async () => {
      await raw.hset("cache:eos3b5e", "CCO", '["46.069"]');
      const tier = await connect();
      expect(await tier.getMany(weight, ["CCO"], ask)).toEqual([undefined]);
      await tier.putMany(weight, [row("CCC", 44.1)], ask);
      expect(await raw.get("eos3b5e:header")).toBeNull();
      expect((await tier.getMany(weight, ["CCO", "CCC"], ask)).map((answer) => answer?.values)).toEqual([
        undefined,
        [44.1],
      ]);
    });

    it("reads them by position on request: as many cells as the model has columns, and a warning", async () => {
      const two = scopeOf({
        columns: [
          { name: "a", type: "float" },
          { name: "b", type: "string" },
        ],
      });
      const key = `cache:${two.modelId}`;
      await raw.hset(
        key,
        "CCO",
        '["0.5", "x"]',
        "CCC",
        '["0.5"]',
        "C",
        '["0.5", "x", "1"]',
        "N",
        '["x", "0.5"]',
      );
      await raw.hset(key, "O", '["", ""]');
      const tier = await connect({ ersiliaRows: "positional" });
      const answers = await tier.getMany(two, ["CCO", "CCC", "C", "N", "O"], ask);
      expect(answers.map((answer) => answer?.values)).toEqual([
        [0.5, "x"],
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
      expect(events).toMatchObject([{ kind: "tier-header-mismatch", found: undefined, rows: "by-position" }]);
      expect(await collect(tier, two, ask)).toHaveLength(1);
      // With a header that names other columns nothing is read by position.
      await raw.set(`${two.modelId}:header`, '["p", "q"]');
      expect(await tier.getMany(two, ["CCO"], ask)).toEqual([undefined]);
    });

    it("keeps working, and Ersilia's rows whole, when the header belongs to other columns", async () => {
      await asErsilia("eos3b5e", ["other"], { CCO: ["1"] });
      const tier = await connect();
      await tier.putMany(weight, [row("CCO", 46.069)], ask);
      expect((await tier.getMany(weight, ["CCO"], ask))[0]?.values).toEqual([46.069]);
      expect(await raw.hgetall("cache:eos3b5e")).toEqual({ CCO: '["1"]' });
      expect(JSON.parse((await raw.get("eos3b5e:header")) ?? "")).toEqual(["other"]);
    });

    it("shows Ersilia one release only, and takes its marked rows for no other release", async () => {
      const tier = await connect();
      const second = { ...weight, release: "v2" };
      await tier.putMany(weight, [row("CCO", 1), row("only v1", 1)], ask);
      await tier.putMany(second, [row("CCO", 2)], ask);
      expect(JSON.parse((await raw.hget("cache:eos3b5e", "CCO")) ?? "")).toEqual(["1.0"]);
      expect((await tier.getMany(second, ["CCO", "only v1"], ask)).map((answer) => answer?.values)).toEqual([
        [2],
        undefined,
      ]);
      await tier.drop(weight, ask);
      await tier.putMany(second, [row("CCC", 3)], ask);
      expect(JSON.parse((await raw.hget("cache:eos3b5e", "CCC")) ?? "")).toEqual(["3.0"]);
      expect(await tier.count(second, ask)).toBe(2);
    });

    it("lets Ersilia write a row again, which is then Ersilia's", async () => {
      const tier = await connect();
      const provenance = { runner: "builtin" };
      await tier.putMany(weight, [{ ...row("CCO", 1), provenance }], ask);
      await raw.hset("cache:eos3b5e", "CCO", '["2.5"]');
      const [answer] = await tier.getMany(weight, ["CCO"], ask);
      expect(answer).toEqual({ input: "CCO", values: [2.5] });
    });

    it("refuses rows of unknown release on request", async () => {
      await asErsilia("eos3b5e", ["mol_weight"], { CCO: ["46.069"] });
      const tier = await connect({ ersiliaRows: "refuse" });
      expect(await tier.getMany(weight, ["CCO"], ask)).toEqual([undefined]);
      expect(await tier.count(weight, ask)).toBe(0);
      expect((await tier.putMany(weight, [row("CCO", 46.069)], ask)).stored).toBe(1);
      expect((await tier.getMany(weight, ["CCO"], ask))[0]?.values).toEqual([46.069]);
    });

    it("drops what Memoir stored and leaves what Ersilia stored", async () => {
      await asErsilia("eos3b5e", ["mol_weight"], { CCO: ["46.069"] });
      const tier = await connect();
      await tier.putMany(weight, manyWeights(1200), ask);
      expect(await tier.count(weight, ask)).toBe(1201);
      expect(await tier.drop(weight, ask)).toBe(1200);
      expect(await raw.hgetall("cache:eos3b5e")).toEqual({ CCO: '["46.069"]' });
      expect(await raw.keys("memoir:*:rows")).toEqual([]);
    });

    it("delivers a row once when both Ersilia's hash and its own have it", async () => {
      await asErsilia("eos3b5e", ["other"], { x: ["1"] });
      const tier = await connect();
      await tier.putMany(weight, [row("CCO", 46.069), row("own", 1)], ask);
      await raw.del("cache:eos3b5e");
      await asErsilia("eos3b5e", ["mol_weight"], { CCO: ["45"], theirs: ["2"] });
      const rows = await collect(tier, weight, ask);
      expect(rows.map((each) => each.input).toSorted()).toEqual(["CCO", "own", "theirs"]);
      expect(rows.find((each) => each.input === "CCO")?.values).toEqual([46.069]);
    });

    it("takes rows older than the age limit and rows of unknown age as missing, and drops the old ones", async () => {
      let now = Date.parse("2026-01-01T00:00:00Z");
      const tier = await connect({ expireAfterMs: 60_000, now: () => now });
      await asErsilia("eos3b5e", ["mol_weight"], { ageless: ["1"] });
      await tier.putMany(weight, [row("old", 1)], ask);
      now += 45_000;
      await tier.putMany(weight, [row("young", 2)], ask);
      now += 30_000;
      const answers = await tier.getMany(weight, ["old", "young", "ageless"], ask);
      expect(answers.map((answer) => answer?.input)).toEqual([undefined, "young", undefined]);
      expect((await raw.hkeys("cache:eos3b5e")).toSorted()).toEqual(["ageless", "young"]);
    });

    it("keeps several processes' rows of one model apart from a second model's", async () => {
      const [a, b] = [await connect(), await connect()];
      const other = { ...weight, modelId: "eos9ei3" as ModelId };
      await Promise.all([
        a.putMany(weight, manyWeights(3000), ask),
        b.putMany(weight, manyWeights(2000), ask),
        b.putMany(other, manyWeights(10), ask),
      ]);
      expect([await a.count(weight, ask), await a.count(other, ask)]).toEqual([3000, 10]);
    });

    it("finds provenance again after another tier wrote it, and answers without it when its note was evicted", async () => {
      const provenance = { computedAt: "2026-01-01T00:00:00.000Z", runner: "script" };
      await (await connect()).putMany(weight, [{ ...row("CCO", 1), provenance }], ask);
      expect((await (await connect()).getMany(weight, ["CCO"], ask))[0]?.provenance).toEqual(provenance);
      await raw.del("memoir:eos3b5e:origins");
      expect((await (await connect()).getMany(weight, ["CCO"], ask))[0]).toEqual(row("CCO", 1));
    });

    it("says that a key of another type is damaged instead of answering", async () => {
      await raw.set("cache:eos3b5e", "text");
      await raw.set("eos3b5e:header", '["mol_weight"]');
      const tier = await connect();
      await expect(tier.getMany(weight, ["CCO"], ask)).rejects.toMatchObject({ code: "STORE_TIER_DAMAGED" });
    });

    it("counts values that are not rows as damaged misses", async () => {
      const tier = await connect();
      await tier.putMany(weight, [row("CCO", 1), row("CCC", 2)], ask);
      const text = (await raw.hget("cache:eos3b5e", "CCO")) ?? "";
      await raw.hset("cache:eos3b5e", "CCO", text.replace('"1.0"', '"1.0'));
      expect((await tier.getMany(weight, ["CCO", "CCC"], ask)).map((each) => each?.input)).toEqual([
        undefined,
        "CCC",
      ]);
      expect(events).toEqual([{ kind: "tier-rows-damaged", tier: tier.name, modelId: "eos3b5e", rows: 1 }]);
    });
  });
});

describeWith([redisRequirement], "Redis servers of every kind", () => {
  async function withServer(
    options: Parameters<typeof startRedis>[0],
    test: (server: RedisServer) => Promise<void>,
  ): Promise<void> {
    const server = await startRedis(options);
    try {
      await test(server);
    } finally {
      await server.stop();
    }
  }
  async function works(url: string): Promise<void> {
    const tier = createRedisTier({ url });
    try {
      await tier.open(ask);
      await tier.putMany(weight, [row("CCO", 46.069)], ask);
      expect((await tier.getMany(weight, ["CCO"], ask))[0]?.values).toEqual([46.069]);
    } finally {
      await tier.close();
    }
  }

  it("are reached over TCP with a password and another database", () =>
    withServer({ password: "s3cret" }, async (server) => {
      await works(server.url);
      await works(server.url.replace(/\/0$/, "/3"));
      const raw = new Redis(server.url);
      expect([await raw.dbsize(), await raw.select(3), await raw.dbsize()]).toEqual([3, "OK", 3]);
      raw.disconnect();
    }));

  it("are reached over a socket with a password and a database", () =>
    withServer({ unixSocket: true, password: "p@ss/word" }, async (server) => works(`${server.url}?db=2`)));

  it("are reached over TLS with a private certificate authority, and refused without it", () =>
    withServer({ tls: true, password: "s3cret" }, async (server) => {
      await works(server.url);
      const tier = createRedisTier({ url: server.url.replace(/\?.*/, "") });
      await expect(tier.open(ask)).rejects.toMatchObject({ code: "STORE_TIER_UNREACHABLE" });
    }));

  it("refuse a wrong password in words that hold no secret", () =>
    withServer({ password: "right" }, async (server) => {
      for (const url of [server.url.replace("right", "wr0ng"), server.url.replace(":right@", "")]) {
        const error: unknown = await createRedisTier({ url })
          .open(ask)
          .catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "STORE_TIER_REFUSED" });
        expect(String(error)).not.toMatch(/wr0ng|right/);
      }
    }));

  it("are never used by another name than the user's, with or without a password", () =>
    withServer(
      { config: ["user reader on nopass ~* +@all", "user gone off >s3cret ~* +@all"] },
      async (server) => {
        await works(server.url.replace("//", "//reader@"));
        for (const login of ["nobody@", "nobody:s3cret@", "gone:s3cret@", ":s3cret@"]) {
          const tier = createRedisTier({ url: server.url.replace("//", `//${login}`) });
          await expect(tier.open(ask)).rejects.toMatchObject({ code: "STORE_TIER_REFUSED" });
        }
      },
    ));

  it("that lack the database are refused by its name, and never used with another one", () =>
    withServer({}, async (server) => {
      const tier = createRedisTier({ url: server.url.replace(/\/0$/, "/99") });
      const refused = {
        code: "STORE_TIER_REFUSED",
        message: expect.stringMatching(/database 99.*DB index is out of range/),
      };
      await expect(tier.open(ask)).rejects.toMatchObject(refused);
      await expect(tier.putMany(weight, [row("CCO", 1)], ask)).rejects.toMatchObject(refused);
      await expect(tier.getMany(weight, ["CCO"], ask)).rejects.toMatchObject(refused);
      const raw = new Redis(server.url);
      expect(await raw.dbsize()).toBe(0);
      raw.disconnect();
    }));

  it("that lose the database while they are away are refused from then on", () =>
    withServer({}, async (server) => {
      const tier = createRedisTier({ url: server.url.replace(/\/0$/, "/5") });
      await tier.open(ask);
      await tier.putMany(weight, [row("CCO", 1)], ask);
      await server.restart(["databases 2"]);
      const refused = { code: "STORE_TIER_REFUSED" };
      // The first call may still meet the broken connection.
      await tier.getMany(weight, ["CCO"], ask).catch(() => undefined);
      await expect(tier.getMany(weight, ["CCO"], ask)).rejects.toMatchObject(refused);
      await expect(tier.putMany(weight, [row("CCO", 1)], ask)).rejects.toMatchObject(refused);
      const raw = new Redis(server.url);
      expect(await raw.dbsize()).toBe(0);
      raw.disconnect();
      await tier.close();
    }));

  it("that are nodes of a cluster have database 0 only, and are refused for keys of other nodes", () =>
    withServer({ config: ["cluster-enabled yes"] }, async (server) => {
      const refused = { code: "STORE_TIER_REFUSED", message: expect.stringContaining("database 1") };
      await expect(
        createRedisTier({ url: server.url.replace(/\/0$/, "/1") }).open(ask),
      ).rejects.toMatchObject(refused);
    }));

  it("report that they are full, and continue to answer", () =>
    withServer({ unixSocket: true, config: ["maxmemory-policy noeviction"] }, async (server) => {
      const tier = createRedisTier({ url: server.url });
      await tier.open(ask);
      await tier.putMany(weight, manyWeights(10), ask);
      const admin = new Redis(server.address);
      await admin.config("SET", "maxmemory", "1");
      admin.disconnect();
      await expect(tier.putMany(weight, [row("CCO", 1)], ask)).rejects.toMatchObject({
        code: "STORE_TIER_FULL",
      });
      expect((await tier.getMany(weight, ["input 3"], ask))[0]?.values).toEqual([3 / 7]);
      await tier.close();
    }));

  it("that are down or silent are said to be unreachable, and are used again once they are back", () =>
    withServer({ unixSocket: true }, async (server) => {
      const tier = createRedisTier({ url: server.url });
      await tier.open(ask);
      await tier.putMany(weight, [row("CCO", 1)], ask);
      const unreachable = { code: "STORE_TIER_UNREACHABLE" };
      server.freeze();
      await expect(tier.getMany(weight, ["CCO"], ask)).rejects.toMatchObject(unreachable);
      await expect(tier.getMany(weight, ["CCO"], ask)).rejects.toMatchObject(unreachable);
      server.thaw();
      expect((await tier.getMany(weight, ["CCO"], ask))[0]?.values).toEqual([1]);
      await server.kill();
      await expect(tier.getMany(weight, ["CCO"], ask)).rejects.toMatchObject(unreachable);
      await server.restart();
      expect(await tier.getMany(weight, ["CCO"], ask)).toEqual([undefined]);
      await tier.close();
    }));
});

function manyWeights(count: number) {
  return manyRows(count).map((each) => ({ input: each.input, values: [each.values[0] ?? null] }));
}

/** Python's json.dumps puts a blank behind each comma and escapes everything beyond ASCII. */
function pythonJson(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(", ")}]`;
}
