/** The executors' contract on a real Slurm cluster. */
import { afterAll, beforeAll } from "vitest";
import { executorContract } from "../../src/exec/core/executor-contract.ts";
import { createSlurmExecutor } from "../../src/exec/slurm/slurm-executor.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { describeWith } from "../servers/requirement.ts";
import { type SlurmCluster, slurmRequirement, startSlurm } from "../servers/slurm.ts";

describeWith([slurmRequirement], "Slurm", () => {
  let cluster: SlurmCluster;

  beforeAll(async () => {
    cluster = await startSlurm();
  });
  afterAll(() => cluster?.stop());

  executorContract({
    name: "Slurm",
    graceful: true,
    hidesProcesses: false,
    make: async () => {
      const times = { pollMs: 200, settleMs: 5_000 };
      const executor = createSlurmExecutor({ env: cluster.env, placement: {}, graceMs: 1_500, times });
      await executor.open(freshAsk());
      return executor;
    },
  });
});
