/** Looking after stored predictions: stats, copy, import, drop, compact. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshAsk, type ModelId } from "../../src/kernel/index.ts";
import { openObjectStore } from "../../src/store/objects/index.ts";
import {
  createEmbeddedTier,
  createParquetTier,
  type PredictionTier,
} from "../../src/store/predictions/index.ts";
import { redisRequirement, startRedis } from "../servers/redis.ts";
import { describeWith } from "../servers/requirement.ts";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
});
afterAll(() => box.remove());

interface Stats {
  readonly rows: readonly { readonly model: string; readonly local?: number; readonly cloud?: number }[];
  readonly problems: readonly string[];
}

it("stats counts what is there; copy fills the other cache once; drop asks before it deletes", async () => {
  expect((await box.json<Stats>("predictions", "stats")).rows).toEqual([]);
  await box.write("known.csv", "input,mol_weight\nCCO,1\nCCC,2\nbad,\n");
  expect(await box.json("predictions", "import", "molecular-weight", "known.csv")).toMatchObject({
    stored: 2,
    skipped: 1,
  });
  expect(await box.json("predictions", "copy", "eos3b5e", "--from", "local")).toMatchObject({
    read: 2,
    stored: 2,
  });
  const again = await box.json("predictions", "copy", "eos3b5e", "--from", "local");
  expect(again).toMatchObject({ read: 2, stored: 0, alreadyThere: 2 });
  const [row] = (await box.json<Stats>("predictions", "stats")).rows;
  expect(row).toMatchObject({ model: "eos3b5e", local: 2, cloud: 2 });

  const dry = await box.run("predictions", "drop", "eos3b5e", "--from", "local");
  expect(dry.out).toContain("would delete 2 rows of eos3b5e");
  expect(await box.json("predictions", "drop", "eos3b5e", "--from", "local", "--yes")).toMatchObject({
    rows: 2,
    deleted: true,
  });
  expect((await box.json<Stats>("predictions", "stats", "eos3b5e")).rows[0]).toMatchObject({
    local: 0,
    cloud: 2,
  });
  expect(await box.json("predictions", "copy", "eos3b5e", "--from", "cloud")).toMatchObject({ stored: 2 });
});

describe("rows that no model here will ever answer with", () => {
  const release = "v0.9.0";
  /** Rows of an older release, as an older Memoir left them. */
  async function storeOld(tier: PredictionTier, name: string): Promise<void> {
    const scope = {
      modelId: "eos3b5e" as ModelId,
      release: name === "mw" ? "v1.0.0" : release,
      columns: [{ name, type: "float" as const }],
    };
    await tier.open(freshAsk());
    await tier.putMany(
      scope,
      [
        { input: "CCO", values: [1] },
        { input: "CCC", values: [2] },
      ],
      freshAsk(),
    );
    await tier.close();
  }
  const tiersOf = (name: string) => [
    createEmbeddedTier({ folder: box.path(`${name}-local`) }),
    createParquetTier({ store: openObjectStore(box.path(`${name}-cloud`), {}) }),
  ];

  it("are listed by stats, and dropped by release or all at once", async () => {
    const where = ["--local", box.path("stale-local"), "--cloud", box.path("stale-cloud")];
    await box.write("now.csv", "input,mol_weight\nCCO,46\n");
    for (const into of ["local", "cloud"])
      await box.json("predictions", "import", "eos3b5e", "now.csv", "--into", into, ...where);
    for (const tier of tiersOf("stale")) await storeOld(tier, "mol_weight");
    for (const tier of tiersOf("stale")) await storeOld(tier, "mw");
    const { rows } = await box.json<{ rows: readonly unknown[] }>("predictions", "stats", ...where);
    expect(rows).toEqual([
      { model: "eos3b5e", release: "v1.0.0", state: "current", local: 1, cloud: 1 },
      { model: "eos3b5e", release, state: "other-release", local: 2, cloud: 2 },
      { model: "eos3b5e", release: "v1.0.0", state: "other-columns", local: 2, cloud: 2 },
    ]);
    const shown = await box.run("predictions", "stats", ...where);
    expect(shown.out).toMatch(/eos3b5e +v0\.9\.0 +2 +2 +stale: another release/);
    for (const from of ["local", "cloud"]) {
      const words = ["predictions", "drop", "molecular-weight", "--from", from, ...where];
      expect(await box.json(...words, "--release", release, "--yes")).toMatchObject({
        rows: 2,
        releases: [release],
      });
      expect(await box.json(...words, "--stale")).toMatchObject({ rows: 2, deleted: false });
      expect(await box.json(...words, "--stale", "--yes")).toMatchObject({ rows: 2, deleted: true });
    }
    expect(await box.json("predictions", "stats", ...where)).toMatchObject({
      rows: [{ state: "current", local: 1, cloud: 1 }],
    });
  });

  it("can be of a model that is not installed", async () => {
    const folder = box.path("orphan-local");
    const tier = createEmbeddedTier({ folder });
    await tier.open(freshAsk());
    const scope = {
      modelId: "eos9zzz" as ModelId,
      release: "v1",
      columns: [{ name: "x", type: "float" as const }],
    };
    await tier.putMany(scope, [{ input: "CCO", values: [1] }], freshAsk());
    await tier.close();
    const stats = await box.json("predictions", "stats", "eos9zzz", "--local", folder);
    expect(stats).toMatchObject({ rows: [{ model: "eos9zzz", release: "v1", state: "no-model", local: 1 }] });
    const unclear = await box.run("predictions", "drop", "eos9zzz", "--from", "local", "--local", folder);
    expect(unclear.err).toContain("--release or --stale");
    const drop = ["predictions", "drop", "eos9zzz", "--from", "local", "--local", folder, "--stale", "--yes"];
    expect(await box.json(...drop)).toMatchObject({ rows: 1, releases: ["v1"] });
  });
});

it("--expire makes rows that were stored long ago count as missing", async () => {
  const folder = box.path("aged");
  const days = 86_400_000;
  const tier = createEmbeddedTier({ folder, now: () => Date.now() - 40 * days });
  await tier.open(freshAsk());
  const scope = {
    modelId: "eos3b5e" as ModelId,
    release: "v1.0.0",
    columns: [{ name: "mol_weight", type: "float" as const }],
  };
  await tier.putMany(scope, [{ input: "CCO", values: [1] }], freshAsk());
  await tier.close();
  await box.inputs("aged.csv", ["CCO"]);
  const look = async (...flags: readonly string[]) => {
    const where = ["--model", "eos3b5e", "--local", folder, "--local-cache-only"];
    await box.json("run", ...where, "-i", "aged.csv", "-o", "aged-out.csv", ...flags);
    return await box.rows("aged-out.csv");
  };
  expect(await look()).toEqual(["CCO,1.0"]);
  expect(await look("--expire", "60d")).toEqual(["CCO,1.0"]);
  expect(await look("--expire", "30d")).toEqual(["CCO,None"]);
  const { code, err } = await box.run("run", "-i", "aged.csv", "-o", "x.csv", "--expire", "soon");
  expect(code).toBe(2);
  expect(err).toContain("expected an age such as 30d, 12h or 90m");
});

it("compact makes one file of many and loses no row", async () => {
  for (let i = 0; i < 4; i++) {
    await box.write("part.csv", `input,mol_weight\nN${"C".repeat(i)},${i}\nO,${i}\n`);
    await box.json("predictions", "import", "eos3b5e", "part.csv", "--into", "cloud", "--cloud", "many");
  }
  const folder = join(box.path("many"), "predictions", "model_id=eos3b5e", "release=v1.0.0");
  const before = readdirSync(folder).length;
  const report = await box.json("predictions", "compact", "eos3b5e", "--cloud", "many");
  expect(before).toBeGreaterThan(1);
  expect(report).toMatchObject({ filesBefore: before, filesAfter: 1, rows: 5 });
  await box.json("dump", "--model", "eos3b5e", "--cloud-cache-only", "--cloud", "many", "-o", "many.csv");
  expect((await box.rows("many.csv")).toSorted()).toEqual([
    "N,0.0",
    "NC,1.0",
    "NCC,2.0",
    "NCCC,3.0",
    "O,3.0",
  ]);
});

it("a cache that cannot be reached is reported and not counted as empty", async () => {
  const { rows, problems } = await box.json<Stats>(
    ...["predictions", "stats", "eos3b5e", "--local", "redis://127.0.0.1:9"],
  );
  expect(problems[0]).toContain("127.0.0.1:9");
  expect(rows[0]).not.toHaveProperty("local");
});

describeWith([redisRequirement], "with a Redis that Ersilia filled", () => {
  it("its rows are usable at once, and it continues to read Memoir's", async () => {
    const redis = await startRedis();
    try {
      const { Redis } = await import("ioredis");
      const client = new Redis(redis.url);
      await client.hset("cache:eos3b5e", "CCO", '["46.069"]');
      await client.set("eos3b5e:header", '["mol_weight"]');
      await box.inputs("ersilia.csv", ["CCO", "CCC"]);
      const where = ["--model", "eos3b5e", "--local", redis.url];
      const { counts } = await box.json<{ counts: unknown }>(
        "run",
        ...where,
        "-i",
        "ersilia.csv",
        "-o",
        "ersilia-out.csv",
      );
      expect(counts).toMatchObject({ reusedLocal: 1, computed: 1 });
      const refused = await box.json<{ counts: unknown }>(
        ...["run", "--model", "eos3b5e", "--local", redis.url, "--local-cache-only"],
        ...["--ersilia-rows", "refuse", "-i", "ersilia.csv", "-o", "refused.csv"],
      );
      expect(refused.counts).toMatchObject({ reusedLocal: 1, missing: 1 });
      // Ersilia's reader parses JSON; what follows the value is blank.
      expect(JSON.parse((await client.hget("cache:eos3b5e", "CCC")) ?? "")).toEqual(["44.096999999999994"]);
      await client.quit();
    } finally {
      await redis.stop();
    }
  });

  it("a database that it does not have is refused by name, and no other one is used in its place", async () => {
    const redis = await startRedis();
    try {
      const { Redis } = await import("ioredis");
      const client = new Redis(redis.url);
      await client.hset("cache:eos3b5e", "CCO", '["1.0"]');
      await client.set("eos3b5e:header", '["mol_weight"]');
      await box.inputs("nodb.csv", ["CCO", "CCC"]);
      const url = redis.url.replace(/\/0$/, "/99");
      const run = ["run", "--model", "eos3b5e", "--local", url, "-i", "nodb.csv", "-o", "nodb-out.csv"];
      const only = await box.run(...run, "--local-cache-only");
      expect([only.code, only.err]).toEqual([4, expect.stringContaining("database 99")]);
      expect(only.err).toContain("STORE_TIER_REFUSED");
      const { counts, warnings } = await box.json<{ counts: unknown; warnings: readonly string[] }>(...run);
      expect(counts).toMatchObject({ reusedLocal: 0, computed: 2 });
      expect(warnings).toEqual([expect.stringContaining("database 99")]);
      const { problems } = await box.json<Stats>("predictions", "stats", "--local", url);
      expect(problems).toEqual([expect.stringContaining("database 99")]);
      expect(await client.hlen("cache:eos3b5e")).toBe(1);
      await client.quit();
    } finally {
      await redis.stop();
    }
  });

  it("secrets of the cache's URL are never shown", async () => {
    const redis = await startRedis({ password: "geheim" });
    try {
      const mine = box.with({ MEMOIR_SESSION: "secret" });
      const texts: string[] = [];
      for (const words of [
        ["serve", "eos3b5e", "--local", redis.url],
        ["info"],
        ["info", "--json"],
        ["predictions", "stats", "--local", redis.url],
      ]) {
        const { code, out, err } = await mine.run(...words);
        expect(code).toBe(0);
        texts.push(out, err);
      }
      await redis.kill();
      const dead = await mine.run("run", "-i", "ersilia.csv", "-o", "dead.csv", "--local-cache-only");
      expect(dead.code).toBe(4);
      expect([...texts, dead.out, dead.err].join("")).not.toContain("geheim");
    } finally {
      await redis.stop();
    }
  });
});
