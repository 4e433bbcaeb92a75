/** Shell text that runs a task in a container of Apptainer, or of Singularity, its name before 2021. Pure. */
import { taskWork } from "../../task/index.ts";
import { type ContainedTask, containedWords, mountFields, plainMountPath } from "./contained-task.ts";
import type { ContainerMount } from "./container-mounts.ts";
import { quoted } from "./job-script.ts";

/**
 * `--containall`: the machine's home, temporary folders and processes are not seen. Variables that would add to a container, by
 * either of the program's names, are removed first.
 */
export function apptainerLines(program: string, task: ContainedTask): string {
  const { attempt, image, mounts, plainHttp } = task;
  const words = [
    ...["exec", "--containall", "--cleanenv", "--no-home", "--writable-tmpfs", "--pwd", taskWork],
    ...(attempt.resources.gpu > 0 ? ["--nv"] : []),
    ...mounts.flatMap(apptainerMount),
    ...(plainHttp ? ["--no-https"] : []),
    `docker://${image.reference}`,
    ...containedWords(task, "job"),
  ];
  return `for memoir_name in $(env | sed -n 's/^\\(\\(APPTAINER\\|SINGULARITY\\)\\(ENV_[A-Za-z0-9_]*\\|_[A-Z_]*BIND[A-Z_]*\\|_CONTAIN[A-Z]*\\|_MOUNT\\)\\)=.*/\\1/p'); do unset "$memoir_name"; done
exec ${[program, ...words.map(quoted)].join(" ")}
`;
}

/** Colons and commas separate the parts of `--bind`; `--mount`, which older versions do not have, takes any path. */
function apptainerMount(mount: ContainerMount): readonly string[] {
  const { source, target, readOnly } = mount;
  if (plainMountPath.test(source) && plainMountPath.test(target))
    return ["--bind", `${source}:${target}${readOnly ? ":ro" : ""}`];
  return ["--mount", mountFields(mount, "destination")];
}
