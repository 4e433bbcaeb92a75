import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ScriptedExecutor } from "../exec/core/index.ts";
import { AppError, freshAsk } from "../kernel/index.ts";
import { createFingerprinter, memoryMemo } from "../keys/index.ts";
import type { FileValue } from "../task/index.ts";
import { explainRun } from "./explain.ts";
import { predictReuse } from "./predict-reuse.ts";
import {
  type Bench,
  oneCall,
  openBench,
  type ScriptedTask,
  scriptedImages,
  scriptedProgram,
} from "./scripted-run.ts";

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

async function open(): Promise<Bench> {
  bench = await openBench(new ScriptedExecutor({ play: () => ({ files: { "out.txt": "x" } }) }));
  return bench;
}

async function words(made: Bench, task: ScriptedTask): Promise<string[]> {
  const { directory, run } = await made.one(task);
  const { computed } = await explainRun({ directory, id: run }, made.store, freshAsk());
  return computed.map((one) => one.words);
}

async function input(made: Bench, text: string): Promise<FileValue> {
  const location = join(made.folder, "in.txt");
  await writeFile(location, text);
  return { kind: "file", location, basename: "in.txt" };
}

describe("the explanation of a miss", () => {
  it("says when nothing of the task was recorded", async () => {
    expect(await words(await open(), {})).toEqual(["no result of a task named work was recorded before"]);
  });

  it("names the component that differs from the nearest entry", async () => {
    const made = await open();
    await made.one({ command: "sort -n", files: [await input(made, "1")] });
    await made.one({ command: "something\nelse", files: [await input(made, "9")] });
    expect(await words(made, { command: "sort -n", files: [await input(made, "2")] })).toEqual([
      expect.stringMatching(
        /^input inputs\/0\/in.txt has other content: sha256:6b86b273ff34… -> sha256:d4735e3a265e…$/,
      ),
    ]);
  });

  it("prefers the entry of the same call among equally near ones, then the newest", async () => {
    const made = await open();
    const task = (path: string, word: string) => ({ path, command: `echo ${word}` });
    const nearest = async (path: string, word: string) => {
      const { directory, run } = await made.one(task(path, word));
      const { computed } = await explainRun({ directory, id: run }, made.store, freshAsk());
      return computed[0]?.nearest?.call;
    };
    await made.one(task("main.work[0]", "a"));
    await made.one(task("main.work[1]", "b"));
    await made.one(task("main.work[2]", "c"));
    expect(await nearest("main.work[1]", "changed")).toBe("main.work[1]");
    expect(await nearest("main.work[7]", "changed again")).toBe("main.work[1]");
  });

  it("says why a call is never reused", async () => {
    const made = await open();
    const task = { change: { cachePolicy: { kind: "never", reason: "meta.volatile is true" } } } as const;
    expect(await words(made, task)).toEqual(["meta.volatile is true"]);
  });

  it("finds a task that was renamed by its command", async () => {
    const made = await open();
    await made.one({ name: "old" });
    expect(await words(made, { name: "new" })).toEqual(["the task's name changed: old -> new"]);
  });

  it("reports entries whose files are missing", async () => {
    const made = await open();
    await made.one();
    const { rm } = await import("node:fs/promises");
    for await (const entry of made.store.list(freshAsk()))
      await rm((entry.outputs["out"] as FileValue).location, { force: true });
    expect((await words(made, {}))[0]).toContain("its files were missing");
  });
});

describe("the prediction of reuse", () => {
  const predict = async (made: Bench, task: ScriptedTask) => {
    const fingerprinter = createFingerprinter({ memo: memoryMemo(), policy: "content" });
    const parts = {
      program: scriptedProgram((host, ask) => oneCall(host, task, ask)),
      language: "wdl",
      filesInJson: "path",
      source: "scripted",
      executor: made.executor,
      images: scriptedImages(),
      fingerprinter,
      cache: { store: made.store, behavior: "always", hostTasks: false, resources: "ignored" },
      limits: {},
      failure: "slow",
    } as const;
    const inputs = { values: {}, baseDir: made.folder };
    const predicted = await predictReuse(parts, inputs, join(made.folder, "scratch"), freshAsk());
    await fingerprinter.close();
    return predicted;
  };

  it("reports what would be reused and what would be computed, and computes nothing", async () => {
    const made = await open();
    expect(await predict(made, {})).toMatchObject({
      complete: false,
      calls: [{ kind: "compute", task: "work" }],
    });
    expect(made.executor.started).toHaveLength(0);
    await made.one();
    expect(await predict(made, {})).toMatchObject({
      complete: true,
      calls: [{ kind: "reuse", fromRun: "run-1" }],
    });
    expect(await predict(made, { command: "changed" })).toMatchObject({
      calls: [{ kind: "compute", why: { words: expect.stringContaining("the command changed") } }],
    });
  });

  it("is to compute when the cache cannot be asked, with that reason", async () => {
    const made = await open();
    await made.one();
    const store = {
      ...made.store,
      uri: made.store.uri,
      find: () => Promise.reject(new AppError("STORE_NOT_READABLE", "reading the cache: no route to it")),
    };
    expect(await predict({ ...made, store }, {})).toMatchObject({
      complete: false,
      calls: [
        {
          kind: "compute",
          why: { reason: { kind: "trouble" }, words: expect.stringContaining("no route to it") },
        },
      ],
    });
  });

  it("reports what could not even be started", async () => {
    const made = await open();
    const missing: FileValue = { kind: "file", location: "/nowhere/x", basename: "x" };
    expect(await predict(made, { files: [missing] })).toMatchObject({ calls: [{ kind: "fail" }] });
  });
});
