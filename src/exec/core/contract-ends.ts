import { expect, it } from "vitest";
import { type ContractBench, mebibyte, uniqueSeconds, vanishes } from "./contract-bench.ts";

export function endsOfTasks(bench: ContractBench): void {
  const { prepare, run, exitCodeOf, read, ask, contract } = bench;

  it("keeps streams, outputs and exit code of a task that succeeds", async () => {
    const attempt = await prepare("echo to out; echo to err >&2; pwd; echo made > made.txt");
    const end = await run(attempt);
    expect(end).toMatchObject({ kind: "exited", exitCode: 0, outOfMemory: false });
    expect(await read(attempt, "stdout")).toMatch(/^to out\n\/.*work\n$/);
    expect(await read(attempt, "stderr")).toBe("to err\n");
    expect(await read(attempt, "work/made.txt")).toBe("made\n");
    expect(await read(attempt, "rc")).toBe("0\n");
  });

  it("measures wall time and, where it can, cpu time", async () => {
    const attempt = await prepare("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; cat /dev/null");
    const startedAt = performance.now();
    const end = await run(attempt);
    if (end.kind !== "exited") throw new Error(JSON.stringify(end));
    expect(end.usage.wallSeconds).toBeGreaterThan(0);
    expect(end.usage.wallSeconds).toBeLessThan((performance.now() - startedAt) / 1000 + 1);
    if (end.usage.cpuSeconds !== null) expect(end.usage.cpuSeconds).toBeGreaterThan(0);
  });

  it("passes exit codes through", async () => {
    expect(await exitCodeOf("exit 7")).toBe(7);
    expect(await exitCodeOf("exit 255")).toBe(255);
  });

  it("reports signals as 128 + n", async () => {
    expect(await exitCodeOf("kill -KILL $$")).toBe(137);
    expect(await exitCodeOf("kill -SEGV $$")).toBe(139);
  });

  it("ends with 127 and a word on stderr when a command is not found", async () => {
    const attempt = await prepare("no-such-command-anywhere");
    expect(await run(attempt)).toMatchObject({ kind: "exited", exitCode: 127 });
    expect(await read(attempt, "stderr")).toContain("no-such-command-anywhere");
  });

  it("ends with 127 when the shell that the task names is not there", async () => {
    expect(await exitCodeOf("exit 0", { shell: ["/no/such/shell"] })).toBe(127);
  });

  it("gives a task no input to read", async () => {
    const attempt = await prepare("cat; echo end");
    expect(await run(attempt)).toMatchObject({ exitCode: 0 });
    expect(await read(attempt, "stdout")).toBe("end\n");
  });

  it("keeps long streams whole", async () => {
    const attempt = await prepare("head -c 3000000 /dev/zero | tr '\\0' a");
    expect(await run(attempt)).toMatchObject({ exitCode: 0 });
    expect(await bench.files(attempt).stat("/mnt/memoir/stdout")).toMatchObject({ sizeBytes: 3_000_000 });
  });

  it("runs an attempt once however often it is started", async () => {
    const attempt = await prepare("echo ran >> count; while [ ! -e go ]; do sleep 0.05; done");
    await Promise.all([bench.executor.start(attempt, ask), bench.executor.start(attempt, ask)]);
    await bench.executor.start(attempt, ask);
    expect(await bench.executor.state(attempt, ask)).toEqual({ kind: "running" });
    await bench.leave(attempt, "work/go");
    expect(await bench.executor.wait(attempt, ask)).toMatchObject({ kind: "exited", exitCode: 0 });
    await bench.executor.start(attempt, ask);
    expect(await bench.executor.wait(attempt, ask)).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(await read(attempt, "work/count")).toBe("ran\n");
    await bench.executor.remove(attempt, ask);
  });

  it("knows nothing of an attempt that was never started", async () => {
    expect(await bench.executor.state(await prepare("exit 0"), ask)).toEqual({ kind: "unknown" });
  });

  it("knows an ended attempt, also after its removal and in another executor", async () => {
    const attempt = await prepare("exit 3");
    await run(attempt);
    await bench.executor.remove(attempt, ask);
    const later = await contract.make();
    try {
      expect(await later.state(attempt, ask)).toMatchObject({
        kind: "ended",
        end: { kind: "exited", exitCode: 3 },
      });
      await later.start(attempt, ask);
      expect(await later.wait(attempt, ask)).toMatchObject({ kind: "exited", exitCode: 3 });
    } finally {
      await later.close();
    }
  });

  it("leaves a running attempt to the next executor, or takes it along when it closes", async () => {
    const first = await contract.make();
    const mark = uniqueSeconds();
    const attempt = await prepare(
      `sleep ${mark} & echo > ready; while [ ! -e go ]; do sleep 0.05; done; exit 6`,
    );
    await first.start(attempt, ask);
    const left = first.wait(attempt, ask).catch(() => undefined);
    await bench.appears(attempt, "work/ready");
    await first.close();
    if (!first.can.survives) {
      await left;
      await vanishes(mark);
      return;
    }
    const second = await contract.make();
    try {
      expect(await second.state(attempt, ask)).toEqual({ kind: "running" });
      await second.start(attempt, ask);
      const end = second.wait(attempt, ask);
      await bench.leave(attempt, "work/go");
      expect(await end).toMatchObject({ kind: "exited", exitCode: 6 });
      await second.remove(attempt, ask);
      await vanishes(mark);
    } finally {
      await second.close();
    }
  });

  it("leaves no process of a cancelled attempt", async () => {
    const mark = uniqueSeconds();
    const attempt = await prepare(
      `trap 'echo cleaned > cleaned; exit 1' TERM
       (sleep ${mark} & sleep ${mark} & wait) &
       echo > ready
       while :; do sleep 0.05; done`,
    );
    const controller = new AbortController();
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, { signal: controller.signal });
    await bench.appears(attempt, "work/ready");
    controller.abort();
    expect(await end).toEqual({ kind: "cancelled" });
    await vanishes(mark);
    if (contract.graceful) expect(await read(attempt, "work/cleaned")).toBe("cleaned\n");
    expect(await bench.executor.state(attempt, ask)).toEqual({ kind: "ended", end: { kind: "cancelled" } });
    await bench.executor.remove(attempt, ask);
  });

  it("kills what ignores the request to end", async () => {
    const mark = uniqueSeconds();
    const attempt = await prepare(`trap '' TERM; echo > ready; sleep ${mark}`);
    const controller = new AbortController();
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, { signal: controller.signal });
    await bench.appears(attempt, "work/ready");
    controller.abort();
    expect(await end).toEqual({ kind: "cancelled" });
    await vanishes(mark);
    await bench.executor.remove(attempt, ask);
  });

  it.each([
    ["cancelled", {}],
    ["timed-out", { timeoutMs: 3_000 }],
  ])(
    "calls a task %s that ends well when it is asked to end, also where no word of it can be left",
    async (kind, more) => {
      const script = "mkdir ../stopped; trap 'exit 0' TERM; echo > ready; while :; do sleep 0.05; done";
      const attempt = await prepare(script, more);
      const controller = new AbortController();
      await bench.executor.start(attempt, ask);
      const end = bench.executor.wait(attempt, { signal: controller.signal });
      if (kind === "cancelled") {
        await bench.appears(attempt, "work/ready");
        controller.abort();
      }
      expect(await end).toMatchObject({ kind });
      await bench.executor.remove(attempt, ask);
    },
  );

  it("ends a task whose time is up and says so", async () => {
    const mark = uniqueSeconds();
    const end = await run(await prepare(`sleep ${mark}`, { timeoutMs: 1_000 }));
    expect(end).toMatchObject({ kind: "timed-out" });
    await vanishes(mark);
  });

  it("leaves no background process of a task that ended", async () => {
    const mark = uniqueSeconds();
    expect(await exitCodeOf(`sleep ${mark} & exit 0`)).toBe(0);
    await vanishes(mark);
  });

  it("reports that memory ran out, also when only a child was killed", async ({ skip }) => {
    skip(!bench.executor.can.limitsMemory, "memory cannot be limited here");
    const attempt = await prepare(
      `sh -c 'a=$(head -c 300000000 /dev/zero | tr "\\0" x); echo \${#a}'; exit 5`,
      { resources: { cpu: 1, memoryBytes: 64 * mebibyte, gpu: 0 } },
    );
    const end = await run(attempt);
    expect(end).toMatchObject({ kind: "exited", outOfMemory: true });
    if (end.kind === "exited") expect(end.exitCode).not.toBe(0);
  });
}
