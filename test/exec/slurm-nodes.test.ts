/** What takes Slurm half a minute to notice: nodes that fail while they run tasks, and its own time limits. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../servers/requirement.ts";
import { slurmRequirement } from "../servers/slurm.ts";
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
