/** Attempts that nobody will take up any more are ended. */
import type { Attempt } from "../exec/core/index.ts";
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
  const ended: Ask = { signal: AbortSignal.abort() };
  for (const orphan of orphans) {
    const executor = (await executors.named(orphan.executor))?.executor;
    if (executor?.can.survives !== true) continue;
    const attempt = attemptOf(orphan);
    try {
      const { kind } = await executor.state(attempt, ask);
      if (kind === "running") await executor.wait(attempt, ended);
      if (kind !== "unknown") await executor.remove(attempt, ask);
    } catch (error) {
      emit({
        kind: "log",
        words: `ending ${orphan.attemptId}, left by ${orphan.fromRun}: ${messageOf(error)}`,
      });
    }
  }
}

/** Enough of an attempt to find it again. */
function attemptOf(orphan: Orphan): Attempt {
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
