import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  type Attempt,
  type ImageOrder,
  type ScriptedEnd,
  ScriptedExecutor,
  type ScriptedOptions,
} from "../exec/core/index.ts";
import { sha256 } from "../hash/index.ts";
import { AppError, type Ask, freshAsk } from "../kernel/index.ts";
import { createFingerprinter, memoryMemo } from "../keys/index.ts";
import type { Host, ProgramResult } from "../lang/core/index.ts";
import type { EntryStore } from "../store/entries/index.ts";
import type { CallOutcome, FileValue } from "../task/index.ts";
import { readEvents, readRunJson } from "./run-folder.ts";
import {
  type Bench,
  oneCall,
  openBench,
  type ScriptedTask,
  scriptedCollector,
  scriptedImages,
  scriptedTask,
} from "./scripted-run.ts";

let benches: Bench[] = [];
afterEach(async () => {
  await Promise.all(benches.map((bench) => bench.close()));
  benches = [];
});

const makesOut = (): ScriptedEnd => ({ files: { "out.txt": "result\n" } });

async function bench(options: ScriptedOptions = {}): Promise<Bench> {
  const made = await openBench(new ScriptedExecutor({ play: makesOut, ...options }));
  benches.push(made);
  return made;
}

const fileAt = (location: string): FileValue => ({
  kind: "file",
  location,
  basename: location.slice(location.lastIndexOf("/") + 1),
});

async function input(made: Bench, name: string, text: string): Promise<FileValue> {
  const path = join(made.folder, name);
  await writeFile(path, text);
  return fileAt(path);
}

const succeeded: ProgramResult = { kind: "succeeded", outputs: {} };
const call = (host: Host, task: ScriptedTask, ask: Ask): Promise<CallOutcome> =>
  host.call(scriptedTask(task), scriptedCollector(task), ask);

describe("a run with a cache", () => {
  it("computes a call once and reuses it in the next run", async () => {
    const made = await bench();
    const first = await made.one();
    const second = await made.one();
    expect(first.calls).toMatchObject({ computed: 1, reused: 0 });
    expect(second.calls).toMatchObject({ computed: 0, reused: 1 });
    expect(made.executor.started).toHaveLength(1);
    expect(made.seen("call.reused")[0]).toMatchObject({ call: "scripted.work", fromRun: "run-1" });
  });

  it("places the inputs of the next call while one computes, and records nothing that was made of others", async () => {
    const placed: Attempt[] = [];
    const made = await bench({
      play: async (attempt) => {
        if (attempt.labels["memoir.call"] === "scripted.a") {
          await vi.waitFor(() => expect(placed).toHaveLength(1));
          await writeFile(data.location, "other bytes\n");
        }
        return makesOut();
      },
      capacity: { cpu: 1, memoryBytes: 2 ** 30, gpu: 0 },
    });
    const data = await input(made, "data.txt", "bytes\n");
    Object.assign(made.executor, {
      place: async (attempt: Attempt) => {
        placed.push(attempt);
        return "placed";
      },
    });
    const tasks = [
      { name: "a", command: "a" },
      { name: "b", command: "b", files: [data] },
    ];
    await made.run(async (host, ask) => {
      await Promise.all(tasks.map((task) => call(host, task, ask)));
      return succeeded;
    });
    const ofB = made.executor.started.filter(({ labels }) => labels["memoir.call"] === "scripted.b");
    expect(ofB[0]).toBe(placed[0]);
    // What it was given is not what its key says any more, so it never becomes an entry.
    expect(made.seen("call.not-recorded")).toMatchObject([{ call: "scripted.b" }]);
    expect(made.seen("call.recorded").map((event) => event.call)).toEqual(["scripted.a"]);
  });

  it("never opens the executor when everything is reused", async () => {
    const made = await bench();
    await made.one();
    const broken = new ScriptedExecutor();
    broken.open = () => Promise.reject(new AppError("EXEC_ENGINE_NOT_FOUND", "looking for an engine: none"));
    expect((await made.one({}, { executor: broken })).state).toBe("succeeded");
    await expect(made.one({ command: "other" }, { executor: broken })).rejects.toMatchObject({
      code: "EXEC_ENGINE_NOT_FOUND",
    });
    expect((await readRunJson(join(made.folder, "runs", "run-3")))?.state).toBe("failed");
  });

  it("delivers the final outputs and says where they are", async () => {
    const made = await bench();
    for (const summary of [await made.one(), await made.one()]) {
      const path = join(summary.directory, "out", "out", "out.txt");
      expect(await readFile(path, "utf8")).toBe("result\n");
      expect(JSON.parse(await readFile(join(summary.directory, "outputs.json"), "utf8"))).toEqual({
        "scripted.out": path,
      });
    }
  });

  it("copies the final outputs to where the user asks", async () => {
    const made = await bench();
    const out = join(made.folder, "results");
    await made.one({}, { parts: { out } });
    expect(await readFile(join(out, "out", "out.txt"), "utf8")).toBe("result\n");
    expect(JSON.parse(await readFile(join(out, "outputs.json"), "utf8"))).toEqual({
      "scripted.out": join(out, "out", "out.txt"),
    });
    expect((await stat(join(out, "out", "out.txt"))).nlink).toBe(1);
  });

  it("leaves a folder that a person can read", async () => {
    const made = await bench();
    const { directory } = await made.one({ command: "echo hello" });
    const folder = join(directory, "calls", "work");
    expect(await readFile(join(folder, "command"), "utf8")).toBe("echo hello");
    expect(existsSync(join(folder, "stdout"))).toBe(true);
    expect(await readRunJson(directory)).toMatchObject({ state: "succeeded", calls: { computed: 1 } });
    expect((await readEvents(directory)).map((event) => event.kind)).toEqual([
      "run.started",
      "call.asked",
      "call.missed",
      "call.started",
      "call.computed",
      "call.recorded",
      "outputs.delivered",
      "run.ended",
    ]);
    expect(await readFile(join(made.folder, "runs", "_LAST", "run.json"), "utf8")).toContain('"run-1"');
  });

  it("reuses a call whose input was moved, touched or renamed above, and not one whose content changed", async () => {
    const made = await bench();
    const before = await input(made, "a.txt", "one");
    await made.one({ files: [before] });
    await utimes(before.location, new Date(), new Date());
    expect((await made.one({ files: [before] })).calls.reused).toBe(1);
    await writeFile(before.location, "two");
    await utimes(before.location, new Date(0), new Date(0));
    expect((await made.one({ files: [before] })).calls.reused).toBe(0);
  });

  it("cuts off early: a recomputed task with equal output leaves its dependents reused", async () => {
    const made = await bench();
    const chain = (command: string) => async (host: Host, ask: Ask) => {
      const first = await call(host, { name: "first", command }, ask);
      if (first.kind !== "computed" && first.kind !== "reused") throw new Error("no outputs");
      const file = first.outputs["out"] as FileValue;
      const second = await call(host, { name: "second", command: "cat", files: [file] }, ask);
      expect(second.kind).toBe(command === "v1" ? "computed" : "reused");
      return succeeded;
    };
    await made.run(chain("v1"));
    const { calls } = await made.run(chain("v2 # same result"));
    expect(calls).toMatchObject({ computed: 1, reused: 1 });
  });

  it("keeps files side by side that the task had left side by side", async () => {
    const made = await bench({
      play: () => ({ files: { "a.bam": "bam", "a.bam.bai": "bai", "out.txt": "x" } }),
    });
    const outputs = { bam: "a.bam", bai: "a.bam.bai" };
    const paths: string[][] = [];
    const program = async (host: Host, ask: Ask) => {
      const first = await call(host, { name: "first", outputs }, ask);
      if (first.kind !== "computed" && first.kind !== "reused") throw new Error("no outputs");
      const files = Object.values(first.outputs) as FileValue[];
      paths.push(scriptedTask({ files }).inputs.map((staged) => staged.path));
      await call(host, { name: "second", files }, ask);
      return succeeded;
    };
    await made.run(program);
    expect((await made.run(program)).calls.reused).toBe(2);
    expect(paths[0]).toEqual(["/mnt/memoir/inputs/0/a.bam", "/mnt/memoir/inputs/0/a.bam.bai"]);
    expect(paths[1]).toEqual(paths[0]);
  });

  it("computes equal calls of one run once", async () => {
    const made = await bench();
    const { calls } = await made.run(async (host, ask) => {
      const shards = [0, 1, 2, 3, 4, 5, 6, 7];
      const outcomes = await Promise.all(shards.map((i) => call(host, { path: `scripted.work[${i}]` }, ask)));
      expect(outcomes.filter((outcome) => outcome.kind === "computed")).toHaveLength(1);
      return succeeded;
    });
    expect(calls).toMatchObject({ computed: 1, reused: 7 });
    expect(made.executor.started).toHaveLength(1);
  });

  it("does not record when an input changed while the task ran", async () => {
    let change = async () => {};
    const made = await bench({
      play: async () => {
        await change();
        return makesOut();
      },
    });
    const file = await input(made, "a.txt", "one");
    change = () => writeFile(file.location, "changed");
    await made.one({ files: [file] });
    expect(made.seen("call.not-recorded")[0]?.words).toContain("changed while the task ran");
    expect(made.seen("call.recorded")).toHaveLength(0);
  });

  it("does not record a result with a part that ran out of memory", async () => {
    const made = await bench({ play: () => ({ ...makesOut(), outOfMemory: true }) });
    expect((await made.one()).state).toBe("succeeded");
    expect((await made.one()).calls.computed).toBe(1);
  });

  it("pins an image once in a run, and computes again when the tag has moved", async () => {
    const made = await bench();
    const pinned = async (digest: string) => {
      const { scriptedImages } = await import("./scripted-run.ts");
      const images = scriptedImages({ "image:1": digest });
      const program = async (host: Host, ask: Ask) => {
        await Promise.all(["a", "b"].map((name) => call(host, { name }, ask)));
        return succeeded;
      };
      const { calls } = await made.run(program, { parts: { images } });
      return { asked: images.asked, calls };
    };
    expect((await pinned("sha256:1")).asked).toEqual(["image:1"]);
    expect((await pinned("sha256:1")).calls.reused).toBe(2);
    expect((await pinned("sha256:2")).calls.reused).toBe(0);
  });

  it("takes the first of several images that is available", async () => {
    const made = await bench();
    const images = {
      ...scriptedImages(),
      pin: async (requested: string) => {
        if (requested === "gone:1") throw new AppError("EXEC_IMAGE_NOT_FOUND", "pinning gone:1: not there");
        return { requested, reference: requested, platform: "linux/amd64", configDigest: "sha256:2" };
      },
    };
    const task = (names: string[]) => ({ change: { images: names } });
    expect((await made.one(task(["gone:1", "here:1"]), { parts: { images } })).state).toBe("succeeded");
    const failed = await made.one(task(["gone:1"]), { parts: { images } });
    expect(failed.failures[0]).toMatchObject({ failure: { kind: "image-unavailable" } });
  });

  it("runs behind the entry point of an image that has one, which is in the key, where the language wants it", async () => {
    const made = await bench({ play: makesOut });
    const images = {
      ...scriptedImages(),
      startOf: async () => ({ entrypoint: ["tini", "--"], command: ["bash"] }),
    };
    const behind = (words: "given" | "image's own") => ({
      change: { behindEntrypoint: { shell: ["/bin/sh"], command: 'exec "$@" true', words } },
    });
    const run = async (change: Parameters<typeof made.one>[0], own?: typeof images) =>
      (await made.one(change, own === undefined ? {} : { parts: { images: own } })).calls.reused;
    expect(await run({}, images)).toBe(0);
    expect(made.executor.started.at(-1)).toMatchObject({ shell: ["/bin/bash"] });
    expect(made.executor.started.at(-1)).not.toHaveProperty("arguments");
    // An image without one: nothing is different.
    expect(await run(behind("given"))).toBe(1);
    expect(await run(behind("given"), images)).toBe(0);
    const attempt = made.executor.started.at(-1);
    expect(attempt).toMatchObject({ shell: ["/bin/sh"], arguments: ["tini", "--"] });
    expect(await readFile(join(attempt?.directory ?? "", "command"), "utf8")).toBe('exec "$@" true');
    expect(await run(behind("given"), images)).toBe(1);
    await made.one({ command: "other", ...behind("image's own") }, { parts: { images } });
    expect(made.executor.started.at(-1)).toMatchObject({ arguments: ["tini", "--", "bash"] });
  });

  it("has images made by their recipes, archives known by their content", async () => {
    const made = await bench({ play: makesOut });
    const orders: string[] = [];
    const images = {
      ...scriptedImages(),
      make: async ({ recipe, identity, archive }: ImageOrder) => {
        orders.push(recipe.kind === "build" ? recipe.dockerfile : await archive());
        const configDigest = `sha256:${sha256(identity)}`;
        return { requested: recipe.kind, reference: "x", platform: "linux/amd64", configDigest };
      },
    };
    const archive = await input(made, "image.tar", "one");
    const recipes = [
      { kind: "build", dockerfile: "FROM x" },
      { kind: "load", archive },
      { kind: "import", archive },
    ] as const;
    const reused = async () => {
      const calls = [];
      for (const imageRecipe of recipes)
        calls.push(await made.one({ change: { images: [], imageRecipe } }, { parts: { images } }));
      return calls.map(({ calls: { reused: count } }) => count);
    };
    expect(await reused()).toEqual([0, 0, 0]);
    expect(await reused()).toEqual([1, 1, 1]);
    expect(orders.slice(0, 3)).toEqual(["FROM x", archive.location, archive.location]);
    await writeFile(archive.location, "two");
    expect(await reused()).toEqual([1, 0, 0]);
  });

  it("recomputes a sample of reused calls and reports which outputs differ", async () => {
    let text = "one";
    const made = await bench({ play: () => ({ files: { "out.txt": text } }) });
    await made.one();
    const parts = { recheck: 1 };
    expect((await made.one({}, { parts })).unstable).toEqual([]);
    text = "two";
    const again = await made.one({}, { parts });
    expect(again.unstable).toEqual([{ call: "scripted.work", outputs: ["out"] }]);
    expect(again.calls).toMatchObject({ reused: 1, computed: 0 });
  });
});

describe("what is not reused", () => {
  it.each([
    [
      "it is declared volatile",
      { change: { cachePolicy: { kind: "never", reason: "meta.volatile" } } },
      "meta.volatile",
    ],
    ["it declares no output", { outputs: {} }, "it declares no output"],
  ] as [string, ScriptedTask, string][])("a call when %s", async (_, task, words) => {
    const made = await bench();
    await made.one(task);
    expect((await made.one(task)).calls).toMatchObject({ computed: 1, reused: 0 });
    expect(made.seen("call.missed")[0]?.reason).toEqual({ kind: "not-reusable", words });
  });

  it("a call without a container, unless the cache allows it; then the environment decides", async () => {
    const made = await bench();
    const host = (environment: string) =>
      new ScriptedExecutor({ play: makesOut, can: { containers: false }, environment });
    const hostTasks = { hostTasks: true };
    await made.one({}, { executor: host("debian 12") });
    expect(made.seen("call.missed")[0]?.reason).toMatchObject({ kind: "not-reusable" });
    await made.one({}, { executor: host("debian 12"), cache: hostTasks });
    expect((await made.one({}, { executor: host("debian 12"), cache: hostTasks })).calls.reused).toBe(1);
    expect((await made.one({}, { executor: host("debian 13"), cache: hostTasks })).calls.reused).toBe(0);
  });
});

describe("on-failure", () => {
  const onFailure = { cache: { behavior: "on-failure" } } as const;
  const twoCalls = (secondFails: boolean) => async (host: Host, ask: Ask) => {
    const first = await call(host, { name: "first" }, ask);
    if (first.kind !== "computed" && first.kind !== "reused") throw new Error("no outputs");
    const files = [first.outputs["out"] as FileValue];
    const task = { name: "second", files, command: secondFails ? "fail" : "pass" };
    const second = await call(host, task, ask);
    if (second.kind === "failed")
      return {
        kind: "failed",
        failures: [{ kind: "task", path: "scripted.second", failure: second.failure }],
        outputs: {},
      } as const;
    return succeeded;
  };
  const play = async (attempt: Attempt) => {
    const command = await readFile(join(attempt.directory, "command"), "utf8");
    return command === "fail" ? { exitCode: 1 } : makesOut();
  };

  it("records nothing of a run that succeeds", async () => {
    const made = await bench({ play });
    await made.run(twoCalls(false), onFailure);
    expect((await made.run(twoCalls(false), onFailure)).calls.computed).toBe(2);
  });

  it("records the finished calls of a run that fails, and the next run reuses them", async () => {
    const made = await bench({ play });
    expect((await made.run(twoCalls(true), onFailure)).state).toBe("failed");
    expect(made.seen("call.recorded").map((event) => event.call)).toEqual(["scripted.first"]);
    expect((await made.run(twoCalls(false), onFailure)).calls).toMatchObject({ reused: 1, computed: 1 });
  });

  it("records the finished calls of a run that is cancelled", async () => {
    const controller = new AbortController();
    const made = await bench({ play });
    const summary = await made.run(
      async (host, ask) => {
        await call(host, { name: "first" }, ask);
        controller.abort();
        return { kind: "cancelled", outputs: {} };
      },
      onFailure,
      { signal: controller.signal },
    );
    expect(summary.state).toBe("cancelled");
    expect(made.seen("call.recorded")).toHaveLength(1);
  });
});

describe("always, without write-through", () => {
  const atEnd = { cache: { recordAt: "run-end" } } as const;

  it("records when the last call has ended, whatever became of the run, and each key once", async () => {
    const made = await bench({ play: makesOut });
    const twice = async (host: Host, ask: Ask) => {
      await call(host, { name: "first" }, ask);
      expect(made.seen("call.recorded")).toEqual([]);
      await call(host, { name: "second", command: "other" }, ask);
      await call(host, { name: "first" }, ask);
      return succeeded;
    };
    const cold = await made.run(twice, atEnd);
    expect([cold.state, cold.calls.computed]).toEqual(["succeeded", 3]);
    expect(made.seen("call.recorded")).toHaveLength(2);
    expect((await made.run(twice, { cache: {} })).calls).toMatchObject({ reused: 3, computed: 0 });
  });

  it("records what a failed run had finished", async () => {
    const made = await bench({ play: makesOut });
    const failing = async (host: Host, ask: Ask) => {
      await call(host, { name: "first" }, ask);
      return { kind: "failed", failures: [], outputs: {} } as const;
    };
    expect((await made.run(failing, atEnd)).state).toBe("failed");
    expect(made.seen("call.recorded").map((event) => event.call)).toEqual(["scripted.first"]);
  });
});

describe("failures", () => {
  it("show the exit code's likely meaning, the last lines of stderr and the folder", async () => {
    const made = await bench({ play: () => ({ exitCode: 127, stderr: "line 1\nbwa: command not found\n" }) });
    const summary = await made.one();
    expect(summary.state).toBe("failed");
    expect(summary.failures[0]).toMatchObject({
      kind: "task",
      failure: {
        kind: "exit-code",
        exitCode: 127,
        message: expect.stringContaining("a program was not found"),
        stderrTail: "line 1\nbwa: command not found",
        directory: join(summary.directory, "calls", "work"),
        attempts: 1,
      },
    });
  });

  it("are repeated as often as the task allows, each attempt in its own folder", async () => {
    const made = await bench({ play: (_, nth) => (nth < 2 ? { exitCode: 1 } : makesOut()) });
    const summary = await made.one({ change: { maxRetries: 2 } });
    expect(summary.state).toBe("succeeded");
    expect(existsSync(join(summary.directory, "calls", "work", "attempt-3", "rc"))).toBe(true);
    expect(made.seen("call.retried")).toHaveLength(2);
  });

  it("of outputs that are not there come after the next call has begun, and the repetition waits for its turn", async () => {
    const tasks = ["a", "b"].map((name) => ({ name, command: name, change: { maxRetries: 1 } }));
    const made = await bench({
      play: (attempt) =>
        attempt.id.endsWith("-0") && attempt.labels["memoir.call"] === "scripted.a" ? {} : makesOut(),
      capacity: { cpu: 1, memoryBytes: 2 ** 30, gpu: 0 },
    });
    const bothBegan = vi.waitFor.bind(vi, () => expect(made.executor.started.length).toBeGreaterThan(1));
    const summary = await made.run(async (host, ask) => {
      const ends = await Promise.all(
        tasks.map((task) =>
          host.call(
            scriptedTask(task),
            async (...words) => {
              // Its processor is free: only the files are looked at.
              await bothBegan();
              return scriptedCollector(task)(...words);
            },
            ask,
          ),
        ),
      );
      expect(ends.map(({ kind }) => kind)).toEqual(["computed", "computed"]);
      return succeeded;
    });
    expect(summary.state).toBe("succeeded");
    expect(made.executor.started.map(({ labels }) => labels["memoir.call"])).toEqual([
      "scripted.a",
      "scripted.b",
      "scripted.a",
    ]);
    expect(made.executor.mostAtOnce).toBe(1);
  });

  it("are repeated only for the exit codes that the task calls temporary, where it calls any so", async () => {
    const made = await bench({ play: (_, nth) => (nth === 0 ? { exitCode: 75 } : { exitCode: 2 }) });
    const [failure] = (await made.one({ change: { maxRetries: 2, retriedExit: [75] } })).failures;
    expect(failure).toMatchObject({ failure: { exitCode: 2, attempts: 2 } });
    const without = await bench({ play: () => ({}) });
    const missing = await without.one({ change: { maxRetries: 2, retriedExit: [75] } });
    expect(missing.failures[0]).toMatchObject({ failure: { kind: "output-missing", attempts: 1 } });
  });

  it("never become entries", async () => {
    const made = await bench({ play: (_, nth) => (nth === 0 ? { exitCode: 1 } : makesOut()) });
    expect((await made.one()).state).toBe("failed");
    expect((await made.one()).calls).toMatchObject({ computed: 1, reused: 0 });
  });

  it("are accepted exit codes where the task says so", async () => {
    const made = await bench({ play: () => ({ ...makesOut(), exitCode: 3 }) });
    const codes = { change: { acceptedExit: { kind: "codes", codes: [0, 3] } } } as const;
    expect((await made.one(codes)).state).toBe("succeeded");
    expect(
      (await made.one({ ...codes, name: "other", change: { acceptedExit: { kind: "any" } } })).state,
    ).toBe("succeeded");
  });

  it("suggest memory when the kernel killed the task", async () => {
    const made = await bench({ play: () => ({ exitCode: 137, outOfMemory: true }) });
    expect((await made.one()).failures[0]).toMatchObject({
      failure: { kind: "out-of-memory", message: expect.stringContaining("more memory") },
    });
  });

  it("name the output that was not made", async () => {
    const made = await bench({ play: () => ({}) });
    expect((await made.one()).failures[0]).toMatchObject({
      failure: { kind: "output-missing", message: "out.txt was not made" },
    });
  });

  it("name a missing input before anything starts", async () => {
    const made = await bench();
    const summary = await made.one({ files: [fileAt("/nowhere/at/all.txt")] });
    expect(summary.failures[0]).toMatchObject({ failure: { kind: "input-unavailable" } });
    expect(made.executor.started).toHaveLength(0);
  });

  it("of calls that ask for more than there is come before anything starts", async () => {
    const made = await bench();
    const big = { change: { resources: { cpu: 64, memoryBytes: 1, gpu: 0 } } };
    expect((await made.one(big)).failures[0]).toMatchObject({
      failure: {
        kind: "resources-unavailable",
        message:
          "asks for 64 cpus, at most 4 may be used here (--max-cpus; --clamp-resources runs it with what there is)",
      },
    });
    expect((await made.one(big, { parts: { limits: { cpu: 64 } } })).state).toBe("succeeded");
  });

  it("of calls that ask for too much do not happen where hints or the user allow less", async () => {
    const resources = { cpu: 64, memoryBytes: 1, gpu: 2 };
    const hinted = await bench();
    const call = { change: { resources, resourcesAreHints: true as const } };
    expect((await hinted.one(call)).state).toBe("succeeded");
    expect(hinted.executor.started[0]?.resources).toEqual({ cpu: 4, memoryBytes: 1, gpu: 0 });
    expect(hinted.seen("log")[0]?.words).toContain("runs with 4 of the 64 cpus and 0 of the 2 gpus");
    const clamped = await bench();
    const parts = { parts: { clampResources: true as const } };
    expect((await clamped.one({ change: { resources: { ...resources, gpu: 0 } } }, parts)).state).toBe(
      "succeeded",
    );
    // A GPU is not something to have a little less of.
    const failed = await (await bench()).one({ change: { resources } }, parts);
    expect(failed.failures[0]).toMatchObject({ failure: { kind: "resources-unavailable" } });
  });

  it("repeat an attempt that was lost, whatever the task allows", async () => {
    const lost = { end: { kind: "lost", message: "the node vanished" } } as const;
    const made = await bench({ play: (_, nth) => (nth === 0 ? lost : makesOut()) });
    expect((await made.one()).state).toBe("succeeded");
  });

  const twoIndependent = async (host: Host, ask: Ask, outcomes: CallOutcome[]) => {
    const big = { resources: { cpu: 4, memoryBytes: 1, gpu: 0 } };
    outcomes.push(
      ...(await Promise.all([
        call(host, { name: "bad", command: "fail", change: big }, ask),
        call(host, { name: "good", change: big }, ask),
      ])),
    );
    return succeeded;
  };
  const failing = async (attempt: Attempt) =>
    (await readFile(join(attempt.directory, "command"), "utf8")) === "fail" ? { exitCode: 1 } : makesOut();

  it.each([
    ["fast", "cancelled"],
    ["slow", "computed"],
  ] as const)("with --fail %s leave waiting calls %s", async (failure, kind) => {
    const made = await bench({ play: failing });
    const outcomes: CallOutcome[] = [];
    await made.run((host, ask) => twoIndependent(host, ask, outcomes), { parts: { failure } });
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(["failed", kind]);
  });
});

describe("a failure after which the front end asks again", () => {
  const badThenGood = async (host: Host, ask: Ask, outcomes: CallOutcome[], kind: "exit-code" | "lost") => {
    const change = { toleratedFailures: [kind] };
    outcomes.push(await call(host, { name: "bad", path: "scripted.bad", command: "fail", change }, ask));
    outcomes.push(await call(host, { name: "good" }, ask));
    return succeeded;
  };
  const failing = async (attempt: Attempt) =>
    (await readFile(join(attempt.directory, "command"), "utf8")) === "fail" ? { exitCode: 1 } : makesOut();

  it.each([
    ["exit-code", "computed"],
    ["lost", "cancelled"],
  ] as const)("named as %s leaves later calls %s when the command fails", async (kind, later) => {
    const made = await bench({ play: failing });
    const outcomes: CallOutcome[] = [];
    await made.run((host, ask) => badThenGood(host, ask, outcomes, kind));
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(["failed", later]);
  });
});

describe("cancelling a run", () => {
  it("stops what runs and starts nothing more", async () => {
    const controller = new AbortController();
    const made = await bench({
      play: () => {
        controller.abort();
        return new Promise<ScriptedEnd>(() => {});
      },
    });
    const summary = await made.run((host, ask) => oneCall(host, {}, ask), {}, { signal: controller.signal });
    expect(summary.state).toBe("cancelled");
    expect(made.executor.running()).toEqual([]);
    expect((await readRunJson(summary.directory))?.state).toBe("cancelled");
  });
});

describe("trouble with the cache", () => {
  const failingStore = (store: EntryStore, failing: "find" | "record"): EntryStore => ({
    uri: store.uri,
    open: (ask) => store.open(ask),
    close: () => store.close(),
    list: (ask) => store.list(ask),
    listOtherVersions: (ask) => store.listOtherVersions(ask),
    remove: (entries, ask) => store.remove(entries, ask),
    setAside: (entry, ask) => store.setAside(entry, ask),
    equalKeys: (key, ask) => store.equalKeys(key, ask),
    noteEqual: (keys, ask) => store.noteEqual(keys, ask),
    find: (key, ask) =>
      failing === "find"
        ? Promise.reject(new AppError("STORE_UNREACHABLE", "unreachable"))
        : store.find(key, ask),
    record: (entry, ask) =>
      failing === "record" ? Promise.reject(new Error("read-only")) : store.record(entry, ask),
  });

  it.each(["find", "record"] as const)(
    "while it should %s is reported and never fails a run",
    async (failing) => {
      const made = await bench();
      const summary = await made.one({}, { cache: { store: failingStore(made.store, failing) } });
      expect(summary.state).toBe("succeeded");
      expect(summary.calls.computed).toBe(1);
      expect(made.seen("cache.trouble").length).toBeGreaterThan(0);
      expect(await readFile(join(summary.directory, "out", "out", "out.txt"), "utf8")).toBe("result\n");
    },
  );

  it("does not use it for a while after three consecutive failures", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const made = await bench();
    let asked = 0;
    const store = failingStore(made.store, "find");
    const counting: EntryStore = {
      ...store,
      find: (key, ask) => {
        asked++;
        return store.find(key, ask);
      },
    };
    const names = ["a", "b", "c", "d", "e", "f"];
    await made.run(
      async (host, ask) => {
        for (const name of names) await call(host, { name }, ask);
        return succeeded;
      },
      { cache: { store: counting } },
    );
    expect(asked).toBe(3);
    vi.useRealTimers();
  });

  it("that is deleted during the run costs nothing but reuse", async () => {
    const made = await bench();
    const summary = await made.run(async (host, ask) => {
      const first = await call(host, { name: "first" }, ask);
      if (first.kind !== "computed") throw new Error("no outputs");
      await rm(join(made.folder, "cache"), { recursive: true });
      const files = [first.outputs["out"] as FileValue];
      expect(await host.files.readText(files[0]?.location ?? "", ask)).toBe("result\n");
      const second = await call(host, { name: "second", files }, ask);
      expect(second.kind).toBe("computed");
      return { kind: "succeeded", outputs: { "scripted.out": files[0] ?? null } };
    });
    expect(summary.state).toBe("succeeded");
    expect(await readFile(join(summary.directory, "out", "out", "out.txt"), "utf8")).toBe("result\n");
  });

  it("with a deleted output makes a miss", async () => {
    const made = await bench();
    await made.one();
    for await (const entry of made.store.list(freshAsk())) {
      await rm((entry.outputs["out"] as FileValue).location, { force: true });
    }
    expect((await made.one()).calls).toMatchObject({ computed: 1, reused: 0 });
  });
});

describe("what is staged", () => {
  /** `make` writes what the test says, `use` copies its input; both on a scripted executor that really reads. */
  const copying = (made: () => string): ScriptedOptions => ({
    play: (attempt) => {
      const [input] = attempt.inputs;
      if (input === undefined) return { files: { "out.txt": made() } };
      const { location, kind } = input.source;
      const text =
        kind === "directory" ? readdirSync(location).sort().join(" ") : readFileSync(location, "utf8");
      return { files: { "out.txt": `used ${text}` } };
    },
  });
  /** `use` takes the output of `make`; answers what `use` wrote. */
  async function chain(made: Bench, how: string, between?: (file: FileValue) => Promise<unknown>) {
    const summary = await made.run(async (host, ask) => {
      const make: ScriptedTask = { name: "make", path: "w.make", command: "make" };
      const first = await call(host, make, ask);
      if (first.kind !== "reused" && first.kind !== "computed") throw new Error(first.kind);
      const file = first.outputs["out"] as FileValue;
      await between?.(file);
      const use: ScriptedTask = { name: "use", path: "w.use", command: how, files: [file] };
      const second = await call(host, use, ask);
      if (second.kind === "failed")
        return {
          kind: "failed",
          failures: [{ kind: "task", path: use.path ?? "", failure: second.failure }],
          outputs: {},
        };
      if (second.kind === "cancelled") return { kind: "cancelled", outputs: {} };
      return { kind: "succeeded", outputs: { "w.out": second.outputs["out"] ?? null } };
    });
    const out = summary.outputs["w.out"] as FileValue | undefined;
    return { summary, text: out === undefined ? undefined : await readFile(out.location, "utf8") };
  }
  /** Other bytes under equal size and modification time, as bit rot leaves them. */
  async function damage({ location }: FileValue): Promise<void> {
    const { atime, mtime } = await stat(location);
    await chmod(location, 0o644);
    await writeFile(location, "RIGHT\n");
    await utimes(location, atime, mtime);
  }

  it("of a recorded file is what its manifest says: one that changed unseen is computed again first", async () => {
    const made = await bench(copying(() => "right\n"));
    await chain(made, "use 1");
    const { summary, text } = await chain(made, "use 2", damage);
    expect(text).toBe("used right\n");
    expect(summary.calls).toMatchObject({ reused: 0, computed: 2 });
    expect(made.seen("call.taken-back")).toMatchObject([{ call: "w.make", was: "reused" }]);
    expect((await chain(made, "use 2")).text).toBe("used right\n");
    expect((await chain(made, "use 2")).summary.calls).toMatchObject({ reused: 2, computed: 0 });
  });

  it("of a recorded file that disappeared is computed again, and the call that needs it continues", async () => {
    const made = await bench(copying(() => "right\n"));
    await chain(made, "use 1");
    const { summary, text } = await chain(made, "use 2", ({ location }) => rm(location));
    expect([summary.state, text]).toEqual(["succeeded", "used right\n"]);
    expect(summary.calls).toMatchObject({ reused: 0, computed: 2 });
  });

  it("is what the call is known by, also when a lost result comes out differently the second time", async () => {
    let count = 0;
    const made = await bench(copying(() => `take ${count++}\n`));
    await chain(made, "use 1");
    const lost = await chain(made, "use 2", ({ location }) => rm(location));
    expect(lost.text).toBe("used take 1\n");
    const again = await chain(made, "use 2");
    expect(again.text).toBe("used take 1\n");
    expect(again.summary.calls).toMatchObject({ reused: 2, computed: 0 });
  });

  it("fails the call with words when what it was lost from cannot be computed again", async () => {
    let fails = false;
    const made = await bench({
      play: (attempt) =>
        attempt.inputs.length === 0 && fails ? { exitCode: 3 } : { files: { "out.txt": "right\n" } },
    });
    await chain(made, "use 1");
    fails = true;
    const { summary } = await chain(made, "use 2", ({ location }) => rm(location));
    expect(summary.state).toBe("failed");
    const [failure] = summary.failures;
    expect(failure?.kind === "task" ? failure.failure : failure).toMatchObject({
      kind: "input-unavailable",
      message: expect.stringMatching(/is missing; computing w\.make again: .*3/),
    });
  });

  it("waits for no turn that its own call holds", async () => {
    const made = await openBench(
      new ScriptedExecutor({
        ...copying(() => "right\n"),
        capacity: { cpu: 1, memoryBytes: 2 ** 30, gpu: 0 },
      }),
    );
    benches.push(made);
    await chain(made, "use 1");
    expect((await chain(made, "use 2", ({ location }) => rm(location))).text).toBe("used right\n");
  });

  it("of a user's file that changed while its call waited is found out again, and recorded as what it is", async () => {
    const made = await bench(copying(() => ""));
    const file = await input(made, "data", "AAAA");
    let hold = true;
    const executor = new ScriptedExecutor({
      ...copying(() => ""),
      capacity: { cpu: 1, memoryBytes: 2 ** 30, gpu: 0 },
    });
    const slow = executor.open.bind(executor);
    executor.open = async (ask) => {
      // The call is identified; its turn comes after this.
      if (hold) await rewriteUnseen(file.location, "BBBB");
      hold = false;
      await slow(ask);
    };
    const changed = await made.one({ files: [file] }, { executor });
    expect(changed.calls).toMatchObject({ computed: 1 });
    const entries: string[] = [];
    for await (const entry of made.store.list(freshAsk()))
      entries.push(JSON.stringify(entry.components["inputs"]));
    expect(entries).toEqual([expect.stringContaining(sha256("BBBB"))]);
    await rewriteUnseen(file.location, "AAAA");
    expect((await made.one({ files: [file] })).calls).toMatchObject({ computed: 1, reused: 0 });
  });

  it("of a user's file that was rewritten during the task with its old size and time is not recorded", async () => {
    const made = await bench();
    const file = await input(made, "data", "AAAA");
    const executor = new ScriptedExecutor({
      play: async () => {
        await rewriteUnseen(file.location, "BBBB");
        return makesOut();
      },
    });
    await made.one({ files: [file] }, { executor });
    expect(made.seen("call.not-recorded")).toHaveLength(1);
    expect(made.seen("call.recorded")).toHaveLength(0);
  });
});

async function rewriteUnseen(path: string, text: string): Promise<void> {
  const { atime, mtime } = await stat(path);
  await writeFile(path, text);
  await utimes(path, atime, mtime);
}

describe("the final outputs", () => {
  it("that are missing from the cache are computed again", async () => {
    const made = await bench();
    await made.one();
    for await (const entry of made.store.list(freshAsk()))
      await rm((entry.outputs["out"] as FileValue).location);
    // The run found the entry before it disappeared: that is what the store answers.
    const summary = await made.run(async (host, ask) => {
      const result = await oneCall(host, {}, ask);
      return result;
    });
    expect(summary.state).toBe("succeeded");
    expect(await readFile(join(summary.directory, "out", "out", "out.txt"), "utf8")).toBe("result\n");
  });

  it.each(["gone", "changed"])("that are %s after they were found are computed again", async (how) => {
    const made = await bench();
    await made.one();
    const summary = await made.run(async (host, ask) => {
      const result = await oneCall(host, {}, ask);
      const { location } = result.outputs["scripted.out"] as FileValue;
      if (how === "gone") await rm(location);
      else {
        await chmod(location, 0o644);
        await rewriteUnseen(location, "RESULT\n");
      }
      return result;
    });
    expect(summary.state).toBe("succeeded");
    expect(summary.calls).toMatchObject({ reused: 0, computed: 1 });
    expect(await readFile(join(summary.directory, "out", "out", "out.txt"), "utf8")).toBe("result\n");
    expect((await made.one()).calls).toMatchObject({ reused: 1 });
  });

  it("that an expression of the workflow reads are computed again when they are missing", async () => {
    const made = await bench();
    await made.one();
    let text = "";
    const summary = await made.run(async (host, ask) => {
      const result = await oneCall(host, {}, ask);
      const { location } = result.outputs["scripted.out"] as FileValue;
      await rm(location);
      text = await host.files.readText(location, ask);
      return result;
    });
    expect([summary.state, text]).toEqual(["succeeded", "result\n"]);
  });

  it("are not read again by later runs that reuse them", async () => {
    const made = await bench();
    const memo = memoryMemo();
    let reads = 0;
    const counted = () => {
      const fingerprinter = createFingerprinter({ memo, policy: "content" });
      const contentOf = fingerprinter.contentOf.bind(fingerprinter);
      return Object.assign(fingerprinter, {
        contentOf: async (path: string, ask: Ask) => {
          const before = fingerprinter.stampAt(path);
          const known = before === undefined ? undefined : await memo.get(before);
          if (known === undefined) reads++;
          return contentOf(path, ask);
        },
      });
    };
    for (let n = 0; n < 3; n++) {
      const fingerprinter = counted();
      const { state } = await made.one({}, { parts: { fingerprinter } });
      expect(state).toBe("succeeded");
      await fingerprinter.close();
    }
    expect(reads).toBe(0);
  });

  it("that are inputs of the user are copies, not further names of the user's files", async () => {
    const made = await bench();
    const file = await input(made, "data", "AAAA");
    const before = await stat(file.location);
    const { directory } = await made.run(async () => ({ kind: "succeeded", outputs: { "w.in": file } }));
    expect(await readFile(join(directory, "out", "in", "data"), "utf8")).toBe("AAAA");
    const after = await stat(file.location);
    expect([after.nlink, after.ctimeMs]).toEqual([1, before.ctimeMs]);
  });
});
