/** The directive `executor`: what Memoir's executors are called in Nextflow. */
import { fail } from "../values/throwable.ts";

const kinds: Readonly<Record<string, string>> = {
  slurm: "slurm",
  awsbatch: "aws-batch",
  "aws-batch": "aws-batch",
  tes: "tes",
};

/** undefined: the run's own. */
export function executorKind(name: string): string | undefined {
  if (name === "local") return undefined;
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  return (
    kind ??
    fail(
      "ProcessUnrecoverableException",
      `Unknown executor name: ${name} -- Memoir has local, slurm, awsbatch and tes; \`memoir run --executor NAME\` chooses one for all tasks, and with \`template\` any scheduler by its commands`,
    )
  );
}

/** Tasks there run in containers only. */
export function needsImages(kind: string | undefined): boolean {
  return kind === "aws-batch" || kind === "tes";
}
