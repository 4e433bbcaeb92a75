import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCacheRegistry, defaultPolicies, type NamedCache } from "./cache-registry.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "memoir-registry-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const lab: NamedCache = {
  kind: "named",
  name: "lab",
  uuid: "5f0c1c9e-7a3e-4a8e-9f64-0d7b3f1f1f11",
  location: "/data/lab",
  behavior: "always",
  policies: { ...defaultPolicies, hostTasks: true },
  createdAt: "2026-11-01T00:00:00.000Z",
};

describe("the registry of caches", () => {
  it("writes policies that are on or off as booleans, and reads what it wrote", async () => {
    const registry = createCacheRegistry(home);
    await registry.add(lab);
    const written = JSON.parse(await readFile(join(home, "caches/lab.json"), "utf8"));
    expect(written.policies).toMatchObject({ hostTasks: true, writeThrough: true });
    expect(await registry.find("lab")).toEqual(lab);
  });

  it.each([
    ["yes", "no", { hostTasks: true, writeThrough: false }],
    ["no", "yes", { hostTasks: false, writeThrough: true }],
    [undefined, undefined, { hostTasks: false, writeThrough: true }],
  ])(
    "reads a file of an older version: host tasks %s, write-through %s",
    async (hostTasks, writeThrough, expected) => {
      await mkdir(join(home, "caches"));
      const policies = { identity: "content", resources: "ignored", hostTasks, writeThrough };
      await writeFile(join(home, "caches/lab.json"), JSON.stringify({ ...lab, policies }));
      expect((await createCacheRegistry(home).find("lab"))?.policies).toMatchObject(expected);
      expect((await createCacheRegistry(home).list()).map((each) => each.policies)).toMatchObject([expected]);
    },
  );
});
