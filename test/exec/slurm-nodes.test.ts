/** Nodes of a real Slurm cluster that fail while they run tasks. Their failure takes Slurm half a minute to notice. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { describeWith } from "../servers/requirement.ts";
import { slurmRequirement } from "../servers/slurm.ts";
import { SlurmBench, waits } from "../servers/slurm-bench.ts";

describeWith([slurmRequirement], "tasks on nodes of a Slurm cluster that fail", () => {
  const bench = new SlurmBench({ nodeTimeoutSeconds: 5 });
  const { ask } = bench;

  beforeAll(() => bench.open());
  afterAll(() => bench.close());
  beforeEach(() => bench.makeExecutor());

  it("calls an attempt lost whose node died, and leaves its repetition to Memoir", async () => {
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
});
