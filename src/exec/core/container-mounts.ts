/** What is mounted into an attempt's container, whatever form its engine takes it in. Pure. */
import { taskRoot, taskWork } from "../../task/index.ts";
import { attemptPaths } from "./attempt-paths.ts";
import type { Attempt } from "./executor.ts";
import type { InputMount } from "./prepare-attempt.ts";

export interface ContainerMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** The working directory under both of its names, with what is mounted into it. */
export function containerMounts(attempt: Attempt, mounts: readonly InputMount[]): readonly ContainerMount[] {
  const { directory, workDir } = attempt;
  const all = [
    { source: directory, target: taskRoot as string, readOnly: false },
    ...mounts.map(({ source, target, writable = false }) => ({ source, target, readOnly: !writable })),
  ];
  if (workDir === undefined) return all;
  const again = all.filter(({ target }) => target.startsWith(`${taskWork}/`));
  return [
    ...all,
    { source: attemptPaths(directory).work, target: workDir, readOnly: false },
    ...again.map((mount) => ({ ...mount, target: workDir + mount.target.slice(taskWork.length) })),
  ];
}

/**
 * What root inside a container keeps: changing owners and modes of files (`tar` and package tools fail without), and
 * switching users. Tasks of a plain user keep nothing.
 */
export const rootCapabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"];
