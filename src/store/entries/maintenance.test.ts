import { chmod, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../../hash/index.ts";
import { type CallKey, defined, freshAsk } from "../../kernel/index.ts";
import { createFingerprinter, memoryMemo } from "../../keys/index.ts";
import { createFolderStore, type ObjectStore } from "../objects/index.ts";
import { type Entry, entryVersion, type NewUuid } from "./entry-store.ts";
import {
  type CachePlace,
  measureCache,
  pinEntry,
  planPrune,
  prune,
  storeTime,
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

async function record(taskName: string, content: string, newUuid?: NewUuid): Promise<Entry> {
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
    defined({ newUuid }),
  );
}

const inDays = (days: number) => new Date(Date.now() + days * day);

/**
 * The same cache behind a store that answers only when so many questions of one kind wait: where latency counts, a
 * question is not held back until another one is answered.
 */
function placeAnswering(together: number, kind: "reads" | "lists of entries"): CachePlace {
  let waiting: (() => void)[] = [];
  const turn = () =>
    new Promise<void>((done) => {
      waiting.push(done);
      if (waiting.length < together) return;
      for (const go of waiting) go();
      waiting = [];
    });
  const inner = place.objects;
  const objects: ObjectStore = new Proxy(inner, {
    get: (target, name) => {
      if (name === "read" && kind === "reads")
        return async (...given: Parameters<ObjectStore["read"]>) => {
          await turn();
          return inner.read(...given);
        };
      if (name === "list" && kind === "lists of entries")
        return async function* (...given: Parameters<ObjectStore["list"]>) {
          if (/[0-9a-f-]{36}\/$/.test(given[0]) && given[0].includes("/entries/")) await turn();
          yield* inner.list(...given);
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { objects, cacheUuid, entries: createEntryStore({ objects, cacheUuid }) };
}

describe("looking after a cache with latency", () => {
  it("manifests are read at the same time", async () => {
    for (let at = 0; at < 12; at++) await record("a", `content ${at}`);
    expect(await measureCache(placeAnswering(4, "reads"), ask)).toMatchObject({ entries: 12 });
  });

  it("entries are verified at the same time, and reported in their order", async () => {
    const entries: Entry[] = [];
    for (let at = 0; at < 8; at++) entries.push(await record("a", `content ${at}`));
    const damaged = entries.filter((_, at) => at % 2 === 0);
    for (const entry of damaged) {
      const [file] = entry.files;
      const path = `${place.objects.pathOf(`${cacheUuid}/entries/${entry.key.slice(0, 2)}/${entry.key}`)}/${entry.uuid}/${file?.path}`;
      await chmod(path, 0o644);
      await writeFile(path, "another");
    }
    // Only of what seems to be damaged, the files are listed again.
    const report = await verifyCache(placeAnswering(4, "lists of entries"), ask);
    expect(report).toMatchObject({ checked: 8, sound: 4 });
    const keys = report.setAside.map(({ key }) => key);
    expect(keys).toEqual(damaged.map(({ key }) => key).toSorted());
  });

  it("entries are removed at the same time, and nothing of them is left", async () => {
    for (let at = 0; at < 8; at++) await record("a", `content ${at}`);
    const plan = await planPrune(place, { olderThanMs: -1 }, new Date(), ask);
    expect(await prune(placeAnswering(4, "lists of entries"), plan, ask)).toMatchObject({ entries: 8 });
    const left = await readdir(join(scratch, "cache", cacheUuid), { recursive: true });
    expect(left.filter((name) => /^(entries|removed)\//.test(name))).toEqual([]);
  });
});

/** The same cache behind a store that is not on this machine, and what was asked of it. */
function distantPlace(): { readonly distant: CachePlace; readonly asked: Record<string, number> } {
  const inner = place.objects;
  const asked: Record<string, number> = {};
  const objects: ObjectStore = new Proxy(inner, {
    get: (target, name) => {
      if (name === "pathOf") return () => undefined;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function" || typeof name !== "string") return value;
      return (...given: unknown[]) => {
        asked[name] = (asked[name] ?? 0) + 1;
        return value.apply(target, given);
      };
    },
  });
  return { distant: { objects, cacheUuid, entries: createEntryStore({ objects, cacheUuid }) }, asked };
}

describe("looking after a distant cache", () => {
  it("its size is one listing and one look at each manifest", async () => {
    for (let at = 0; at < 9; at++) await record("a", `content ${at}`);
    const { distant, asked } = distantPlace();
    expect(await measureCache(distant, ask)).toEqual(await measureCache(place, ask));
    expect(asked).toEqual({ list: 1, openReader: 9 });
  });

  it("verify is one listing and one look at each manifest and file, and lists again what seems damaged", async () => {
    const entries: Entry[] = [];
    for (let at = 0; at < 9; at++) entries.push(await record("a", `content ${at}`));
    const { distant, asked } = distantPlace();
    expect(await verifyCache(distant, ask)).toEqual({ checked: 9, sound: 9, setAside: [] });
    expect(asked).toEqual({ list: 1, openReader: 18 });
    const [first, second] = entries;
    for (const entry of [first, second]) {
      const file = join(
        place.objects.pathOf(`${cacheUuid}/entries/${entry?.key.slice(0, 2)}/${entry?.key}/${entry?.uuid}`) ??
          "",
        entry?.files[0]?.path ?? "",
      );
      await rm(file);
      if (entry === second) await writeFile(file, "content x");
    }
    const { setAside, ...counts } = await verifyCache(distantPlace().distant, ask);
    expect(counts).toEqual({ checked: 9, sound: 7 });
    expect(new Set(setAside.map(({ uuid }) => uuid))).toEqual(new Set([first?.uuid, second?.uuid]));
  });

  it("prune removes all manifests, all files and all marks with one request each", async () => {
    for (let at = 0; at < 9; at++) await record("a", `content ${at}`);
    const { distant, asked } = distantPlace();
    const plan = await planPrune(distant, { olderThanMs: -1 }, new Date(), ask);
    const planned = { ...asked };
    expect(planned["openReader"]).toBe(9);
    expect(await prune(distant, plan, ask)).toMatchObject({ entries: 9, spared: 0 });
    // Manifests, the clock twice, manifests again, files, marks, leases, notes.
    expect(asked["remove"]).toBe(8);
    expect((asked["list"] ?? 0) - (planned["list"] ?? 0)).toBeLessThan(12);
    const left = await readdir(join(scratch, "cache", cacheUuid), { recursive: true, withFileTypes: true });
    expect(left.filter((each) => each.isFile()).map(({ name }) => name)).toEqual([]);
  });
});

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
    await lease.used(a.uuid);
    await lease.close();
    const all = await planPrune(place, { budgetBytes: 0 }, inDays(1), ask);
    expect(all.remove.map((item) => item.uuid)).toEqual([b.uuid, c.uuid, a.uuid]);
    const one = await planPrune(place, { budgetBytes: all.removeBytes - 1 }, inDays(1), ask);
    expect(one.remove.map((item) => item.uuid)).toEqual([b.uuid]);
    expect(one.keepEntries).toBe(2);
  });

  it("never what a live run uses or is about to record, nor what is pinned", async () => {
    const [a, b, c] = [await record("a", "x"), await record("b", "y"), await record("c", "z")];
    const lease = await openRunLease({ ...place, runId: "live" }, ask);
    const made = await record("d", "made", () => lease.newUuid());
    await pinEntry(place, b.uuid, ask);
    const rules = { olderThanMs: -1 };
    const before = await planPrune(place, rules, new Date(), ask);
    expect(before.remove.map((item) => item.uuid)).toEqual([a.uuid, c.uuid]);
    expect(before.protectedEntries).toEqual(
      expect.arrayContaining([
        { uuid: b.uuid, why: "pinned" },
        { uuid: made.uuid, why: "in-use" },
      ]),
    );
    await lease.used(a.uuid);
    expect((await planPrune(place, rules, new Date(), ask)).remove).toHaveLength(1);
    await pinEntry(place, c.uuid, ask);
    expect(await prune(place, before, ask)).toMatchObject({ entries: 0, spared: 2 });
    await lease.close();
    for (const { uuid } of [b, c]) await unpinEntry(place, uuid, ask);
    expect((await planPrune(place, rules, new Date(), ask)).remove).toHaveLength(4);
  });

  it.each([
    ["before", "kept"],
    ["after", "removed"],
  ] as const)("what a run names %s the removal began is %s, and the run knows it", async (when, then) => {
    const entry = await record("a", "x");
    const plan = await planPrune(place, { olderThanMs: -1 }, new Date(), ask);
    const lease = await openRunLease({ ...place, runId: "live" }, ask);
    const found = await place.entries.find(entry.key, ask, async (uuid) => {
      if (when === "before") await lease.used(uuid);
      await prune(place, plan, ask);
      if (when === "after") await lease.used(uuid);
    });
    await lease.close();
    expect(found?.uuid).toBe(then === "kept" ? entry.uuid : undefined);
    expect((await place.entries.verify(entry, ask))?.reason).toBe(
      then === "kept" ? undefined : "out/out/out.txt is missing",
    );
  });

  it("names new entries in the lease before they are handed out, many in one write", async () => {
    const lease = await openRunLease({ ...place, runId: "recording" }, ask);
    const named = async () => {
      const bytes = await place.objects.read(`${place.cacheUuid}/runs/recording.json`, ask);
      return (JSON.parse(Buffer.from(bytes ?? []).toString()) as { readonly entries: readonly string[] })
        .entries;
    };
    const seen = new Set<string>();
    let states = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const uuid = await lease.newUuid();
      const entries = await named();
      expect(entries).toContain(uuid);
      seen.add(uuid);
      states = states.add(entries.join());
    }
    expect(seen.size).toBe(100);
    expect(states.size).toBeLessThan(8);
    await lease.close();
    expect(new Set(await named())).toEqual(seen);
  });

  it("what a run names while it is being removed is put back whole", async () => {
    const entry = await record("a", "x");
    const plan = await planPrune(place, { olderThanMs: -1 }, new Date(), ask);
    const lease = await openRunLease({ ...place, runId: "live" }, ask);
    const meddled = createFolderStore({ path: join(scratch, "cache") });
    const put = meddled.put.bind(meddled);
    meddled.put = async (name, bytes, putAsk) => {
      const info = await put(name, bytes, putAsk);
      if (name.includes("/removed/")) await lease.used(entry.uuid);
      return info;
    };
    const entries = createEntryStore({ objects: meddled, cacheUuid });
    expect(await prune({ objects: meddled, cacheUuid, entries }, plan, ask)).toMatchObject({
      entries: 0,
      spared: 1,
    });
    expect((await place.entries.find(entry.key, ask))?.uuid).toBe(entry.uuid);
    expect(await place.entries.verify(entry, ask)).toBeUndefined();
    await lease.close();
  });

  it("what a killed removal left is removed by a later one, and put back when a run uses it", async () => {
    const [a, b] = [await record("a", "x"), await record("b", "y")];
    for (const entry of [a, b]) await place.entries.layAside([entry], ask);
    const lease = await openRunLease({ ...place, runId: "live" }, ask);
    await lease.used(b.uuid);
    const nothing = await planPrune(place, { orphans: true }, new Date(), ask);
    expect(nothing.remove).toEqual([]);
    await prune(place, nothing, ask);
    expect(await place.entries.find(b.key, ask)).toBeUndefined();
    const old = new Date(Date.now() - day);
    for (const { key, uuid } of [a, b])
      await utimes(join(scratch, "cache", cacheUuid, "removed", key, `${uuid}.json`), old, old);
    await prune(place, nothing, ask);
    expect((await place.entries.find(b.key, ask))?.uuid).toBe(b.uuid);
    expect((await place.entries.verify(a, ask))?.reason).toBe("out/out/out.txt is missing");
    await lease.close();
  });

  it("a removed entry leaves no folder, and its lease goes when nothing that it names is there", async () => {
    const entry = await record("a", "x");
    const lease = await openRunLease({ ...place, runId: "ended" }, ask);
    await lease.used(entry.uuid);
    await lease.close();
    await prune(place, await planPrune(place, { olderThanMs: -1 }, inDays(1), ask), ask);
    const left = await readdir(join(scratch, "cache", cacheUuid), { recursive: true });
    expect(left.filter((name) => name !== "entries" && name !== "runs" && name !== "removed")).toEqual([]);
  });

  it("a run that died no longer protects what it used, whatever clock its machine had", async () => {
    const entry = await record("a", "x");
    const leave = (renewedAt: Date) =>
      place.objects.put(
        `${cacheUuid}/runs/elsewhere.json`,
        Buffer.from(
          JSON.stringify({
            runId: "elsewhere",
            startedAt: renewedAt.toISOString(),
            renewedAt: renewedAt.toISOString(),
            owner: { host: "elsewhere", pid: 1, startTicks: "1", bootId: "1" },
            entries: [entry.uuid],
          }),
        ),
        ask,
      );
    const rules = { olderThanMs: -day };
    await leave(inDays(-1));
    expect((await planPrune(place, rules, await storeTime(place, ask), ask)).remove).toEqual([]);
    await leave(inDays(1));
    expect((await planPrune(place, rules, inDays(0.1), ask)).remove).toHaveLength(1);
  });

  it("a run on the same machine protects what it uses even when it was stopped for long", async () => {
    const entry = await record("a", "x");
    const lease = await openRunLease({ ...place, runId: "stopped" }, ask);
    await lease.used(entry.uuid);
    expect((await planPrune(place, { olderThanMs: -1 }, inDays(1), ask)).remove).toEqual([]);
    await lease.close();
    expect((await planPrune(place, { olderThanMs: -1 }, inDays(1), ask)).remove).toHaveLength(1);
  });

  it("a thousand entries that are used at once cost a few writes of the lease", async () => {
    let writes = 0;
    const objects = createFolderStore({ path: join(scratch, "cache") });
    const put = objects.put.bind(objects);
    objects.put = (...words) => {
      writes++;
      return put(...words);
    };
    const lease = await openRunLease({ objects, cacheUuid, runId: "warm" }, ask);
    await Promise.all(Array.from({ length: 1000 }, (_, i) => lease.used(`entry-${i}`)));
    const name = `${cacheUuid}/runs/warm.json`;
    const text = Buffer.from((await objects.read(name, ask)) ?? []).toString("utf8");
    expect(JSON.parse(text).entries).toHaveLength(1000);
    expect(writes).toBeLessThan(10);
    await lease.close();
  });

  it("what a dead run was recording goes at once, what a living one is recording stays", async () => {
    const entry = await record("a", "x");
    const folder = `${cacheUuid}/entries/${entry.key.slice(0, 2)}/${entry.key}`;
    const [dead, living] = ["1", "2"].map((n) => `${n.repeat(8)}-0000-4000-8000-000000000000`);
    for (const uuid of [dead, living])
      await place.objects.put(`${folder}/${uuid}/out/f`, Buffer.from("half"), ask);
    for (const [runId, uuid] of [
      ["dead", dead],
      ["living", living],
    ]) {
      const lease = await openRunLease({ ...place, runId: runId ?? "" }, ask);
      await lease.used(uuid ?? "");
      if (uuid === dead) await lease.close();
    }
    const plan = await planPrune(place, { orphans: true }, new Date(), ask);
    expect(plan.remove.map((item) => item.uuid)).toEqual([dead]);
    expect(await prune(place, plan, ask)).toMatchObject({ entries: 1 });
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
    await place.objects.put(
      manifest,
      Buffer.from(text.replace(`"version": ${entryVersion}`, '"version": 1')),
      ask,
    );
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

  it("verify also sets aside what may have been computed from a damaged entry, and no more", async () => {
    const made = await record("make", "good");
    const digest = sha256("good");
    const from = async (taskName: string, input: string | { identity: string; writable: true }) =>
      (
        await place.entries.record(
          {
            ...made,
            taskName,
            callPath: `wf.${taskName}`,
            key: sha256(`key-${taskName}`) as unknown as CallKey,
            components: { inputs: { "inputs/0/f": input } },
            outputs: { n: taskName },
          },
          ask,
        )
      ).uuid;
    const used = await from("use", `sha256:${digest}`);
    const changed = await from("change", { identity: `sha256:${digest} executable`, writable: true });
    const other = await from("other", `sha256:${sha256("else")}`);
    const { location } = made.outputs["out"] as { location: string };
    const { atime, mtime } = await stat(location);
    await chmod(location, 0o644);
    await writeFile(location, "GOOD");
    await utimes(location, atime, mtime);
    const report = await verifyCache(place, ask);
    expect(report.setAside.map((item) => item.uuid).sort()).toEqual([made.uuid, used, changed].sort());
    const left: string[] = [];
    for await (const entry of place.entries.list(ask)) left.push(entry.uuid);
    expect(left).toEqual([other]);
  });

  it("verify sets aside what was computed from a folder that lost a member, or from a part of it", async () => {
    const folder = join(scratch, "made");
    await mkdir(join(folder, "sub"), { recursive: true });
    await writeFile(join(folder, "a"), "a");
    await writeFile(join(folder, "sub", "b"), "b");
    const whole = await record("whole", "x");
    const { components: _, ...like } = whole;
    const recorded = await place.entries.record(
      {
        ...like,
        components: {},
        key: sha256("key-folder") as unknown as CallKey,
        outputs: { d: { kind: "directory", location: folder, basename: "made" } },
      },
      ask,
    );
    const fingerprinter = createFingerprinter({ memo: memoryMemo(), policy: "content" });
    const users: string[] = [];
    for (const part of ["", "/sub", "/sub/b"]) {
      const location = `${folder}${part}`;
      const { text } = await fingerprinter.identify({ kind: "directory", location, basename: "d" }, ask);
      const entry = await place.entries.record(
        {
          ...like,
          key: sha256(`user${part}`) as unknown as CallKey,
          components: { inputs: { "inputs/0/d": text } },
          outputs: { n: part },
        },
        ask,
      );
      users.push(entry.uuid);
    }
    await fingerprinter.close();
    const { location } = recorded.outputs["d"] as { location: string };
    await rm(join(location, "sub", "b"));
    const report = await verifyCache(place, ask);
    // The file alone was not handed out to anybody after it was removed.
    expect(report.setAside.map((item) => item.uuid).sort()).toEqual(
      [recorded.uuid, users[0] ?? "", users[1] ?? ""].sort(),
    );
  });
});
