/** What happens to tasks when Memoir is killed: host tasks end with it, the next run adopts containers. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createContainerExecutor } from "../../src/exec/container/container-executor.ts";
import { findEngine } from "../../src/exec/container/find-engine.ts";
import { ImageStore } from "../../src/exec/container/image-store.ts";
import type { Attempt } from "../../src/exec/core/index.ts";
import { createHostExecutor } from "../../src/exec/local/host-executor.ts";
import { freshAsk, pause } from "../../src/kernel/index.ts";
import { limitMs } from "../limit.mjs";
import { bubblewrapRequirement } from "../servers/bubblewrap.ts";
import { dockerRequirement, startDocker } from "../servers/docker.ts";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import { testArchitecture, testImages, testImagesRequirement } from "../servers/test-images.ts";
import type { RunnerOrder } from "./runner.process.ts";

const ask = freshAsk();
const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };

let root: string;
let runner: string;
let serial = 0;

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "memoir-crash-")));
  runner = join(root, "runner.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("./runner.process.ts", import.meta.url))],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: runner,
    logLevel: "error",
  });
});

afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 20 }));

async function prepare(script: string): Promise<Attempt> {
  const id = `crash-${process.pid}-${serial++}`;
  const directory = join(root, id);
  await mkdir(directory);
  await writeFile(join(directory, "command"), script);
  const resources = { cpu: 1, memoryBytes: 0, gpu: 0 };
  return { id, directory, shell: ["/bin/sh"], inputs: [], env: {}, resources, network: false, labels: {} };
}

async function startRunner(order: RunnerOrder): Promise<ChildProcess> {
  const child = spawn(process.execPath, [runner, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`the runner ended with ${code}`)));
  });
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** Pids whose command line has this word. */
async function processesOf(word: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    if (words.includes(word)) found.push(pid);
  }
  return found;
}

/** Pids that work in an attempt's directory, or have it in their command line: the task, and who looks after it. */
async function processesIn(directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if ([cwd, ...words].some((path) => path.startsWith(directory))) found.push(pid);
  }
  return found;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + limitMs / 2; Date.now() < end; await pause(20, ask))
    if (await holds()) return;
  throw new Error(`within ${limitMs / 2000} s it did not come about that ${what}`);
}

const uniqueSeconds = () => `7${process.pid}${Date.now() % 1_000_000}${serial++}`.slice(0, 15);

/** A task that makes it hard: a child, a grandchild, and a daemon in a separate session. */
const nasty = (mark: string) =>
  `sleep ${mark} &
   (sh -c "sleep ${mark} & wait") &
   setsid sleep ${mark} >/dev/null 2>&1 &
   trap '' TERM
   while :; do sleep 0.05; done`;

/** The moments of a death one by one: tasks get TERM from the watchdog before anything else shows that Memoir died. */
async function endsUnknown(kind: "host" | "isolated"): Promise<void> {
  const attempt = await prepare(
    "trap 'echo > cleaned; exit 0' TERM; echo > ready; while :; do sleep 0.05; done",
  );
  const { directory } = attempt;
  const child = await startRunner({ kind, env, attempts: [attempt] });
  await until("the task runs", async () => (await readdir(join(directory, "work"))).includes("ready"));
  child.kill("SIGUSR2");
  await until("nothing of it is left", async () => (await processesIn(directory)).length === 0);
  await kill(child);
  expect(await readdir(join(directory, "work"))).toContain("cleaned");
  const next = createHostExecutor({ isolate: kind === "isolated", env });
  await next.open(ask);
  expect(await next.state(attempt, ask)).toEqual({ kind: "unknown" });
  await next.close();
}

describe("host tasks of a Memoir that was killed", () => {
  it("end with it, and are not taken for ended by themselves", async () => {
    const mark = uniqueSeconds();
    const attempt = await prepare(`sleep ${mark} & sleep ${mark}`);
    const child = await startRunner({ kind: "host", env, attempts: [attempt] });
    await until("the task runs", async () => (await processesOf(mark)).length === 2);
    await kill(child);
    await until("nothing of it is left", async () => (await processesOf(mark)).length === 0);
    await until("nobody works for it", async () => (await processesIn(attempt.directory)).length === 0);
    const next = createHostExecutor({ isolate: false, env });
    await next.open(ask);
    expect(await next.state(attempt, ask)).toEqual({ kind: "unknown" });
    await next.close();
  });

  it("are not taken for ended by themselves when they clean up and end well", () => endsUnknown("host"));

  it("leave no process, whatever they started, when the next Memoir has begun", async () => {
    const mark = uniqueSeconds();
    const attempts = await Promise.all([prepare(nasty(mark)), prepare(nasty(mark))]);
    const child = await startRunner({ kind: "host", env, attempts });
    await until("the tasks run", async () => (await processesOf(mark)).length >= 6);
    await kill(child);
    await until("only daemons are left", async () => (await processesOf(mark)).length <= 2);
    const next = createHostExecutor({ isolate: false, env });
    await next.open(ask);
    // Daemons that left the group are found through the control group; without one they stay.
    if (next.can.limitsMemory) expect(await processesOf(mark)).toEqual([]);
    await next.close();
    for (const pid of await processesOf(mark)) process.kill(Number(pid), "SIGKILL");
  });

  describeWith([bubblewrapRequirement], "in a sandbox", () => {
    it("leave no process at all", async () => {
      const mark = uniqueSeconds();
      const attempts = await Promise.all([prepare(nasty(mark)), prepare(nasty(mark))]);
      const child = await startRunner({ kind: "isolated", env, attempts });
      await until("the tasks run", async () => (await processesOf(mark)).length >= 6);
      await kill(child);
      await until("nothing of them is left", async () => (await processesOf(mark)).length === 0);
    });

    it("are not taken for ended by themselves when they clean up and end well", () =>
      endsUnknown("isolated"));
  });
});

for (const { requirement, start, title } of [
  { requirement: podmanRequirement, start: startPodman, title: "Podman" },
  { requirement: dockerRequirement, start: startDocker, title: "Docker" },
]) {
  describeWith([requirement, testImagesRequirement], `containers of ${title} whose Memoir was killed`, () => {
    it("run on and are taken up by the next one", async () => {
      const server = await start();
      try {
        const image = (await testImages()).busybox;
        await server.load(image);
        const pinned = {
          requested: image.reference,
          reference: image.configDigest,
          platform: `linux/${testArchitecture()}`,
          configDigest: image.configDigest,
        };
        const script = "echo > ready; while [ ! -e go ]; do sleep 0.05; done; echo done; exit 5";
        const [late, early] = await Promise.all([prepare(script), prepare(script)]);
        const attempts = [late, early].map((attempt) => ({ ...attempt, image: pinned }));
        const child = await startRunner({ kind: server.kind, env: server.env, attempts });
        for (const { directory } of attempts)
          await until("the tasks run", async () =>
            (await readdir(join(directory, "work"))).includes("ready"),
          );
        await kill(child);
        // One ends while nobody watches, the other after it was taken up.
        await writeFile(join(early.directory, "work/go"), "");
        await until("it has ended", async () => (await readdir(early.directory)).includes("rc"));
        const engine = await findEngine({ engine: server.kind, env: server.env, home: "/" }, ask);
        const credentials = { env: server.env, home: "/" };
        const next = createContainerExecutor({ engine, images: new ImageStore({ engine, credentials }) });
        await next.open(ask);
        for (const attempt of attempts) await next.start(attempt, ask);
        const ends = Promise.all(attempts.map((attempt) => next.wait(attempt, ask)));
        await writeFile(join(late.directory, "work/go"), "");
        for (const end of await ends) expect(end).toMatchObject({ kind: "exited", exitCode: 5 });
        for (const attempt of attempts) {
          expect(await readFile(join(attempt.directory, "stdout"), "utf8")).toBe("done\n");
          await next.remove(attempt, ask);
        }
        await next.close();
      } finally {
        await server.stop();
      }
    });
  });
}
