import { describe, expect, test } from "vitest";
import { readEnvironment } from "./environment.ts";
import { createCloudTier, createLocalTier, placesOf } from "./tiers.ts";

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
    expect(cloud("dynamodb://table")).toBe("dynamodb://table");
    expect(cloud("dynamodb://table?parquet=s3://bucket/a")).toBe("dynamodb://table?parquet=s3://bucket/a");
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
      "dynamodb://table?parquet=redis://host",
      "dynamodb://table?parquet=dynamodb://other",
      "dynamodb://table/prefix",
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
