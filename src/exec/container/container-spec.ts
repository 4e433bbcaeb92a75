/** Decides everything about an attempt's container. Pure. */

import { taskRoot, taskWork } from "../../task/index.ts";
import {
  type Attempt,
  attemptPaths,
  containerMounts,
  containerStopSignal,
  type InputMount,
  rootCapabilities,
  wrapperArguments,
} from "../core/index.ts";
import type { ContainerSpec, EngineFacts } from "./engine.ts";
import { labels } from "./labels.ts";

export interface SpecOptions {
  /** Who should own the outputs: the invoking user. */
  readonly uid: number;
  readonly gid: number;
  /** What a task that asks for network gets. */
  readonly network: "default" | "host";
  /** Processes and threads a task may have. */
  readonly pids: number;
  readonly init: boolean;
  readonly owner: string;
}

/** Below it neither engine gets a container going. */
const leastMemoryBytes = 32 << 20;
const leastSharedMemoryBytes = 64 << 20;

export function containerSpec(
  attempt: Attempt,
  image: string,
  mounts: readonly InputMount[],
  engine: EngineFacts,
  options: SpecOptions,
): ContainerSpec {
  // A rootless engine maps its user to root inside; everywhere else ids are the same on both sides.
  const [uid, gid] = engine.rootless ? [0, 0] : [options.uid, options.gid];
  const { cpu, memoryBytes, gpu } = attempt.resources;
  const memory = memoryBytes > 0 ? Math.max(leastMemoryBytes, Math.floor(memoryBytes)) : undefined;
  const { workDir } = attempt;
  const words = [...attempt.shell, attemptPaths(taskRoot).command, ...(attempt.arguments ?? [])];
  return {
    name: attempt.id,
    image,
    command: [
      "/bin/sh",
      ...wrapperArguments(
        taskRoot,
        { kind: "container", ownCgroup: engine.limits.memory },
        workDir === undefined ? words : ["/bin/sh", "-c", 'cd "$0" && exec "$@"', workDir, ...words],
      ),
    ],
    workDir: taskWork,
    // A uid without an account has the home `/`, which it cannot write to.
    env: uid === 0 ? attempt.env : { HOME: "/tmp", ...attempt.env },
    user: `${uid}:${gid}`,
    labels: {
      ...attempt.labels,
      [labels.attempt]: attempt.id,
      [labels.directory]: attempt.directory,
      [labels.owner]: options.owner,
    },
    mounts: containerMounts(attempt, mounts),
    network: attempt.network ? options.network : "none",
    init: options.init,
    stopSignal: containerStopSignal,
    ...(engine.limits.cpu && cpu > 0 ? { cpu: Math.min(Math.max(cpu, 0.01), engine.cpu) } : {}),
    ...(engine.limits.memory && memory !== undefined ? { memoryBytes: memory } : {}),
    ...(engine.limits.pids ? { pids: options.pids } : {}),
    sharedMemoryBytes: Math.max(leastSharedMemoryBytes, Math.floor((memory ?? 0) / 2)),
    capabilities: uid === 0 ? rootCapabilities : [],
    gpu,
  };
}
