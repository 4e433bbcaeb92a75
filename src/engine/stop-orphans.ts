/** Attempts that nobody will take up any more are ended. */
import type { Attempt, Executor } from "../exec/core/index.ts";
import { type Ask, messageOf } from "../kernel/index.ts";
import type { Emit } from "./events.ts";
import type { Orphan } from "./recovery.ts";
import type { RunExecutors } from "./run-executors.ts";

export async function stopOrphans(
  executors: RunExecutors,
  orphans: Iterable<Orphan>,
  emit: Emit,
  ask: Ask,
): Promise<void> {
  for (const orphan of orphans) {
    const executor = (await executors.named(orphan.executor))?.executor;
    if (executor === undefined) continue;
    try {
      await endAttempt(executor, orphan, ask);
    } catch (error) {
      emit({
        kind: "log",
        words: `ending ${orphan.attemptId}, left by ${orphan.fromRun}: ${messageOf(error)}`,
      });
    }
  }
}

/** Of a process that has ended: attempts that do not outlive it have ended with it. */
export async function endAttempt(
  executor: Executor,
  orphan: Pick<Orphan, "attemptId" | "directory">,
  ask: Ask,
): Promise<void> {
  if (!executor.can.survives) return;
  const attempt = attemptOf(orphan);
  const { kind } = await executor.state(attempt, ask);
  if (kind === "running") await executor.wait(attempt, { signal: AbortSignal.abort() });
  if (kind !== "unknown") await executor.remove(attempt, ask);
}

/** Enough of an attempt to find it again. */
function attemptOf(orphan: Pick<Orphan, "attemptId" | "directory">): Attempt {
  return {
    id: orphan.attemptId,
    directory: orphan.directory,
    shell: [],
    inputs: [],
    env: {},
    resources: { cpu: 1, memoryBytes: 0, gpu: 0 },
    network: false,
    labels: {},
  };
}
