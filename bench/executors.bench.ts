/**
 * What an executor adds to a trivial task: the same script as a plain process, on the host executor, isolated, and in
 * containers of the engines that can be started here; 4 tasks at a time. Goal: at most 8 ms a task on the host.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContainerExecutor } from "../src/exec/container/container-executor.ts";
import { findEngine } from "../src/exec/container/find-engine.ts";
import { ImageStore } from "../src/exec/container/image-store.ts";
import type { Attempt, Executor, PinnedImage } from "../src/exec/core/index.ts";
import { createHostExecutor } from "../src/exec/local/host-executor.ts";
import { freshAsk, mapBounded } from "../src/kernel/index.ts";

const atOnce = 4;
const script = "echo hello\n";
const ask = freshAsk();
const root = mkdtempSync(join(tmpdir(), "memoir-bench-"));
const env = Object.fromEntries(
  Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined),
);
let serial = 0;

try {
  writeFileSync(join(root, "script"), script);
  for (const isolate of [false, true]) {
    const executor = createHostExecutor({ isolate, env });
    await measure(isolate ? "isolated host" : "host", executor, 400, undefined);
  }
  // BENCH_IMAGE names an image of this machine's engine that has /bin/sh: `localhost/memoir-test/busybox:1`.
  const image = env["BENCH_IMAGE"];
  if (image !== undefined) {
    const where = { env, home: env["HOME"] ?? "/" };
    const engine = await findEngine(where, ask);
    const images = new ImageStore({ engine, credentials: where });
    const { id } = (await images.find(image, ask)) ?? { id: "" };
    if (id === "") throw new Error(`${engine.facts.kind} has no image ${image}`);
    const pinned = { requested: image, reference: id, platform: engine.facts.platform, configDigest: id };
    await measure(engine.facts.kind, createContainerExecutor({ engine, images }), 40, pinned);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function measure(name: string, executor: Executor, tasks: number, image: PinnedImage | undefined) {
  await executor.open(ask);
  const numbers = Array.from({ length: tasks }, (_, i) => i);
  const each = async (work: () => Promise<void>) => {
    const from = performance.now();
    await mapBounded(numbers, atOnce, work);
    return (performance.now() - from) / tasks;
  };
  await runTask(executor, image);
  const peer = await each(runBare);
  const ours = await each(() => runTask(executor, image));
  await executor.close();
  const round = (value: number) => Math.round(value * 100) / 100;
  console.log(
    `${name}: ${round(ours)} ms a task, plain process ${round(peer)} ms, ${round(ours - peer)} ms more`,
  );
  const bench = `a trivial task on the ${name} against a plain process`;
  console.log(
    JSON.stringify({ bench, ratio: round(ours / peer), ours: round(ours), peer: round(peer), unit: "ms" }),
  );
}

function runBare(): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", [join(root, "script")], { stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", () => resolve());
  });
}

async function runTask(executor: Executor, image: PinnedImage | undefined): Promise<void> {
  const id = `bench-${process.pid}-${serial++}`;
  const directory = join(root, id);
  mkdirSync(directory);
  writeFileSync(join(directory, "command"), script);
  const attempt: Attempt = {
    id,
    directory,
    shell: ["/bin/sh"],
    inputs: [],
    env: {},
    ...(image === undefined ? {} : { image }),
    resources: { cpu: 1, memoryBytes: 2 ** 30, gpu: 0 },
    network: false,
    labels: {},
  };
  await executor.start(attempt, ask);
  const end = await executor.wait(attempt, ask);
  await executor.remove(attempt, ask);
  if (end.kind !== "exited" || end.exitCode !== 0) throw new Error(`${id} ended as ${JSON.stringify(end)}`);
}
