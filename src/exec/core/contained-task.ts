/** What a program that runs a task in a container is given, whichever program it is: variables, mounts, and the task's words. Pure. */
import { taskRoot } from "../../task/index.ts";
import { attemptPaths } from "./attempt-paths.ts";
import type { ContainerMount } from "./container-mounts.ts";
import type { Attempt, PinnedImage } from "./executor.ts";
import { jobPaths } from "./job-files.ts";
import { quoted } from "./job-script.ts";
import { wrapperArguments } from "./wrapper.ts";

export interface ContainedTask {
  readonly attempt: Attempt;
  readonly image: PinnedImage;
  readonly mounts: readonly ContainerMount[];
  /** Jobs run as root: a container has the task's memory limit, and ids are the same on both sides. */
  readonly isRoot: boolean;
  /** The registry of the image speaks plain http. */
  readonly plainHttp: boolean;
}

/** From `/bin/sh` on: reads the variables, then becomes the wrapper. */
export function containedWords(
  { attempt, isRoot }: ContainedTask,
  place: "job" | "container",
): readonly string[] {
  const { workDir } = attempt;
  const words = [...attempt.shell, attemptPaths(taskRoot).command, ...(attempt.arguments ?? [])];
  const command =
    workDir === undefined ? words : ["/bin/sh", "-c", 'cd "$0" && exec "$@"', workDir, ...words];
  const wrapper =
    place === "job"
      ? ({ kind: "job" } as const)
      : ({ kind: "container", ownCgroup: isRoot, inJob: true } as const);
  const read = `. ${jobPaths(taskRoot).env} && exec /bin/sh "$@"`;
  return ["/bin/sh", "-c", read, "memoir-env", ...wrapperArguments(taskRoot, wrapper, command)];
}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A name that is not a variable's for shells is one for nobody but its program: there is no text that sets it. */
export function unsettableVariable(env: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(env).find((name) => !variableName.test(name));
}

export function environmentScript(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
    .join("");
}

/** Paths that need no quoting and hold no sign that separates parts of a mount. */
export const plainMountPath = /^[A-Za-z0-9_@%+=./-]+$/;

/** Fields of a line of comma-separated text, each quoted where it needs to be. */
export function mountFields(
  { source, target, readOnly }: ContainerMount,
  to: "target" | "destination",
): string {
  const fields = ["type=bind", `source=${source}`, `${to}=${target}`, ...(readOnly ? ["ro"] : [])];
  return fields.map((field) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}
