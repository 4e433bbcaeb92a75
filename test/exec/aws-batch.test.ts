/** The executors' contract on AWS Batch, as far as a server that speaks its API and runs its containers shows it. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { ContractBench } from "../../src/exec/core/contract-bench.ts";
import { executorContract } from "../../src/exec/core/executor-contract.ts";
import type { Attempt } from "../../src/exec/core/index.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { limitMs } from "../limit.mjs";
import { BatchBench } from "../servers/batch-bench.ts";
import { podmanRequirement } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import { s3Requirement } from "../servers/s3.ts";
import { testImagesRequirement } from "../servers/test-images.ts";

const ask = freshAsk();
const waits = "echo > ready; while [ ! -e go ]; do sleep 0.05; done; echo done";

describeWith([podmanRequirement, s3Requirement, testImagesRequirement], "AWS Batch", () => {
  const batch = new BatchBench();
  const contract = {
    name: "AWS Batch",
    graceful: false,
    hidesProcesses: true,
    make: async () => {
      const executor = batch.makeExecutor();
      await executor.open(ask);
      return executor;
    },
    image: () => batch.image,
    inside: (attempt: Attempt) => batch.inside(attempt),
  };
  const bench = new ContractBench(contract);

  beforeAll(async () => {
    await batch.open();
    await bench.open();
  });
  afterEach(() => batch.server.behave());
  afterAll(async () => {
    await bench.close();
    await batch.close();
  });

  const jobOf = (attempt: Attempt) => batch.server.jobsOf(attempt.id)[0]?.id ?? "";

  executorContract(contract);

  it("registers one job definition for all jobs with the same images", async () => {
    const before = batch.server.definitions;
    await bench.exitCodeOf("exit 0", { resources: { cpu: 2, memoryBytes: 1e9, gpu: 0 } });
    await bench.exitCodeOf("exit 1", { env: { A: "b" } });
    expect(batch.server.definitions).toBe(before);
  });

  it("is asked again while it throttles", async () => {
    batch.server.faults.throttled = 12;
    expect(await bench.exitCodeOf("exit 4")).toBe(4);
    expect(batch.server.faults.throttled).toBe(0);
  });

  it("runs a job once whose submission was never confirmed", async () => {
    batch.server.faults.lostAnswers = 1;
    const attempt = await bench.prepare("echo done");
    expect(await bench.run(attempt)).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(await bench.read(attempt, "stdout")).toBe("done\n");
    expect(batch.server.jobsOf(attempt.id)).toHaveLength(1);
  });

  it("cancels the second job of an attempt that its late lists have led to, and believes only one", async () => {
    batch.server.faults.lostAnswers = 1;
    batch.server.faults.lateLists = true;
    const attempt = await bench.prepare(waits);
    await bench.executor.start(attempt, ask);
    expect(batch.server.jobsOf(attempt.id)).toHaveLength(2);
    batch.server.faults.lateLists = false;
    const end = bench.executor.wait(attempt, ask);
    // The first of them is the one that nobody knows of.
    const [, second] = batch.server.jobsOf(attempt.id);
    await batch.leaveIn(second?.id ?? "", "work/go");
    expect(await end).toMatchObject({ kind: "exited", exitCode: 0 });
    await batch.server.settled();
    expect(batch.server.jobsOf(attempt.id).map(({ status }) => status)).toEqual(["FAILED", "SUCCEEDED"]);
  });

  it.each([
    ["whose spot machine was taken away", "Host EC2 (instance i-0123) terminated.", "Host EC2"],
    ["that the service itself ended", "Job timed out", "Job timed out"],
  ])("calls an attempt lost %s", async (_, reason, words) => {
    const attempt = await bench.prepare(waits);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.appears(attempt, "work/ready");
    await batch.server.end(jobOf(attempt), reason);
    expect(await end).toMatchObject({ kind: "lost", message: expect.stringContaining(words) });
  });

  it("calls an attempt lost that it has forgotten", async () => {
    const attempt = await bench.prepare(waits);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.appears(attempt, "work/ready");
    const id = jobOf(attempt);
    batch.server.forget(id);
    expect(await end).toMatchObject({ kind: "lost", message: expect.stringContaining("no longer knows") });
  });

  it("reports why a job does not start, and leaves nothing of it when it is cancelled", async () => {
    const reason = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - no compute environment is large enough";
    batch.server.faults.holds = reason;
    const controller = new AbortController();
    const attempt = await bench.prepare("exit 0");
    const executor = batch.makeExecutor();
    await executor.start(attempt, ask);
    const end = executor.wait(attempt, { signal: controller.signal });
    while (!batch.said.some((words) => words.includes(reason)))
      await new Promise((done) => setTimeout(done, 20));
    controller.abort();
    expect(await end).toEqual({ kind: "cancelled" });
    expect(await batch.objectsOf(attempt)).toEqual([]);
    await executor.close();
  });

  it("refuses a job that no machine of the queue is large enough for, and cancels it", async () => {
    batch.server.faults.holds = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job asks for too much";
    const times = { pollMs: 100, missingMs: 500, stuckMs: 200, settleMs: 60_000, awayMs: limitMs };
    const attempt = await bench.prepare("exit 0");
    const executor = batch.makeExecutor({ times });
    await executor.start(attempt, ask);
    await expect(executor.wait(attempt, ask)).rejects.toMatchObject({
      code: "EXEC_JOB_REFUSED",
      message: expect.stringContaining("The job asks for too much"),
    });
    expect(batch.server.jobsOf(attempt.id).map(({ status }) => status)).toEqual(["FAILED"]);
    expect(await batch.objectsOf(attempt)).toEqual([]);
    await executor.close();
  });

  it.each([
    ["is not there", { queue: "nowhere" }, {}, "there is no job queue nowhere"],
    ["is disabled", {}, { state: "DISABLED" }, "is disabled"],
    ["is not valid", {}, { status: "INVALID" }, "is invalid"],
  ])("names at once a job queue that %s", async (_, client, queue, words) => {
    Object.assign(batch.server.queue, queue);
    const executor = batch.makeExecutor({}, client);
    await expect(executor.open(ask)).rejects.toMatchObject({
      code: "EXEC_SERVICE_FAILED",
      message: expect.stringContaining(words),
    });
    await executor.close();
  });

  it("names at once a queue that is disabled meanwhile", async () => {
    batch.server.queue.state = "DISABLED";
    await expect(bench.run(await bench.prepare("exit 0"))).rejects.toMatchObject({
      code: "EXEC_JOB_REFUSED",
      message: expect.stringContaining("is disabled"),
    });
  });

  it("reports that memory ran out, also when only a child was killed", async () => {
    batch.server.faults.memoryBytes = 64 * 2 ** 20;
    const attempt = await bench.prepare(
      `sh -c 'a=$(head -c 300000000 /dev/zero | tr "\\0" x); echo \${#a}'; exit 5`,
    );
    expect(await bench.run(attempt)).toMatchObject({ kind: "exited", outOfMemory: true });
  });

  it("names an image that cannot be pulled", async () => {
    const reference = "127.0.0.1:9/none/such:1";
    const attempt = await bench.prepare("exit 0", { image: { ...batch.image, reference } });
    expect(await bench.run(attempt)).toMatchObject({
      kind: "lost",
      message: expect.stringContaining("CannotPullContainerError"),
    });
  });

  it("was asked nothing that its model does not know, and signed", () => {
    expect(batch.server.requests.length).toBeGreaterThan(50);
    expect(batch.server.violations).toEqual([]);
  });
});
