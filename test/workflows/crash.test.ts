import { existsSync, readdirSync, readFileSync, utimesSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Started } from "../cli/memoir.ts";
import { onHost, runOnHost, Sandbox } from "./sandbox.ts";

/** Every computation leaves a line in `marks`, so that a test can count them whoever made them. */
const chain = (folder: string) => `version 1.1
task step {
  input { Int n  File? before }
  command <<<
    echo ~{n} >> ${folder}/marks
    cat ~{before} > out.txt
    echo ~{n} >> out.txt
    sleep 0.05
  >>>
  output { File out = "out.txt" }
}
workflow chain {
  input { Int width = 4  Int last = 0 }
  scatter (i in range(width)) {
    call step as first { input: n = i }
    call step as second { input: n = 100 + i, before = first.out }
  }
  call step as end { input: n = 1000 + last, before = second.out[0] }
  output { Array[File] outs = second.out  File end_out = end.out }
}
`;

/** Seconds that no other process sleeps for: those of this test are known by it. */
const mark = `87${process.pid}.321`;

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  await box.write("chain.wdl", chain(box.folder));
});
afterEach(() => box.remove());

const marks = async () => (await readFile(box.path("marks"), "utf8")).trim().split("\n");
const linesNow = () =>
  existsSync(box.path("marks")) ? readFileSync(box.path("marks"), "utf8").split("\n").length - 1 : 0;

/** Fails when the run ends before it is so. */
async function until(isSo: () => boolean, run: Started): Promise<void> {
  while (!isSo()) {
    if (run.process.exitCode !== null)
      throw new Error(`it ended with ${run.process.exitCode}:\n${run.err()}`);
    await pause(2);
  }
}

/** Starts a run, kills it with -9 once the given number of tasks have begun, and waits until it has ended. */
async function killedAfter(tasks: number, ...words: string[]): Promise<void> {
  const started = box.start("run", "chain.wdl", ...onHost, ...words);
  await until(() => linesNow() >= tasks, started);
  started.process.kill("SIGKILL");
  await started.ended;
}

describe("after kill -9", () => {
  it.each([1, 3, 6])(
    "of a run with %i tasks begun, the next run reuses everything recorded",
    async (tasks) => {
      await killedAfter(tasks);
      const recorded = readdirSync(box.path("cache"), { recursive: true }).filter((name) =>
        /entries\/..\/[0-9a-f]{64}\/[0-9a-f-]{36}\.json$/.test(String(name)),
      ).length;
      expect((await box.run("runs", "list")).out).toContain("crashed");
      const next = await runOnHost(box, "chain.wdl");
      expect(next.state).toBe("succeeded");
      expect(next.calls.reused).toBeGreaterThanOrEqual(recorded);
      expect(next.calls.reused + next.calls.computed).toBe(9);
      const last = await runOnHost(box, "chain.wdl");
      expect(last.calls).toMatchObject({ reused: 9, computed: 0 });
    },
  );

  it("of a run that records only failures, the next start records what was finished", async () => {
    await killedAfter(5, "--cache-behavior", "on-failure");
    const finished = readdirSync(join(box.home, "runs/_LAST")).includes("pending.jsonl")
      ? (await readFile(join(box.home, "runs/_LAST/pending.jsonl"), "utf8")).split('"entry":').length - 1
      : 0;
    const next = await runOnHost(box, "chain.wdl", "--cache-behavior", "on-failure");
    expect(next.calls.reused).toBe(finished);
    expect(next.state).toBe("succeeded");
  });

  it("none of the run's tasks continues", async () => {
    await box.write("chain.wdl", chain(box.folder).replace("sleep 0.05", `sleep ${mark}`));
    await killedAfter(1);
    await expect.poll(() => processesWith(mark)).toEqual([]);
  });
});

describe("eight runs of the same workflow, started together,", () => {
  it("compute each call once and all give the same outputs", async () => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => runOnHost(box, "chain.wdl")));
    expect(runs.every((run) => run.state === "succeeded")).toBe(true);
    const texts = await Promise.all(
      runs.map((run) => readFile(run.outputs["chain.end_out"] as string, "utf8")),
    );
    expect(new Set(texts).size).toBe(1);
    const all = await marks();
    expect(all.length).toBe(new Set(all).size);
    expect(all).toHaveLength(9);
    expect(runs.reduce((sum, run) => sum + run.calls.computed, 0)).toBe(9);
  });

  it("continue computing when the one that others wait for is killed", async () => {
    await box.write(
      "chain.wdl",
      chain(box.folder).replace("sleep 0.05", `[ -e ${box.path("go")} ] || sleep 43210.5`),
    );
    const first = box.start("run", "chain.wdl", "width=1", ...onHost);
    await until(() => linesNow() >= 1, first);
    const second = box.start("run", "chain.wdl", "width=1", ...onHost, "--json");
    const runs = join(box.home, "runs");
    const events = () =>
      readdirSync(runs)
        .filter((name) => /^\d/.test(name))
        .map((name) => join(runs, name, "events.jsonl"))
        .filter((path) => existsSync(path));
    await until(() => events().some((path) => readFileSync(path, "utf8").includes('"call.joined"')), second);
    await box.write("go", "");
    first.process.kill("SIGKILL");
    await first.ended;
    const { code, out } = await second.ended;
    expect(code).toBe(0);
    expect(JSON.parse(out).calls).toMatchObject({ computed: 3, reused: 0 });
  });
});

describe("a run that is stopped (SIGSTOP) while others wait for it", () => {
  it("is named, is not waited for endlessly, and continues correctly when it may", async () => {
    await box.write(
      "chain.wdl",
      chain(box.folder).replace("sleep 0.05", `until [ -e ${box.path("go")} ]; do sleep 0.05; done`),
    );
    const words = ["run", "chain.wdl", "width=1", ...onHost, "--json"];
    const holder = box.start(...words);
    try {
      await until(() => linesNow() === 1, holder);
      holder.process.kill("SIGSTOP");
      const second = box.start(...words);
      const named = `is being computed by run .*process ${holder.process.pid} on`;
      await until(() => new RegExp(named).test(second.err()), second);
      // As if it had been stopped for as long as nobody waits any more.
      const leases = readdirSync(box.path("cache"), { recursive: true, encoding: "utf8" });
      const lease = leases.find((name) => /\/leases\/..\/[0-9a-f]{64}$/.test(name)) ?? "";
      const longAgo = new Date(Date.now() - 3_600_000);
      utimesSync(box.path(`cache/${lease}`), longAgo, longAgo);
      await box.write("go", "");
      const { code, out, err } = await second.ended;
      expect([code, JSON.parse(out).calls.computed]).toEqual([0, 3]);
      expect(err).toMatch(/shows no sign of life/);
    } finally {
      holder.process.kill("SIGCONT");
    }
    const { code, out } = await holder.ended;
    expect(code).toBe(0);
    // What the other one computed meanwhile is there for it.
    expect(JSON.parse(out).calls).toMatchObject({ computed: 1, reused: 2 });
    expect((await runOnHost(box, "chain.wdl", "width=1")).calls).toMatchObject({ computed: 0, reused: 3 });
  });
});

describe("a cache that records on failure", () => {
  it("keeps the finished calls of a failed run, and nothing of a good one", async () => {
    const words = ["--cache-behavior", "on-failure"];
    const good = await runOnHost(box, "chain.wdl", "width=2", ...words);
    expect(good.calls.computed).toBe(5);
    const again = await runOnHost(box, "chain.wdl", "width=2", ...words);
    expect(again.calls.computed).toBe(5);
    await box.write(
      "chain.wdl",
      chain(box.folder).replace("echo ~{n} >> out.txt", "[ ~{n} -lt 1000 ] || exit 3; echo ~{n} >> out.txt"),
    );
    const failed = await runOnHost(box, "chain.wdl", "width=2", ...words);
    expect([failed.state, failed.calls.computed]).toEqual(["failed", 4]);
    const repaired = await runOnHost(box, "chain.wdl", "width=2", ...words);
    expect(repaired.calls.reused).toBe(4);
  });
});

/** Their command lines. */
function processesWith(text: string): readonly string[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(text));
}
