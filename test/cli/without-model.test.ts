/** Cached rows are usable where their model is not installed. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redisRequirement, startRedis } from "../servers/redis.ts";
import { describeWith } from "../servers/requirement.ts";
import { modelFixtures, Sandbox } from "./memoir.ts";

let box: Sandbox;
const stored = ["CCO,3", "CCC,3", "CCCC,4"];

/** Computes three rows with an installed model, stores them in both caches, and removes the model. */
async function fill(where: readonly string[]): Promise<void> {
  await box.json("fetch", join(modelFixtures, "slow"));
  await box.inputs("known.csv", ["CCO", "CCC", "CCCC"]);
  await box.json("run", "--model", "eos0slo", "-i", "known.csv", "-o", "known-out.csv", ...where);
  await box.json("predictions", "copy", "eos0slo", "--from", "local", ...where);
  await box.json("delete", "eos0slo");
}

beforeAll(async () => {
  box = await Sandbox.create();
  await box.inputs("asked.csv", ["CCC", "N", "CCO"]);
});
afterAll(() => box.remove());

describe("with the embedded cache and the folder", () => {
  const where = ["--local", "local", "--cloud", "cloud"];
  beforeAll(() => fill(where));

  it.each([["--local-cache-only"], ["--cloud-cache-only"], ["--cache-only", "--no-compute"]])(
    "run and dump answer what is stored with %s",
    async (...mode) => {
      const words = ["--model", "eos0slo", ...where, ...mode, "--missing", "none"];
      const ran = await box.json("run", ...words, "-i", "asked.csv", "-o", "ran.csv");
      expect(ran).toMatchObject({ release: "v1.0.0", counts: { missing: 1 } });
      expect(await box.rows("ran.csv")).toEqual(["CCC,3", "N,none", "CCO,3"]);
      // A dump never computes.
      const dumped = words.slice(0, -2).filter((word) => word !== "--no-compute");
      await box.json("dump", ...dumped, "-o", "dumped.csv");
      expect((await box.rows("dumped.csv")).toSorted()).toEqual(stored.toSorted());
    },
  );

  it("serve opens a session for look-ups, and computing says that the model is not installed", async () => {
    const mine = box.with({ MEMOIR_SESSION: "absent" });
    await mine.json("serve", "eos0slo", ...where, "--local-cache-only");
    await mine.json("run", "-i", "asked.csv", "-o", "served.csv");
    expect(await mine.rows("served.csv")).toEqual(["CCC,3", "N,None", "CCO,3"]);
    const { code, err } = await box.run(
      "run",
      "--model",
      "eos0slo",
      ...where,
      "-i",
      "asked.csv",
      "-o",
      "x.csv",
    );
    expect([code, err]).toEqual([3, expect.stringContaining("MODEL_NOT_FOUND")]);
  });

  it("asks which release is meant where a cache holds several", async () => {
    const two = ["--local", "two", "--cloud", "two-cloud"];
    await fill(two);
    const folder = box.path("other");
    const { cp, readFile, writeFile } = await import("node:fs/promises");
    await cp(join(modelFixtures, "slow"), folder, { recursive: true });
    const metadata = join(folder, "metadata.yml");
    await writeFile(metadata, (await readFile(metadata, "utf8")).replace("v1.0.0", "v2.0.0"));
    await box.json("fetch", folder);
    await box.json("run", "--model", "eos0slo", "-i", "known.csv", "-o", "two.csv", ...two);
    await box.json("delete", "eos0slo");
    const words = ["dump", "--local-cache-only", ...two, "-o", "two.csv"];
    const { code, err } = await box.run(...words, "--model", "eos0slo");
    expect([code, err]).toEqual([3, expect.stringMatching(/v1\.0\.0.*v2\.0\.0/)]);
    expect(await box.json(...words, "--model", "eos0slo@v2.0.0")).toMatchObject({
      release: "v2.0.0",
      rows: 3,
    });
  });

  it("says that no model of this name is here where the caches do not know it either", async () => {
    const { code, err } = await box.run("dump", "--model", "eos9zzz", "--local-cache-only", ...where);
    expect([code, err]).toEqual([3, expect.stringContaining("MODEL_NOT_FOUND")]);
  });
});

describe("a model whose checkpoints are missing", () => {
  it("is fetched for look-ups only; computing with it names what is missing", async () => {
    const fetched = await box.run("fetch", join(modelFixtures, "pointer"));
    expect([fetched.code, fetched.err]).toEqual([0, expect.stringContaining("look-ups only")]);
    await box.json("run", "--model", "eos0lfs", "--local-cache-only", "-i", "asked.csv", "-o", "lfs.csv");
    const { code, err } = await box.run("run", "--model", "eos0lfs", "-i", "asked.csv", "-o", "lfs.csv");
    expect([code, err]).toEqual([4, expect.stringContaining("MODEL_LFS_POINTER")]);
    await rm(box.path("lfs.csv"), { force: true });
  });
});

describeWith([redisRequirement], "with a Redis", () => {
  it("rows of Memoir and of Ersilia are answered without their models", async () => {
    const redis = await startRedis();
    try {
      await fill(["--local", redis.url, "--cloud", "redis-cloud"]);
      const words = ["--local", redis.url, "--local-cache-only"];
      await box.json("run", "--model", "eos0slo", ...words, "-i", "asked.csv", "-o", "redis.csv");
      expect(await box.rows("redis.csv")).toEqual(["CCC,3", "N,None", "CCO,3"]);
      const { Redis } = await import("ioredis");
      const client = new Redis(redis.url);
      await client.set("eos9mix:header", '["weight", "label"]');
      await client.hset("cache:eos9mix", "CCO", '["46.5", "1e5x"]', "CCC", '["44.0", "b"]');
      await box.json("run", "--model", "eos9mix", ...words, "-i", "asked.csv", "-o", "ersilia.csv");
      expect(await box.rows("ersilia.csv")).toEqual(["CCC,44.0,b", "N,None,None", "CCO,46.5,1e5x"]);
      await client.quit();
    } finally {
      await redis.stop();
    }
  });
});
