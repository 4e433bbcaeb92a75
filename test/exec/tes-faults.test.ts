/** What can go wrong at a TES service, or on the way to it. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { ContractBench } from "../../src/exec/core/contract-bench.ts";
import type { Attempt } from "../../src/exec/core/index.ts";
import { checkTes } from "../../src/exec/remote/check-tes.ts";
import { TesClient } from "../../src/exec/remote/tes-client.ts";
import { sha256 } from "../../src/hash/index.ts";
import { freshAsk, type TaskPath } from "../../src/kernel/index.ts";
import { podmanRequirement } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import { s3Requirement } from "../servers/s3.ts";
import { TesBench } from "../servers/tes-bench.ts";
import { testImagesRequirement } from "../servers/test-images.ts";

const ask = freshAsk();
const waits = "echo > ready; while [ ! -e go ]; do sleep 0.05; done; echo done";

describeWith([podmanRequirement, s3Requirement, testImagesRequirement], "a TES service in trouble", () => {
  const tes = new TesBench();
  const bench = new ContractBench({
    name: "a TES service",
    graceful: false,
    hidesProcesses: true,
    make: async () => {
      const executor = tes.makeExecutor();
      await executor.open(ask);
      return executor;
    },
    image: () => tes.image,
    inside: (attempt) => tes.inside(attempt),
  });

  beforeAll(async () => {
    await tes.open();
    await bench.open();
  });
  afterEach(() => tes.server.behave());
  afterAll(async () => {
    await bench.close();
    await tes.close();
  });

  const taskOf = (attempt: Attempt) => tes.server.tasksOf(attempt.id)[0]?.id ?? "";

  it("is asked again while it is busy", async () => {
    tes.server.faults.busyAnswers = 3;
    expect(await bench.exitCodeOf("exit 4")).toBe(4);
    expect(tes.server.faults.busyAnswers).toBe(0);
  });

  it("runs a task once whose creation was never confirmed", async () => {
    tes.server.faults.lostAnswers = 1;
    const attempt = await bench.prepare("echo once");
    expect(await bench.run(attempt)).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(tes.server.tasksOf(attempt.id)).toHaveLength(1);
  });

  it("cancels the second task of an attempt that its late lists have led to, and believes only one", async () => {
    tes.server.faults.lostAnswers = 1;
    tes.server.faults.lateLists = true;
    const attempt = await bench.prepare(waits);
    await bench.executor.start(attempt, ask);
    expect(tes.server.tasksOf(attempt.id)).toHaveLength(2);
    tes.server.faults.lateLists = false;
    const end = bench.executor.wait(attempt, ask);
    // The first of them is the one that nobody knows of.
    const [, second] = tes.server.tasksOf(attempt.id);
    await tes.leaveIn(second?.id ?? "", "work/go");
    expect(await end).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(await bench.read(attempt, "stdout")).toBe("done\n");
    await tes.server.settled();
    expect(tes.server.tasksOf(attempt.id).map(({ state }) => state)).toEqual(["CANCELED", "COMPLETE"]);
  });

  it.each([
    ["do not name a task (yet)", { lateLists: true }],
    ["name everybody's tasks", { knowsNoTags: true }],
  ])("finds the end of a task whose lists %s", async (_, faults) => {
    Object.assign(tes.server.faults, faults);
    expect(await bench.exitCodeOf("exit 6")).toBe(6);
  });

  it.each(["PREEMPTED", "SYSTEM_ERROR", "CANCELED"] as const)(
    "calls an attempt lost that it ends as %s",
    async (state) => {
      const attempt = await bench.prepare(waits);
      await bench.executor.start(attempt, ask);
      const end = bench.executor.wait(attempt, ask);
      await bench.appears(attempt, "work/ready");
      await tes.server.end(taskOf(attempt), state, "the machine was taken away");
      const words = state === "CANCELED" ? "cancelled by somebody else" : "the machine was taken away";
      expect(await end).toMatchObject({ kind: "lost", message: expect.stringContaining(words) });
    },
  );

  it("calls an attempt lost that the service no longer knows", async () => {
    const attempt = await bench.prepare(waits);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.appears(attempt, "work/ready");
    const id = taskOf(attempt);
    tes.server.forget(id);
    expect(await end).toMatchObject({ kind: "lost", message: expect.stringContaining("no longer knows") });
  });

  it("never begins a task with other bytes than its call was identified with", async () => {
    const data = await bench.source("data.txt", "the bytes\n");
    tes.server.faults.spoiledInput = sha256("the bytes\n");
    const attempt = await bench.prepare("cat ../inputs/0/data.txt", {
      inputs: [{ path: "/mnt/memoir/inputs/0/data.txt" as TaskPath, source: data }],
    });
    expect(await bench.run(attempt)).toMatchObject({
      kind: "lost",
      message: expect.stringContaining("/mnt/memoir/inputs/0/data.txt has the SHA-256"),
    });
  });

  it("never takes results that have not all arrived", async () => {
    const executor = tes.makeExecutor({ times: { pollMs: 50, settleMs: 200 } });
    await executor.open(ask);
    tes.server.faults.lostOutputs = 1;
    const attempt = await bench.prepare("echo > made");
    await executor.start(attempt, ask);
    expect(await executor.wait(attempt, ask)).toMatchObject({
      kind: "lost",
      message: expect.stringContaining("is not there"),
    });
    await executor.close();
  });

  it("distinguishes a task whose container has no shell from one that was lost", async () => {
    tes.server.faults.ignoresIgnoreError = true;
    const attempt = await bench.prepare("exit 0", { image: tes.emptyImage });
    expect(await bench.run(attempt)).toMatchObject({ kind: "exited", exitCode: 127 });
  });

  it("ends a task that is cancelled while it still waits, also where its answer is a conflict", async () => {
    tes.server.faults.holds = true;
    tes.server.faults.conflicts = true;
    const controller = new AbortController();
    const attempt = await bench.prepare("exit 0");
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, { signal: controller.signal });
    controller.abort();
    expect(await end).toEqual({ kind: "cancelled" });
    expect(await tes.objectsOf(attempt)).toEqual([]);
  });

  it("leaves nothing in the work prefix of a task that was cancelled while it ran", async () => {
    const controller = new AbortController();
    const attempt = await bench.prepare(waits);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, { signal: controller.signal });
    await bench.appears(attempt, "work/ready");
    controller.abort();
    expect(await end).toEqual({ kind: "cancelled" });
    expect(tes.server.tasksOf(attempt.id).map(({ state }) => state)).toEqual(["CANCELED"]);
    expect(await tes.objectsOf(attempt)).toEqual([]);
  });

  it("names at once a task that asks for more memory than there is, and leaves nothing", async () => {
    tes.server.faults.mostMemory = 8;
    const attempt = await bench.prepare("exit 0", { resources: { cpu: 1, memoryBytes: 64e9, gpu: 0 } });
    await expect(bench.run(attempt)).rejects.toMatchObject({
      code: "EXEC_JOB_REFUSED",
      message: expect.stringContaining("no machine has more than 8 GB"),
    });
    expect(tes.server.tasksOf(attempt.id)).toEqual([]);
    expect(await bench.executor.state(attempt, ask)).toEqual({ kind: "unknown" });
  });

  it("names an image that the service cannot get", async () => {
    const reference = "127.0.0.1:9/none/such:1";
    const attempt = await bench.prepare("exit 0", { image: { ...tes.image, reference } });
    expect(await bench.run(attempt)).toMatchObject({
      kind: "lost",
      message: expect.stringContaining(reference),
    });
  });

  it("names at once a work prefix that is not there", async () => {
    const executor = tes.makeExecutor({ work: tes.openObjects("s3://memoir-no-such-bucket/work") });
    await expect(executor.open(ask)).rejects.toMatchObject({ code: "STORE_BUCKET_NOT_FOUND" });
    await executor.close();
  });

  it("names at once that it refuses the credentials, and doctor does as well", async () => {
    const locked = await tes.lockedServer("secret");
    try {
      const executor = tes.makeExecutor({ client: new TesClient({ url: locked.url }) });
      await expect(executor.open(ask)).rejects.toMatchObject({
        code: "EXEC_SERVICE_FAILED",
        message: expect.stringContaining("401"),
      });
      await executor.close();
      expect(await checkTes({ MEMOIR_TES_URL: locked.url }, ask)).toMatchObject({ state: "trouble" });
      const env = { MEMOIR_TES_URL: locked.url, MEMOIR_TES_TOKEN: "secret" };
      expect(await checkTes(env, ask)).toMatchObject({
        state: "ok",
        detail: expect.stringContaining("1.1.0"),
      });
      expect(await checkTes({}, ask)).toMatchObject({ state: "absent" });
    } finally {
      await locked.stop();
    }
  });

  it("finds an attempt again whose creation a Memoir that died had only asked for", async () => {
    const attempt = await bench.prepare("echo again");
    await bench.executor.start(attempt, ask);
    await bench.executor.wait(attempt, ask);
    const other = await bench.prepare("echo never", { id: attempt.id });
    const record = {
      submissions: [tes.submissionOf(attempt)],
      group: { key: "memoir.attempt", value: attempt.id },
    };
    await tes.leaveRecord(other, { ...record, staged: [] });
    expect(await bench.executor.state(other, ask)).toMatchObject({ kind: "ended", end: { exitCode: 0 } });
    expect(await bench.read(other, "stdout")).toBe("again\n");
    expect(tes.server.tasksOf(attempt.id)).toHaveLength(1);
  });
});
