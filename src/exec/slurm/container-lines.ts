/**
 * Shell text that runs a task in a container inside its job. Pure, one function for each program.
 *
 * Nothing of the job's environment reaches the task: its variables are in a file of shell text, which takes any value the
 * same way whatever the program is. Apptainer and Charliecloud leave tasks in the job's session, where the job's script ends
 * them; Podman's tasks are in their own process namespace, and its container is removed by name.
 */
import { taskWork } from "../../task/index.ts";
import {
  apptainerLines,
  type ContainedTask,
  containedWords,
  jobPaths,
  mountFields,
  plainMountPath,
  quoted,
  rootCapabilities,
} from "../core/index.ts";

/** `auto`: the first of the others that the node has, but Charliecloud, which cannot mount anything read-only. */
export const jobEngines = ["auto", "apptainer", "singularity", "podman", "charliecloud", "none"] as const;
export type JobEngine = (typeof jobEngines)[number];

const inOrder = ["apptainer", "singularity", "podman"] as const;
/** Becomes the program that runs the task's container; a node without it leaves its words in `job/refused`. */
export function containerScript(engine: Exclude<JobEngine, "none">, task: ContainedTask): string {
  const tried = engine === "auto" ? inOrder : [engine];
  const choices = tried.map((name) => {
    const program = name === "charliecloud" ? "ch-run" : name;
    return `if command -v ${program} > /dev/null 2>&1; then\n${linesOf(name, task)}fi\n`;
  });
  const missing =
    engine === "auto"
      ? `the node has none of ${inOrder.join(", ")}, which run images in jobs (--job-engine)`
      : `the node has no ${engine}, which --job-engine names`;
  return `${choices.join("")}${refusal(task, missing)}`;
}

function refusal({ attempt }: ContainedTask, words: string): string {
  return `echo ${quoted(words)} > ${quoted(jobPaths(attempt.directory).refused)}\nexit 125\n`;
}

function linesOf(engine: Exclude<JobEngine, "none" | "auto">, task: ContainedTask): string {
  switch (engine) {
    case "apptainer":
    case "singularity":
      return apptainerLines(engine, task);
    case "podman":
      return podmanLines(task);
    case "charliecloud":
      return charliecloudLines(task);
  }
}

/**
 * Without these, Podman raises limits of processes that a job may not raise. It lowers its own to the number of process ids, and
 * service managers grant no more open files than this.
 */
const podmanLimits = `memoir_hard() {
  memoir_most=$2
  while read -r memoir_line; do
    case $memoir_line in "Max $1 "*)
      set -- "$1" \${memoir_line#"Max $1 "}
      case $3 in *[!0-9]*) ;; *) [ "$3" -ge "$memoir_most" ] || memoir_most=$3 ;; esac ;;
    esac
  done < /proc/self/limits
  echo "$memoir_most:$memoir_most"
}
read -r memoir_pids < /proc/sys/kernel/pid_max
memoir_files=$(memoir_hard "open files" 524288) memoir_processes=$(memoir_hard processes "\${memoir_pids:-32768}")
`;

function podmanLines(task: ContainedTask): string {
  const { attempt, image, mounts, isRoot } = task;
  const { memoryBytes, gpu } = attempt.resources;
  const words = [
    ...["--rm", `--name=${attempt.id}`, `--workdir=${taskWork}`, "--user=0:0", "--http-proxy=false"],
    ...(attempt.network ? ["--network=host"] : ["--network=none", "--hostname=memoir"]),
    "--systemd=false",
    ...["--cap-drop=all", ...rootCapabilities.map((name) => `--cap-add=${name}`)],
    ...["--security-opt=label=disable", "--security-opt=no-new-privileges", "--log-driver=none"],
    ...(isRoot && memoryBytes > 0
      ? [`--memory=${Math.max(leastMemoryBytes, Math.floor(memoryBytes))}b`]
      : []),
    ...(gpu > 0 ? ["--device=nvidia.com/gpu=all"] : []),
    ...(task.plainHttp ? ["--tls-verify=false"] : []),
    ...mounts.map((mount) => `--mount=${mountFields(mount, "target")}`),
    '--entrypoint=["/bin/sh"]',
    image.reference,
    ...containedWords(task, "container").slice(1),
  ];
  return `${podmanLimits}exec podman run "--ulimit=nofile=$memoir_files" "--ulimit=nproc=$memoir_processes" ${words.map(quoted).join(" ")}
`;
}

const leastMemoryBytes = 32 << 20;

/**
 * The image is unpacked once on a node, under the digest of its manifest, and used once that is complete. Places to mount on
 * are made in it, since Charliecloud makes none.
 */
function charliecloudLines(task: ContainedTask): string {
  const { image, mounts } = task;
  if (mounts.some(({ source, target }) => !plainMountPath.test(source) || !plainMountPath.test(target)))
    return refusal(
      task,
      "Charliecloud cannot mount paths that hold other characters than letters, digits and @%+=./-",
    );
  const digest = (image.manifestDigest ?? image.configDigest).replace(/^sha256:/, "");
  const name = `memoir-${digest}`;
  const places = mounts.map(({ source, target }) => {
    const place = `"$memoir_image"${quoted(target)}`;
    return `if [ -d ${quoted(source)} ]; then mkdir -p ${place}; else mkdir -p "$memoir_image"${quoted(parentOf(target))} && [ -e ${place} ] || : > ${place}; fi || exit 125`;
  });
  const words = [
    ...["--private-tmp", "--no-passwd"],
    ...["--unset-env=*", "--set-env"],
    ...mounts.flatMap(({ source, target }) => ["-b", `${source}:${target}`]),
    "--cd=/",
  ];
  const pull = `ch-image --no-cache${task.plainHttp ? " --tls-no-verify" : ""} pull ${quoted(image.reference)} ${name}:latest`;
  return `USER=\${USER:-$(id -un)}
CH_IMAGE_STORAGE=\${CH_IMAGE_STORAGE:-/var/tmp/$USER.ch}
export USER CH_IMAGE_STORAGE
memoir_image=$CH_IMAGE_STORAGE/img/${name}+latest memoir_done=$CH_IMAGE_STORAGE.memoir/${name}
mkdir -p "$CH_IMAGE_STORAGE.memoir" || exit 125
{
  flock 9 || exit 125
  if [ ! -f "$memoir_done" ] || [ ! -d "$memoir_image" ]; then
    rm -f "$memoir_done"
    ${pull} 9>&- || exit 125
    : > "$memoir_done" || exit 125
  fi
  ${places.join("\n  ")}
} 9> "$CH_IMAGE_STORAGE.memoir/lock"
exec ch-run "--storage=$CH_IMAGE_STORAGE" ${[...words, `${name}:latest`].map(quoted).join(" ")} -- ${containedWords(task, "job").map(quoted).join(" ")}
`;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** A killed client leaves its container running. */
export function removalScript(containerName: string): string {
  return `! command -v podman > /dev/null 2>&1 || podman rm --force --ignore --time 0 ${quoted(containerName)} > /dev/null 2>&1 < /dev/null\n`;
}
