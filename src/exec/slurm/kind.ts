/** What the registry of executors knows of Slurm before a run needs it. */
import type { ExecutorKind } from "../core/index.ts";

export const slurmKind: ExecutorKind = {
  name: "slurm",
  summary: "as jobs of a Slurm cluster that shares this machine's files",
  options: [
    {
      name: "account",
      value: "name",
      description: "with --executor slurm: account that jobs are charged to",
    },
    {
      name: "partition",
      value: "name",
      description: "with --executor slurm: partition of the jobs",
      default: "the cluster's",
    },
    { name: "qos", value: "name", description: "with --executor slurm: quality of service of the jobs" },
    {
      name: "constraint",
      value: "features",
      description: "with --executor slurm: features that nodes must have",
    },
    {
      name: "max-jobs",
      value: "number",
      description: "with --executor slurm or tes: most jobs there at the same time",
      default: "1000",
    },
  ],
  checks: [
    {
      kind: "probe",
      name: "slurm",
      enables: "tasks as jobs of a Slurm cluster (--executor slurm)",
      probe: async ({ env }, ask) => {
        const { checkSlurm } = await import("./check-slurm.ts");
        return checkSlurm(env, ask);
      },
    },
  ],
  create: async (options, { env, say }) => {
    const [{ createSlurmExecutor }, { readSlurmOptions }] = await Promise.all([
      import("./slurm-executor.ts"),
      import("./slurm-options.ts"),
    ]);
    return { executor: createSlurmExecutor({ ...readSlurmOptions(options), env, say }) };
  },
};
