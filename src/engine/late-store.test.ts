import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ScriptedExecutor } from "../exec/core/index.ts";
import { AppError, freshAsk } from "../kernel/index.ts";
import { LateStore } from "./late-store.ts";
import { readRunJson } from "./run-folder.ts";
import type { RunCacheParts } from "./run-parts.ts";
import { type Bench, oneCall, openBench } from "./scripted-run.ts";

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const makesOut = () => ({ files: { "out.txt": "x" } });
const location = "file:///of-all";
const down = () => new AppError("STORE_UNREACHABLE", "opening the cache: nobody is there");

/** Fails with the given errors, one for each attempt, and then opens the bench's cache. */
function lateCache(
  { store }: Bench,
  errors: readonly AppError[],
): Partial<RunCacheParts> & { tries(): number } {
  let tries = 0;
  const open = async () => {
    const error = errors[tries++];
    if (error !== undefined) throw error;
    return { store, close: async () => {} };
  };
  return { store: new LateStore({ uri: location, open }), opensLater: true, tries: () => tries };
}

const always = (error: AppError) => Array.from({ length: 1000 }, () => error);

describe("a cache that cannot be opened when the run starts", () => {
  it("gets what was computed meanwhile once it opens, and is reused from in the same run", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    const cache = lateCache(bench, [down()]);
    const summary = await bench.run(
      async (host, ask) => {
        await oneCall(host, { name: "early" }, ask);
        await expect.poll(() => bench?.seen("call.recorded").length).toBe(1);
        return oneCall(host, { name: "early" }, ask);
      },
      { cache },
    );
    expect(summary).toMatchObject({
      calls: { reused: 1, computed: 1 },
      unrecorded: { waiting: 0, refused: 0 },
    });
    expect((await readRunJson(summary.directory))?.cache?.uri).toBe(bench.store.uri);
    expect((await bench.one({ name: "early" })).calls).toMatchObject({ reused: 1, computed: 0 });
  });

  it("is not used for a moment before it is tried again", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    const cache = lateCache(bench, always(down()));
    let triesAtOnce: number | undefined;
    await bench.run(
      async (host, ask) => {
        const result = await oneCall(host, {}, ask);
        triesAtOnce = cache.tries();
        return result;
      },
      { cache: { ...cache, patienceMs: 0 } },
    );
    expect(triesAtOnce).toBeLessThanOrEqual(1);
    expect(bench.seen("call.missed")[0]?.reason).toMatchObject({
      words: expect.stringContaining("could not be opened"),
    });
  });

  it.each([
    ["that does not answer", down()],
    [
      "that refuses this request",
      new AppError("STORE_REQUEST_FAILED", "reading", { facts: { status: 400 } }),
    ],
    [
      "whose mark cannot be read",
      new AppError("STORE_NOT_READABLE", "reading", { facts: { system: "EIO" } }),
    ],
    ["with an unreadable file", new AppError("FILE_NOT_READABLE", "reading")],
  ])(
    "to the end: a server %s is not held against results, and the next run records them",
    async (_, error) => {
      bench = await openBench(new ScriptedExecutor({ play: makesOut }));
      const cache = lateCache(bench, always(error));
      const first = await bench.one({}, { cache: { ...cache, patienceMs: 2_000 } });
      expect(first).toMatchObject({ state: "succeeded", unrecorded: { waiting: 1, refused: 0 } });
      expect((await readRunJson(first.directory))?.cache?.uri).toBe(location);
      const elsewhere = await bench.one({ command: "another" }, { cache: { location: "file:///of-others" } });
      expect(elsewhere.calls.computed).toBe(1);
      expect(await readFile(join(first.directory, "pending.jsonl"), "utf8")).toContain("out.txt");
      expect((await bench.one({}, { cache: { location } })).calls).toMatchObject({ reused: 1, computed: 0 });
    },
  );

  it("again: what an earlier run left is kept for the run after", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    const still = () => ({ ...lateCache(bench as Bench, always(down())), patienceMs: 0 });
    await bench.one({}, { cache: still() });
    await bench.one({ command: "another" }, { cache: still() });
    expect((await bench.one({}, { cache: { location } })).calls).toMatchObject({ reused: 1, computed: 0 });
    expect((await bench.one({ command: "another" })).calls).toMatchObject({ reused: 1, computed: 0 });
  });
});

describe("a store that opens late", () => {
  it("opens once for all who wait, and one who gives up does not end it for the others", async () => {
    bench = await openBench(new ScriptedExecutor({ play: makesOut }));
    const { store } = bench;
    let opened = () => {};
    let tries = 0;
    let closed = 0;
    const open = () =>
      new Promise<{ store: typeof store; close(): Promise<void> }>((resolve) => {
        tries++;
        opened = () => resolve({ store, close: async () => void closed++ });
      });
    const late = new LateStore({ uri: location, open });
    const hasty = new AbortController();
    const given = late.find("0".repeat(64) as never, { signal: hasty.signal });
    const waiting = late.find("0".repeat(64) as never, freshAsk());
    hasty.abort();
    await expect(given).rejects.toMatchObject({ code: "RUN_INTERRUPTED" });
    opened();
    expect(await waiting).toBeUndefined();
    expect([tries, late.uri]).toEqual([1, store.uri]);
    await late.close();
    expect(closed).toBe(1);
  });

  it("stops opening when it is closed", async () => {
    const late = new LateStore({
      uri: location,
      open: ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(down()))),
    });
    const found = late.find("0".repeat(64) as never, freshAsk());
    const refused = expect(found).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
    await late.close();
    await refused;
  });
});
