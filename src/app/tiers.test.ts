import { describe, expect, test } from "vitest";
import { freshAsk, type ModelId } from "../kernel/index.ts";
import { createMemoryTier, guardTier } from "../store/predictions/index.ts";
import { readEnvironment } from "./environment.ts";
import { createCloudTier, createLocalTier, limited, placesOf } from "./tiers.ts";

const scope = {
  modelId: "eos3b5e" as ModelId,
  release: "v1",
  columns: [{ name: "mol_weight", type: "float" }],
} as const;
const row = { input: "CCO", values: [46.069], canonical: "rdkit:CCO" };

async function tierWithRow() {
  const tier = guardTier(createMemoryTier(), { use: "required" });
  await tier.open(freshAsk());
  await tier.putMany(scope, [row], freshAsk());
  return tier;
}

describe("a cloud tier that is only read", () => {
  test("answers canonical look-ups, too, and says that it takes no rows", async () => {
    const tier = limited(await tierWithRow(), "read");
    expect(tier.can).toMatchObject({ canonicalIndex: true, write: false });
    expect(await tier.getMany(scope, ["CCO"], freshAsk())).toMatchObject([row]);
    expect(await tier.getManyCanonical?.(scope, ["rdkit:CCO"], freshAsk())).toMatchObject([row]);
    expect(await tier.count(scope, freshAsk())).toBe(1);
  });
});

describe("a cloud tier that is only written to", () => {
  test("answers nothing and keeps rows", async () => {
    const whole = await tierWithRow();
    const tier = limited(whole, "write");
    expect(await tier.getMany(scope, ["CCO"], freshAsk())).toEqual([undefined]);
    expect(await tier.getManyCanonical?.(scope, ["rdkit:CCO"], freshAsk())).toEqual([undefined]);
    await tier.putMany(scope, [{ input: "CCC", values: [44.097] }], freshAsk());
    expect(await whole.count(scope, freshAsk())).toBe(2);
  });
});

describe("the address of a tier", () => {
  const environment = readEnvironment({ env: { AWS_REGION: "eu-central-1" }, cwd: "/work", parentPid: 1 });
  const local = (place: string) =>
    createLocalTier(placesOf({ local: place }, environment).local, {}, () => {}).name;
  const cloud = (place: string) =>
    createCloudTier(placesOf({ cloud: place }, environment).cloud, environment, () => {}).name;

  test("is a folder or a URL, understood in every part", () => {
    expect(local("cache")).toContain("/work/cache");
    expect(local("file:///a%20b%3F")).toContain("/a b?");
    expect(local("redis://127.0.0.1:6379/5")).toBe("redis://127.0.0.1:6379/5");
    expect(cloud("cache")).toContain("/work/cache");
    expect(cloud("s3://bucket")).toContain("s3://bucket");
    expect(cloud("s3://bucket/")).toContain("s3://bucket");
    expect(cloud("s3://bucket/a/b/")).toContain("s3://bucket/a/b");
  });

  test.each([
    ...["", " ", "file:cache", "file:/cache", "file://host/cache", "file:///cache?x=1", "file:///cache#x"],
    ...[
      "s3://bucket",
      "http://host/cache",
      "redis:host",
      "redis://",
      "redis://host/0?timeout=3",
      "mysql:cache",
    ],
  ])("%j is refused as a local cache", (place) => {
    expect(() => local(place)).toThrow(
      expect.objectContaining({ row: expect.objectContaining({ kind: "usage" }) }),
    );
  });

  test.each([
    ...["", "s3://", "s3:///prefix", "s3:/bucket/prefix", "s3:bucket", "S3://bucket", "s3://b"],
    ...[
      "s3://bucket/prefix?region=eu",
      "s3://bucket?x",
      "s3://bucket/a#b",
      "s3://bucket//a",
      "s3://bucket/a//b",
    ],
    ...[
      "s3://bucket/../other",
      "s3://bucket/a/..",
      "s3://key:secret@bucket/a",
      "redis://host",
      "file:///x?y",
    ],
  ])("%j is refused as a cloud cache", (place) => {
    expect(() => cloud(place)).toThrow(expect.objectContaining({ code: "STORE_URI_INVALID" }));
    expect(() => cloud(place)).not.toThrow(
      expect.objectContaining({ message: expect.stringContaining("secret") }),
    );
  });
});
