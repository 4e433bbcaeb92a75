/**
 * The instance type that AWS HealthOmics would choose for a task: the smallest that has its CPUs and memory. Nothing
 * runs on one here; AWS's tools parse the name to compare sizes, and fail on names that AWS does not use.
 * https://docs.aws.amazon.com/omics/latest/dev/memory-and-compute-tasks.html
 */
const sizes = [
  ...(["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge"] as const),
  ...(["16xlarge", "24xlarge", "32xlarge", "48xlarge"] as const),
];
const cpusOf = [2, 4, 8, 16, 32, 48, 64, 96, 128, 192] as const;
/** GiB of memory for each CPU. */
const families = { c: 2, m: 4, r: 8 } as const;

export function instanceType(task: {
  readonly cpus: number;
  readonly memory: number;
  readonly gpus: number;
}): string {
  const wanted = task.gpus > 0 ? ({ g4dn: 4 } as const) : families;
  for (const [at, cpus] of cpusOf.entries())
    for (const [family, gibPerCpu] of Object.entries(wanted))
      if (cpus >= task.cpus && cpus * gibPerCpu >= task.memory && !(family === "g4dn" && at === 0))
        return `omics.${family}.${sizes[at]}`;
  return "omics.r.48xlarge";
}
