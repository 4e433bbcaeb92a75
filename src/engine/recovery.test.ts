import { mkdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type ScriptedEnd, ScriptedExecutor, ScriptedWorld } from "../exec/core/index.ts";
import { AppError, type Ask } from "../kernel/index.ts";
import type { Host } from "../lang/core/index.ts";
import { thisOwner } from "../process/index.ts";
import type { EntryStore } from "../store/entries/index.ts";
import { folderLeases } from "./call-leases.ts";
import { readRunJson, shownState } from "./run-folder.ts";
import type { WorkflowRunParts } from "./run-parts.ts";
import { type Bench, oneCall, openBench, scriptedImages } from "./scripted-run.ts";
import { countWaiting } from "./waiting-results.ts";

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const makesOut = () => ({ files: { "out.txt": "x" } });
const deadOwner = { ...thisOwner(), pid: 2 ** 22 + 1 };

/** Makes an ended run look as if its process had been killed: it says running, and nobody is there. */
async function kill(
  made: Bench,
  run: string,
  change: { pending?: string; events?: (text: string) => string } = {},
) {
  const directory = join(made.folder, "runs", run);
  const record = await readRunJson(directory);
  const dead = { ...record, state: "running", owner: deadOwner, endedAt: undefined, waiting: undefined };
  await writeFile(join(directory, "run.json"), JSON.stringify(dead));
  await mkdir(join(made.folder, "runs", ".active"), { recursive: true });
  await writeFile(join(made.folder, "runs", ".active", run), "");
  if (change.pending === undefined) await rm(join(directory, "pending.jsonl"), { force: true });
  else await writeFile(join(directory, "pending.jsonl"), change.pending);
  if (change.events !== undefined) {
    const path = join(directory, "events.jsonl");
    await writeFile(path, change.events(await readFile(path, "utf8")));
  }
}

describe("after a crash", () => {
  it("a run is shown as crashed, and the next run reuses what it had recorded", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    await bench.one();
    await kill(bench, "run-1");
    const record = await readRunJson(join(bench.folder, "runs", "run-1"));
    expect(record && shownState(record)).toBe("crashed");
    expect((await bench.one()).calls.reused).toBe(1);
  });

  it.each([
    ["on-failure", { cache: { behavior: "on-failure" } }],
    ["always without write-through", { cache: { recordAt: "run-end" } }],
  ] as const)(
    "results that waited for the end of the run are recorded by the next start: %s",
    async (_, waits) => {
      bench = await openBench(new ScriptedExecutor({ play: makesOut }));
      let pending = "";
      await bench.run(async (host, ask) => {
        const result = await oneCall(host, {}, ask);
        pending = await readFile(join(host.files.scratch, "..", "pending.jsonl"), "utf8");
        return result;
      }, waits);
      await kill(bench, "run-1", { pending: `${pending}{"torn` });
      expect((await bench.one({}, waits)).calls).toMatchObject({ reused: 1, computed: 0 });
      expect(bench.seen("log")[0]?.words).toContain("recorded 1 finished calls of run-1");
    },
  );

  const broken = (store: EntryStore, error: () => unknown): EntryStore => ({
    uri: store.uri,
    open: (ask) => store.open(ask),
    close: () => store.close(),
    list: (ask) => store.list(ask),
    listOtherVersions: (ask) => store.listOtherVersions(ask),
    remove: (entries, ask) => store.remove(entries, ask),
    find: (key, ask) => store.find(key, ask),
    setAside: (entry, ask) => store.setAside(entry, ask),
    equalKeys: (key, ask) => store.equalKeys(key, ask),
    noteEqual: (keys, ask) => store.noteEqual(keys, ask),
    record: () => Promise.reject(error()),
  });
  const down = () => new AppError("STORE_UNREACHABLE", "recording: nobody is there");
  const pendingOf = (run: string) => join(bench?.folder ?? "", "runs", run, "pending.jsonl");

  it("what could not be recorded is counted, and the next run records it and reuses it", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    const first = await bench.one({}, { cache: { store: broken(bench.store, down), patienceMs: 0 } });
    expect(first).toMatchObject({ state: "succeeded", unrecorded: { waiting: 1, refused: 0 } });
    const second = await bench.one();
    expect(second).toMatchObject({
      calls: { reused: 1, computed: 0 },
      unrecorded: { waiting: 0, refused: 0 },
    });
    expect(bench.seen("log")[0]?.words).toContain("recorded 1 finished calls of run-1");
    await expect(readFile(pendingOf("run-1"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("lines of its list that cannot be read are counted, reported and kept", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    await bench.one({}, { cache: { store: broken(bench.store, down), patienceMs: 0 } });
    const lines = (await readFile(pendingOf("run-1"), "utf8")).replaceAll('{"id"', "?");
    await kill(bench, "run-1", { pending: `${lines}more that nobody can read\n` });
    expect(await countWaiting(join(bench.folder, "runs", "run-1"))).toBeGreaterThan(1);
    expect((await bench.one()).calls).toMatchObject({ computed: 1 });
    expect(bench.seen("cache.trouble")[0]?.words).toContain("results in its list cannot be read");
    expect(await readFile(`${pendingOf("run-1")}.unreadable`, "utf8")).toContain("nobody can read");
  });

  it("what still cannot be recorded waits for the run after the next one", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    const still = { cache: { store: broken(bench.store, down), patienceMs: 0 } };
    await bench.one({}, still);
    await bench.one({ command: "another" }, still);
    expect((await bench.one()).calls).toMatchObject({ reused: 1, computed: 0 });
    expect((await bench.one({ command: "another" })).calls).toMatchObject({ reused: 1, computed: 0 });
  });

  it("a crashed run whose results wait for its cache is left to it by runs without a cache", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    await bench.one({}, { cache: { store: broken(bench.store, down), patienceMs: 0 } });
    await kill(bench, "run-1", { pending: await readFile(pendingOf("run-1"), "utf8") });
    const without = { cache: undefined } as unknown as Partial<WorkflowRunParts>;
    await bench.one({ command: "another" }, { parts: without });
    expect((await bench.one()).calls).toMatchObject({ reused: 1, computed: 0 });
  });

  it("a result whose file was changed since is not recorded", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    const { directory } = await bench.one({}, { cache: { store: broken(bench.store, down), patienceMs: 0 } });
    const [started] = bench.seen("call.started");
    await writeFile(join(started?.directory ?? "", "work", "out.txt"), "y");
    expect(directory).toContain("run-1");
    expect((await bench.one()).calls).toMatchObject({ reused: 0, computed: 1 });
    expect(bench.seen("cache.trouble")[0]?.words).toMatch(/out\.txt was changed since the task ended/);
  });

  it("a list that cannot be read is not taken for an empty one", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    await bench.one({}, { cache: { store: broken(bench.store, down), patienceMs: 0 } });
    await rename(pendingOf("run-1"), `${pendingOf("run-1")}.kept`);
    await mkdir(pendingOf("run-1"));
    expect((await bench.one({ command: "another" })).state).toBe("succeeded");
    expect(bench.seen("cache.trouble")[0]?.words).toMatch(/reading .*pending\.jsonl/);
    await rm(pendingOf("run-1"), { recursive: true });
    await rename(`${pendingOf("run-1")}.kept`, pendingOf("run-1"));
    expect((await bench.one()).calls).toMatchObject({ reused: 1, computed: 0 });
  });

  it("a name that the cache cannot hold concerns its own result only", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    const { store } = bench;
    const picky: EntryStore = {
      ...broken(store, down),
      uri: store.uri,
      record: (entry, ask, options) =>
        entry.taskName.startsWith("odd")
          ? Promise.reject(new AppError("STORE_NAME_INVALID", "using the object name: it is too long"))
          : store.record(entry, ask, options),
    };
    const all = async (host: Host, ask: Ask) => {
      for (const name of ["odd-1", "odd-2", "odd-3", "odd-4", "fine"]) await oneCall(host, { name }, ask);
      return { kind: "succeeded" as const, outputs: {} };
    };
    const held = { cache: { store: picky } };
    expect((await bench.run(all, held)).unrecorded).toEqual({ waiting: 0, refused: 4 });
    expect(bench.seen("call.not-recorded")).toHaveLength(4);
    expect(bench.seen("cache.trouble")).toEqual([]);
    expect((await bench.run(all, held)).calls).toMatchObject({ reused: 1, computed: 4 });
  });

  it("an outage in the middle of a run costs no result", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    const { store } = bench;
    let calls = 0;
    const flaky: EntryStore = {
      ...broken(store, down),
      uri: store.uri,
      record: (entry, ask, options) => {
        calls++;
        return calls > 2 && calls < 8 ? Promise.reject(down()) : store.record(entry, ask, options);
      },
    };
    const summary = await bench.run(
      async (host, ask) => {
        for (const name of "abcdefghij") await oneCall(host, { name }, ask);
        return { kind: "succeeded", outputs: {} };
      },
      { cache: { store: flaky } },
    );
    expect(summary.unrecorded).toEqual({ waiting: 0, refused: 0 });
    expect(bench.seen("call.recorded")).toHaveLength(10);
  });

  it.each([
    ["is waited for and not started again", async () => {}, 1],
    [
      "is not used when its input was another one meanwhile",
      async (path: string) => {
        await writeFile(path, "other");
        await writeFile(path, "input");
      },
      2,
    ],
  ] as const)("an attempt that outlived the process %s", async (_, meanwhile, started) => {
    const world = new ScriptedWorld();
    const executor = new ScriptedExecutor({ play: makesOut, world });
    executor.remove = async () => {};
    bench = await openBench(executor);
    const { store } = bench;
    const neverStored = {
      ...store,
      uri: store.uri,
      find: async () => undefined,
      record: async () => Promise.reject(),
    };
    const location = join(bench.folder, "input.txt");
    await writeFile(location, "input");
    const task = { files: [{ kind: "file" as const, location, basename: "input.txt" }] };
    await bench.one(task, { cache: { store: neverStored as never } });
    const unfinished = (text: string) =>
      text
        .split("\n")
        .filter((line) => !/"call\.computed"|"run\.ended"/.test(line))
        .join("\n");
    await kill(bench, "run-1", { events: unfinished });
    await meanwhile(location);
    const summary = await bench.one(task);
    expect(summary.calls.computed).toBe(1);
    expect(executor.started).toHaveLength(started);
    expect(bench.seen("call.adopted").map(({ fromRun }) => fromRun)).toEqual(started === 1 ? ["run-1"] : []);
    expect((await bench.one(task)).calls.reused).toBe(1);
  });

  it("an attempt is waited for, and ended, only on the executor that its call had named", async () => {
    const world = new ScriptedWorld();
    const controller = new AbortController();
    const big = new ScriptedExecutor({ play: () => new Promise<never>(() => controller.abort()), world });
    big.remove = async () => {};
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    const images = scriptedImages();
    const on = (executor: ScriptedExecutor) => ({ parts: { executors: { big: { executor, images } } } });
    const task = { change: { executor: "big" } };
    await bench.run((host, ask) => oneCall(host, task, ask), on(big), { signal: controller.signal });
    const [attempt] = big.started;
    if (attempt === undefined) throw new Error("nothing was started");
    const unended = (text: string) => text.replace(/.*"(call\.cancelled|run\.ended)".*\n/g, "");
    const again = async () => {
      world.attempts.delete(attempt.id);
      const survivor = new ScriptedExecutor({ play: () => new Promise<ScriptedEnd>(() => {}), world });
      await survivor.start(attempt, { signal: new AbortController().signal });
      return survivor;
    };
    await kill(bench, "run-1", { events: unended });
    const survivor = await again();
    // The same call on the run's own executor is another attempt; nobody takes up the one that is left.
    expect((await bench.one({}, on(survivor))).calls.computed).toBe(1);
    expect(bench.seen("call.adopted")).toEqual([]);
    expect(bench.executor.started).toHaveLength(1);
    expect(survivor.running()).toEqual([]);
  });

  it("an attempt that nobody takes up is ended", async () => {
    const world = new ScriptedWorld();
    let block = true;
    const controller = new AbortController();
    const play = () => (block ? new Promise<never>(() => controller.abort()) : makesOut());
    const executor = new ScriptedExecutor({ play, world });
    executor.remove = async () => {};
    bench = await openBench(executor);
    await bench.run((host, ask) => oneCall(host, {}, ask), {}, { signal: controller.signal });
    block = false;
    const [attempt] = executor.started;
    if (attempt === undefined) throw new Error("nothing was started");
    world.attempts.delete(attempt.id);
    const survivor = new ScriptedExecutor({ play: () => new Promise(() => {}), world });
    await survivor.start(attempt, { signal: new AbortController().signal });
    const unended = (text: string) =>
      text.replace(/.*"call\.cancelled".*\n/, "").replace(/.*"run\.ended".*\n/, "");
    await kill(bench, "run-1", { events: unended });
    await bench.one({ command: "another" });
    expect(survivor.running()).toEqual([]);
  });

  it("a run that waits names whom it waits for, and computes by itself when there is no sign of life", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    const leases = join(bench.folder, "leases");
    await bench.one({}, { cache: { store: broken(bench.store, down), patienceMs: 0 } });
    const { key } = bench.seen("call.missed")[0] ?? {};
    await rm(join(bench.folder, "runs"), { recursive: true });
    await mkdir(join(leases, key?.slice(0, 2) ?? ""), { recursive: true });
    const note = { owner: thisOwner(), run: "stopped", id: "1", takenAt: 0, beat: 0 };
    const lease = join(leases, key?.slice(0, 2) ?? "", key ?? "");
    await writeFile(lease, JSON.stringify(note));
    // However long the run takes to look for the first time, the lease looks fresh then.
    await utimes(lease, 2e9 * 2, 2e9 * 2);
    const waits = { cache: { leases: folderLeases(leases, "waits", { livesMs: 150 }) } };
    expect((await bench.one({}, waits)).calls.computed).toBe(1);
    expect(bench.seen("call.waiting")[0]?.for).toEqual({
      run: "stopped",
      host: note.owner.host,
      pid: process.pid,
      since: new Date(0).toISOString(),
    });
    expect(bench.seen("log").map(({ words }) => words)).toContainEqual(
      expect.stringContaining("run stopped (process"),
    );
  });
});
