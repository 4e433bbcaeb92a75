/** exec/slurm: tasks as jobs of a Slurm cluster. The executor is loaded when it is made. */
export { slurmKind } from "./kind.ts";
