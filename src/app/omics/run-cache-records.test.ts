import { expect, it } from "vitest";
import type { RunCacheRecord, RunRecord } from "../../ledger/index.ts";
import { cacheAt, cacheRecord, hostLocation, privateCache, recordTime } from "./run-cache-records.ts";

const cache = (more: Partial<RunCacheRecord> = {}) =>
  ({
    uuid: "u",
    location: "file:///data/a%20b",
    behavior: "CACHE_ALWAYS",
    tags: {},
    ...more,
  }) as RunCacheRecord;
const run = (more: Partial<RunRecord> = {}) => ({ uuid: "r", ...more }) as RunRecord;

it("a run cache is a place with a uuid, and its tags are its policies", () => {
  expect(cacheRecord(cache())).toEqual({
    ...cacheAt({ uuid: "u", location: "/data/a b" }),
    behavior: "always",
  });
  const tags = { "memoir:resources": "strict", "memoir:identity": "etag", "memoir:write-through": "no" };
  expect(cacheRecord(cache({ tags })).policies).toMatchObject({
    resources: "strict",
    identity: "etag",
    writeThrough: false,
  });
  const unknown = { "memoir:resources": "Strict", "memoir:identity": "name", "memoir:write-through": "" };
  expect(cacheRecord(cache({ tags: unknown })).policies).toMatchObject({
    resources: "ignored",
    identity: "content",
    writeThrough: true,
  });
});

it("the behaviour that a run asks for counts more than its cache's", () => {
  const onFailure = run({ cacheBehavior: "CACHE_ON_FAILURE" });
  expect(cacheRecord(cache(), onFailure).behavior).toBe("on-failure");
  const always = run({ cacheBehavior: "CACHE_ALWAYS" });
  expect(cacheRecord(cache({ behavior: "CACHE_ON_FAILURE" }), always).behavior).toBe("always");
});

it("results are recorded as tasks end, unless the behaviour or the policy waits for the run", () => {
  const late = cache({ tags: { "memoir:write-through": "no" } });
  expect(recordTime(run(), undefined)).toBe("task-end");
  expect(recordTime(run(), cache())).toBe("task-end");
  expect(recordTime(run(), late)).toBe("run-end");
  expect(recordTime(run({ cacheBehavior: "CACHE_ON_FAILURE" }), cache())).toBe("run-end");
});

it("a run without a cache keeps its results in its own folder, host tasks included", () => {
  expect(privateCache(run(), "/runs/1")).toMatchObject({
    kind: "unnamed",
    uuid: "r",
    location: "/runs/1/results",
    policies: { hostTasks: true },
  });
});

it("locations on S3 are what they are", () => {
  expect([hostLocation("s3://b/p%20q"), hostLocation("file:///a%25b")]).toEqual(["s3://b/p%20q", "/a%b"]);
});
