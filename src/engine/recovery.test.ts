import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ScriptedExecutor, ScriptedWorld } from "../exec/core/index.ts";
import { thisOwner } from "../process/index.ts";
import { readRunRecord, shownState } from "./run-folder.ts";
import { type Bench, openBench } from "./scripted-run.ts";

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
  const record = await readRunRecord(directory);
  const dead = { ...record, state: "running", owner: deadOwner, endedAt: undefined };
  await writeFile(join(directory, "run.json"), JSON.stringify(dead));
  await mkdir(join(made.folder, "runs", ".active"), { recursive: true });
  await writeFile(join(made.folder, "runs", ".active", run), "");
  if (change.pending !== undefined) await writeFile(join(directory, "pending.jsonl"), change.pending);
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
    const record = await readRunRecord(join(bench.folder, "runs", "run-1"));
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
      const { oneCall } = await import("./scripted-run.ts");
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

  it("an attempt that outlived the process is waited for and not started again", async () => {
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
    await bench.one({}, { cache: { store: neverStored as never } });
    const unfinished = (text: string) =>
      text
        .split("\n")
        .filter((line) => !/"call\.computed"|"run\.ended"/.test(line))
        .join("\n");
    await kill(bench, "run-1", { events: unfinished });
    const summary = await bench.one();
    expect(summary.calls.computed).toBe(1);
    expect(executor.started).toHaveLength(1);
    expect(bench.seen("call.adopted")[0]).toMatchObject({ fromRun: "run-1" });
    expect((await bench.one()).calls.reused).toBe(1);
  });

  it("an attempt that nobody takes up is ended", async () => {
    const world = new ScriptedWorld();
    let block = true;
    const controller = new AbortController();
    const play = () => (block ? new Promise<never>(() => controller.abort()) : makesOut());
    const executor = new ScriptedExecutor({ play, world });
    executor.remove = async () => {};
    bench = await openBench(executor);
    const { oneCall } = await import("./scripted-run.ts");
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
});
