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
      name: "job-engine",
      value: "program",
      choices: ["auto", "apptainer", "singularity", "podman", "charliecloud", "none"],
      description: "with --executor slurm: what runs images inside jobs",
      default: "auto, the first of apptainer, singularity and podman that the node has",
    },
    {
      name: "max-jobs",
      value: "number",
      description: "with --executor slurm, template, tes or aws-batch: most jobs there at the same time",
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
    const choices = readSlurmOptions(options);
    const executor = createSlurmExecutor({ ...choices, env, say });
    if (choices.engine === "none") return { executor };
    const { createRegistryImages } = await import("../images/index.ts");
    return { executor, images: createRegistryImages({ env }) };
  },
};
