/** What takes Slurm half a minute to notice: nodes that fail while they run tasks, and its own time limits. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkSlurm } from "../../src/exec/slurm/check-slurm.ts";
import { JobAccounting } from "../../src/exec/slurm/job-accounting.ts";
import { createSlurmClient } from "../../src/exec/slurm/slurm-client.ts";
import { describeWith } from "../servers/requirement.ts";
import { namespacesRequirement, slurmRequirement } from "../servers/slurm.ts";
import { accountingRequirement } from "../servers/slurm-accounting.ts";
import { SlurmBench, waits } from "../servers/slurm-bench.ts";

describeWith([slurmRequirement], "tasks that Slurm ends", () => {
  const impatient = new SlurmBench({ nodeTimeoutSeconds: 5 });
  const patient = new SlurmBench();
  const benches = [impatient, patient];

  beforeAll(() =>
    Promise.all(
      benches.map(async (bench) => {
        await bench.open();
        await bench.makeExecutor();
      }),
    ),
  );
  afterAll(() => Promise.all(benches.map((bench) => bench.close())));

  it.concurrent("calls an attempt lost whose node died, and leaves its repetition to Memoir", async () => {
    const bench = impatient;
    const { ask } = bench;
    const attempt = await bench.prepare(waits);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.untilReady(attempt);
    const node = await bench.nodeOf(attempt);
    await bench.cluster.killNode(node, "death");
    const lost = await end;
    expect(lost.kind).toBe("lost");
    expect(lost.kind === "lost" && lost.message).toMatch(/NODE_FAIL|FAILED/);
    bench.cluster.startNode(node);
    expect((await bench.rowsOf(attempt.id)).filter((row) => /RUNNING|PENDING/.test(row))).toEqual([]);
    // The task itself outlives this death, as it does where only the network of a node has failed: it ends in a folder
    // that nobody reads any more.
    await bench.go(attempt);
  });

  it.concurrent("reports that time is up where Slurm's own limit ends the job", async () => {
    const bench = patient;
    const { ask } = bench;
    const attempt = await bench.prepare(waits);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.untilReady(attempt);
    const [id = ""] = (await bench.rowsOf(attempt.id))[0]?.split("|") ?? [];
    await bench.cluster.ask("scontrol", "update", `JobId=${id}`, "EndTime=now+2");
    expect(await end).toMatchObject({ kind: "timed-out" });
  });
});

describeWith([slurmRequirement, namespacesRequirement], "a Slurm cluster whose network breaks", () => {
  const bench = new SlurmBench({ nodeTimeoutSeconds: 5, hasNetworks: true });
  const { ask } = bench;

  beforeAll(async () => {
    await bench.open();
    await bench.makeExecutor();
  });
  afterAll(() => bench.close());

  it("repeats a task whose node was cut off in another folder, while the first one still runs", async () => {
    const first = await bench.prepare(`echo first > out; ${waits}; echo late >> out`);
    await bench.executor.start(first, ask);
    const end = bench.executor.wait(first, ask);
    await bench.untilReady(first);
    const node = await bench.nodeOf(first);
    await bench.cluster.cutOff(node);
    expect(await end).toMatchObject({ kind: "lost", message: expect.stringMatching(/NODE_FAIL|FAILED/) });
    // What the engine does then.
    const second = await bench.prepare("echo second > out; exit 0");
    expect(await bench.run(second)).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(await bench.nodeOf(second)).not.toBe(node);
    expect(await readFile(join(first.directory, "work/out"), "utf8")).toBe("first\n");
    expect(await readFile(join(second.directory, "work/out"), "utf8")).toBe("second\n");
    await bench.cluster.joinAgain(node);
    // Slurm ends the copy that it no longer counts on; no exit code of it is published.
    await bench.untilNothingIsLeft();
    await bench.cluster.until("the node works again", async () => {
      const listed = await bench.cluster.ask("sinfo", "-h", "-N", "-n", node, "-o", "%T");
      return listed.trim() === "idle";
    });
    expect(await bench.executor.state(first, ask)).toMatchObject({ kind: "ended", end: { kind: "lost" } });
    expect(await readFile(join(second.directory, "work/out"), "utf8")).toBe("second\n");
    await bench.go(first);
  });
});

describeWith([slurmRequirement], "a Slurm cluster with more urgent jobs", () => {
  const bench = new SlurmBench({
    config: [
      "PreemptType=preempt/partition_prio",
      "PreemptMode=REQUEUE",
      "PartitionName=urgent Nodes=ALL PriorityTier=10 MaxTime=INFINITE State=UP",
    ],
  });
  const { ask } = bench;

  beforeAll(async () => {
    await bench.open();
    await bench.makeExecutor();
  });
  afterAll(() => bench.close());

  it("calls an attempt lost that gave way to another job, even where its task ended well", async () => {
    const attempt = await bench.prepare(`trap 'exit 0' TERM; ${waits}`);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.untilReady(attempt);
    const node = await bench.nodeOf(attempt);
    const urgent = ["--partition=urgent", `--nodelist=${node}`, "--exclusive", "--output=/dev/null"];
    await bench.cluster.ask("sbatch", "--job-name=urgent", ...urgent, "--wrap=true");
    expect(await end).toMatchObject({ kind: "lost", message: expect.stringContaining("PREEMPTED") });
    await bench.untilNothingIsLeft();
    expect(await bench.executor.state(attempt, ask)).toMatchObject({ kind: "ended", end: { kind: "lost" } });
  });
});

describeWith([slurmRequirement, accountingRequirement], "a Slurm cluster with accounting", () => {
  const bench = new SlurmBench({ hasAccounting: true });
  const { ask } = bench;

  beforeAll(async () => {
    await bench.open();
    await bench.makeExecutor();
  });
  afterAll(() => bench.close());

  it("reports what jobs used, once the cluster has recorded it, and waits for no record", async () => {
    expect(await checkSlurm(bench.cluster.env, ask)).toMatchObject({
      detail: expect.stringContaining("with accounting"),
    });
    const attempts = await Promise.all(
      [1, 2].map(() => bench.prepare("i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done")),
    );
    const ends = await Promise.all(attempts.map((attempt) => bench.run(attempt)));
    for (const end of ends) expect(end).toMatchObject({ kind: "exited", exitCode: 0 });
    const accounting = new JobAccounting(createSlurmClient(bench.cluster.env));
    const rows = await bench.cluster.ask("squeue", "-h", "-r", "-t", "all", "-o", "%i");
    const ids = rows.trim().split("\n");
    expect(ids).toHaveLength(2);
    await bench.cluster.until("both jobs are recorded", async () => {
      const used = await Promise.all(ids.map((id) => accounting.usedBy(id)));
      return used.every((each) => each !== undefined && (each.cpuSeconds ?? 0) > 0);
    });
  });
});
