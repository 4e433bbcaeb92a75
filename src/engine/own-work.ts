/**
 * Calls that programs perform themselves (Nextflow's `exec:`): in this process, in the folder of an attempt. To the
 * engine they are attempts like others, so that they are keyed, reused, recorded and reported as others are.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import {
  type Attempt,
  type AttemptEnd,
  attemptPaths,
  type Executor,
  SharedAttemptFiles,
} from "../exec/core/index.ts";
import type { Ask } from "../kernel/index.ts";
import type { OutputCollector, OwnWork } from "../lang/core/index.ts";
import type { CallOutcome, TaskCall } from "../task/index.ts";

/** By the path of its call. */
export type OwnWorks = Map<string, OwnWork>;

/** What programs do waits for nothing of the machine. */
const enough = { cpu: 1_000_000, memoryBytes: Number.MAX_SAFE_INTEGER, gpu: 1_000_000 };

export function ownWorkExecutor(works: OwnWorks): Executor {
  const done = new Map<string, AttemptEnd>();
  return {
    name: "memoir",
    can: {
      containers: false,
      sharesFiles: true,
      elsewhere: true,
      ownWork: true,
      survives: false,
      mountsTaskRoot: false,
      limitsMemory: false,
      isolates: false,
    },
    open: async () => {},
    capacity: () => enough,
    environmentIdentity: () => "memoir",
    start: async ({ id, directory, labels }) => {
      const work = works.get(labels["memoir.call"] ?? "");
      done.set(
        id,
        work === undefined
          ? { kind: "lost", message: "its program is no longer there" }
          : await performed(work, directory),
      );
    },
    wait: async ({ id }) => done.get(id) ?? { kind: "lost", message: "it was never started" },
    state: async () => ({ kind: "unknown" }),
    remove: async ({ id }) => {
      done.delete(id);
    },
    close: async () => {},
  };
}

async function performed(work: OwnWork, directory: string): Promise<AttemptEnd> {
  const paths = attemptPaths(directory);
  mkdirSync(paths.work, { recursive: true });
  for (const stream of [paths.stdout, paths.stderr]) writeFileSync(stream, "");
  const begun = performance.now();
  const exitCode = await work(paths.work);
  const wallSeconds = (performance.now() - begun) / 1000;
  return {
    kind: "exited",
    exitCode,
    outOfMemory: false,
    usage: { wallSeconds, cpuSeconds: null, maxRssBytes: null, source: "memoir" },
  };
}

/** Outside the engine's attempts: of a dry run, in which nothing is recorded. */
export async function performOnce(
  {
    task,
    collect,
    work,
  }: { readonly task: TaskCall; readonly collect: OutputCollector; readonly work: OwnWork },
  directory: string,
  ask: Ask,
): Promise<CallOutcome> {
  const ended = await performed(work, directory);
  const failed = (kind: "exit-code" | "output-missing", message: string): CallOutcome => ({
    kind: "failed",
    failure: { kind, message, attempts: 1, directory },
  });
  if (ended.kind !== "exited" || ended.exitCode !== 0) return failed("exit-code", "it failed");
  const attempt: Pick<Attempt, "directory" | "inputs"> = { directory, inputs: [] };
  const collected = await collect(
    { exitCode: 0, files: new SharedAttemptFiles(attempt), attempt: 0, resources: task.resources },
    ask,
  );
  return collected.kind === "missing"
    ? failed("output-missing", collected.message)
    : { kind: "computed", outputs: collected.outputs };
}
