import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import type { Attempt } from "./executor.ts";
import { type ScriptedEnd, ScriptedExecutor, ScriptedWorld, scriptedRefusal } from "./scripted-executor.ts";

const ask = freshAsk();
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "memoir-scripted-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function attempt(id: string): Promise<Attempt> {
  const directory = join(root, id);
  await mkdir(directory);
  const resources = { cpu: 1, memoryBytes: 0, gpu: 0 };
  return { id, directory, shell: ["sh"], inputs: [], env: {}, resources, network: false, labels: {} };
}

it("plays what the test says and leaves it in the attempt's directory", async () => {
  const executor = new ScriptedExecutor({
    play: (_attempt, nth) => ({ exitCode: nth, stdout: "hello\n", files: { "out.txt": "made" } }),
  });
  const [first, second] = [await attempt("a"), await attempt("b")];
  await executor.start(first, ask);
  await executor.start(first, ask);
  await executor.start(second, ask);
  expect(await executor.wait(first, ask)).toMatchObject({ kind: "exited", exitCode: 0 });
  expect(await executor.wait(second, ask)).toMatchObject({ kind: "exited", exitCode: 1 });
  expect(await readFile(join(first.directory, "stdout"), "utf8")).toBe("hello\n");
  expect(await readFile(join(first.directory, "work/out.txt"), "utf8")).toBe("made");
  expect(executor.started.map(({ id }) => id)).toEqual(["a", "b"]);
});

it("holds attempts until the test lets them go, and shows them to a second executor", async () => {
  const world = new ScriptedWorld();
  let letGo: (how: ScriptedEnd) => void = () => {};
  const held = new Promise<ScriptedEnd>((resolve) => {
    letGo = resolve;
  });
  const executor = new ScriptedExecutor({ world, play: () => held });
  const one = await attempt("a");
  await executor.start(one, ask);
  expect(executor.running()).toEqual(["a"]);
  const later = new ScriptedExecutor({ world });
  expect(await later.state(one, ask)).toEqual({ kind: "running" });
  const end = later.wait(one, ask);
  letGo({ exitCode: 4 });
  expect(await end).toMatchObject({ exitCode: 4 });
  expect(executor.mostAtOnce).toBe(1);
});

it("stops an attempt whose Ask is cancelled", async () => {
  const executor = new ScriptedExecutor({ play: () => new Promise(() => {}) });
  const one = await attempt("a");
  await executor.start(one, ask);
  const controller = new AbortController();
  const end = executor.wait(one, { signal: controller.signal });
  controller.abort();
  expect(await end).toEqual({ kind: "cancelled" });
  expect(executor.cancelled).toEqual(["a"]);
});

it("refuses the start that it is set up to refuse", async () => {
  const executor = new ScriptedExecutor({
    failStart: (_one, nth) => (nth === 0 ? scriptedRefusal() : undefined),
  });
  const one = await attempt("a");
  await expect(executor.start(one, ask)).rejects.toMatchObject({ code: "EXEC_START_FAILED" });
  await executor.start(one, ask);
  expect(await executor.wait(one, ask)).toMatchObject({ exitCode: 0 });
});
