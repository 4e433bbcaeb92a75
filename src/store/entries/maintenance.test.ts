import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../../hash/index.ts";
import { type CallKey, freshAsk } from "../../kernel/index.ts";
import { createFolderStore } from "../objects/index.ts";
import type { Entry } from "./entry-store.ts";
import {
  type CachePlace,
  measureCache,
  pinEntry,
  planPrune,
  prune,
  unpinEntry,
  verifyCache,
} from "./maintenance.ts";
import { createEntryStore } from "./object-entry-store.ts";
import { openRunLease } from "./run-lease.ts";

const ask = freshAsk();
const cacheUuid = "5f4c1d6a-0000-4000-8000-000000000003";
const day = 24 * 60 * 60 * 1000;
let scratch: string;
let place: CachePlace;
let serial = 0;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "memoir-prune-"));
  const objects = createFolderStore({ path: join(scratch, "cache") });
  const entries = createEntryStore({ objects, cacheUuid });
  await entries.open(ask);
  place = { objects, cacheUuid, entries };
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

async function record(taskName: string, content: string): Promise<Entry> {
  const location = join(scratch, `output-${serial++}`);
  await writeFile(location, content);
  return place.entries.record(
    {
      key: sha256(`key-${serial}`) as unknown as CallKey,
      taskName,
      callPath: `wf.${taskName}`,
      runId: "run",
      workflow: "wf",
      language: "wdl",
      components: {},
      outputs: { out: { kind: "file", location, basename: "out.txt" } },
      cost: { cpuSeconds: 1, wallSeconds: 1, maxRssBytes: null, bytesOut: content.length },
      exitCode: 0,
    },
    ask,
  );
}

const inDays = (days: number) => new Date(Date.now() + days * day);

describe("looking after a cache", () => {
  it("size counts equal contents once in the unique bytes", async () => {
    await record("a", "same");
    await record("a", "same");
    await record("b", "other content");
    const size = await measureCache(place, ask);
    expect(size).toMatchObject({ entries: 3, files: 3, apparentBytes: 21, uniqueBytes: 17 });
    expect(size.byTask["a"]).toMatchObject({ entries: 2, apparentBytes: 8, uniqueBytes: 4 });
    expect(size.byWorkflow["wf"]?.entries).toBe(3);
  });

  it("prune by age removes what was not used since, and only after the plan is carried out", async () => {
    const entry = await record("a", "x");
    const plan = await planPrune(place, { olderThanMs: 30 * day }, inDays(31), ask);
    expect(plan.remove.map((item) => [item.uuid, item.reason])).toEqual([[entry.uuid, "older-than"]]);
    expect(await place.entries.find(entry.key, ask)).toBeDefined();
    expect(await prune(place, plan, ask)).toMatchObject({ entries: 1 });
    expect(await place.entries.find(entry.key, ask)).toBeUndefined();
    expect((await planPrune(place, { olderThanMs: 30 * day }, inDays(29), ask)).remove).toEqual([]);
  });

  it("prune to a budget removes the least recently used first", async () => {
    const [a, b, c] = [
      await record("a", "x".repeat(1000)),
      await record("b", "y".repeat(1000)),
      await record("c", "z"),
    ];
    const lease = await openRunLease({ ...place, runId: "uses-a" }, ask);
    lease.used(a.uuid);
    await lease.close();
    const all = await planPrune(place, { budgetBytes: 0 }, inDays(1), ask);
    expect(all.remove.map((item) => item.uuid)).toEqual([b.uuid, c.uuid, a.uuid]);
    const one = await planPrune(place, { budgetBytes: all.removeBytes - 1 }, inDays(1), ask);
    expect(one.remove.map((item) => item.uuid)).toEqual([b.uuid]);
    expect(one.keepEntries).toBe(2);
  });

  it("never what a live run uses or has made, nor what is pinned", async () => {
    const [a, b] = [await record("a", "x"), await record("b", "y")];
    const lease = await openRunLease({ ...place, runId: "live", renewEveryMs: 5 }, ask);
    const made = await record("c", "z");
    await pinEntry(place, b.uuid, ask);
    const rules = { olderThanMs: -1 };
    const before = await planPrune(place, rules, new Date(), ask);
    expect(before.remove.map((item) => item.uuid)).toEqual([a.uuid]);
    expect(before.protectedEntries).toEqual(
      expect.arrayContaining([
        { uuid: b.uuid, why: "pinned" },
        { uuid: made.uuid, why: "in-use" },
      ]),
    );
    lease.used(a.uuid);
    await expect
      .poll(async () => (await planPrune(place, rules, new Date(), ask)).remove.length, { interval: 5 })
      .toBe(0);
    expect(await prune(place, before, ask)).toMatchObject({ entries: 0 });
    await lease.close();
    await unpinEntry(place, b.uuid, ask);
    expect((await planPrune(place, rules, new Date(), ask)).remove).toHaveLength(3);
  });

  it("a run that died no longer protects what it used", async () => {
    const entry = await record("a", "x");
    const lease = await openRunLease({ ...place, runId: "dead" }, ask);
    lease.used(entry.uuid);
    expect((await planPrune(place, { olderThanMs: -1 }, inDays(1), ask)).remove).toHaveLength(1);
    await lease.close();
  });

  it("orphans older than a day and manifests of other versions go when asked", async () => {
    const entry = await record("a", "x");
    const folder = `${cacheUuid}/entries/${entry.key.slice(0, 2)}/${entry.key}`;
    await place.objects.put(
      `${folder}/${"0".repeat(8)}-0000-4000-8000-000000000000/out/f`,
      Buffer.from("half"),
      ask,
    );
    const manifest = `${folder}/${entry.uuid}.json`;
    const text = Buffer.from((await place.objects.read(manifest, ask)) ?? new Uint8Array()).toString("utf8");
    await place.objects.put(manifest, Buffer.from(text.replace('"version": 1', '"version": 0')), ask);
    expect((await planPrune(place, {}, inDays(2), ask)).remove).toEqual([]);
    const plan = await planPrune(place, { orphans: true, oldVersions: true }, inDays(2), ask);
    expect(plan.remove.map((item) => item.reason).sort()).toEqual(["old-version", "orphan"]);
    expect((await planPrune(place, { orphans: true }, new Date(), ask)).remove).toEqual([]);
    await prune(place, plan, ask);
    expect((await planPrune(place, { orphans: true, oldVersions: true }, inDays(2), ask)).remove).toEqual([]);
  });

  it("verify sets damaged entries aside and leaves the others", async () => {
    const [good, bad] = [await record("a", "good"), await record("b", "good too")];
    const { location } = bad.outputs["out"] as { location: string };
    await chmod(location, 0o644);
    await writeFile(location, "bad  too");
    const report = await verifyCache(place, ask);
    expect(report).toMatchObject({ checked: 2, sound: 1 });
    expect(report.setAside.map((item) => item.uuid)).toEqual([bad.uuid]);
    expect(await place.entries.find(good.key, ask)).toBeDefined();
    expect(await place.entries.find(bad.key, ask)).toBeUndefined();
  });
});
