/** The script that Slurm runs on a node, for one attempt or for an array of them. */
import { attemptText, type JobAttempt, jobScript } from "../core/index.ts";

export interface ArrayScriptOrder {
  /** Of the job. */
  readonly name: string;
  readonly elements: readonly JobAttempt[];
  /** Milliseconds between TERM and KILL. */
  readonly graceMs: number;
}

export function arrayScript({ name, elements, graceMs }: ArrayScriptOrder): string {
  const cases = elements.map((element, index) => `${index}) ${attemptText(element)} ;;`);
  return jobScript({
    attempt: `case "\${SLURM_ARRAY_TASK_ID:-0}" in\n${cases.join("\n")}\n*) exit 1 ;;\nesac`,
    submission: name,
    graceMs,
    began: '"${SLURM_JOB_ID-} ${SLURMD_NODENAME-}"',
    hasWatcher: false,
  });
}
